"""Software lists its consents, and the companies that an office shares with it."""

from __future__ import annotations

from typing import Any

import pytest

from consents.models import Consent
from consents.scope import ScopeChange, change_scope
from core.row_security import every_office
from documents.models import DocumentRead
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import acting, allow, terms_in_force


@pytest.fixture
def reader(people: Cast, ledgerly: Software) -> Software:
    allow(people.consent, people.anna)
    return ledgerly


def pages(software: Software, path: str, limit: int) -> list[dict[str, Any]]:
    """Everything, page by page."""
    found: list[dict[str, Any]] = []
    after = None
    while True:
        query = {"limit": limit} | ({"after": after} if after else {})
        answer = software.call("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["data"]) <= limit
        assert page["meta"]["paging"]["limit"] == limit
        found += page["data"]
        after = page["meta"]["paging"].get("after")
        if after is None:
            return found


def refusal(answer: Any) -> tuple[int, str, str]:
    error = answer.json()["errors"][0]
    return answer.status_code, error["code"], error["detail"]


def test_ledgerly_lists_its_own_consents_newest_first(people: Cast, reader: Software) -> None:
    mine = [people.consent]
    for _ in "123":
        mine.append(factories.make_request(factories.make_office("Maes"), people.ledgerly))
    factories.make_request(people.peeters, people.tally)
    expected = [str(consent.uuid) for consent in reversed(mine)]
    for limit in (1, 2, 4, 100):
        found = pages(reader, "/accounting-office-consents", limit)
        assert [consent["id"] for consent in found] == expected
    for consent in found:
        read = reader.call("GET", f"/accounting-office-consents/{consent['id']}")
        assert read.json()["data"] == consent


def test_ledgerly_lists_the_consents_of_one_status(people: Cast, reader: Software) -> None:
    cancelled = factories.make_request(people.peeters, people.ledgerly)
    allow(cancelled, people.chloe)
    cancelled.cancel(acting(people.chloe))

    def ids(status: str) -> list[str]:
        answer = reader.call("GET", "/accounting-office-consents", params={"status": status})
        return [consent["id"] for consent in answer.json()["data"]]

    assert ids("confirmed") == ids("allowed") == [str(people.consent.uuid)]
    assert ids("denied") == ids("cancelled") == [str(cancelled.uuid)]
    assert ids("unconfirmed") == []


def test_a_wrong_query_is_told_all_at_once(reader: Software, people: Cast) -> None:
    query = {"status": "maybe", "limit": "0", "after": "x"}
    answer = reader.call("GET", "/accounting-office-consents", params=query)
    details = {error["detail"] for error in answer.json()["errors"]}
    assert answer.status_code == 400
    assert "limit must be a number from 1 to 1000." in details
    assert "after must be the cursor of an earlier page." in details
    assert any(detail.startswith("status must be one of unconfirmed") for detail in details)
    stranger = factories.make_request(people.peeters, people.tally)
    for path, cursor in (
        ("/accounting-office-consents", stranger.uuid),
        (f"/accounting-offices/{people.janssens.uuid}/clients",
         factories.make_client(people.peeters).uuid),
    ):  # fmt: skip
        answer = reader.call("GET", path, params={"after": str(cursor)})
        assert refusal(answer)[:2] == (400, "invalidParameter")


def test_the_list_is_unchanged_until_something_happens(people: Cast, reader: Software) -> None:
    for path in (
        "/accounting-office-consents",
        f"/accounting-offices/{people.janssens.uuid}/clients",
    ):
        etag = reader.call("GET", path).headers["ETag"]
        again = reader.call("GET", path, headers={"If-None-Match": etag})
        assert (again.status_code, again.content) == (304, b"")
    factories.make_client(people.janssens)
    assert reader.call("GET", path, headers={"If-None-Match": etag}).status_code == 200


def test_ledgerly_lists_the_companies_that_are_shared_now(people: Cast, reader: Software) -> None:
    path = f"/accounting-offices/{people.janssens.uuid}/clients"
    shared = [people.bakery, *(factories.make_client(people.janssens) for _ in "123")]
    out, archived = (factories.make_client(people.janssens) for _ in "12")
    archived.archive(people.anna, "stops")
    factories.make_client(people.peeters)
    change_scope(people.fresh(), acting(people.anna), ScopeChange(clients_out=(out.pk,)))
    for limit in (1, 3, 4, 100):
        found = pages(reader, path, limit)
        assert [client["id"] for client in found] == [c.company_number for c in shared]
    assert found[0]["type"] == "client"
    assert found[0]["attributes"]["name"] == people.bakery.name
    assert found[0]["attributes"]["code"] == people.bakery.code
    decided = people.fresh().decided_at
    assert decided is not None
    assert found[0]["attributes"]["sharedSince"][:19] == decided.isoformat()[:19]
    with every_office():
        reads = DocumentRead.objects.filter(consent_id=people.consent.pk, media_type="clients")
        assert reads.count() == 4 + 2 + 1 + 1


def test_shared_since_is_the_end_of_the_gap(people: Cast, reader: Software) -> None:
    path = f"/accounting-offices/{people.janssens.uuid}/clients"

    def since() -> str:
        (client,) = reader.call("GET", path).json()["data"]
        return str(client["attributes"]["sharedSince"])

    before = since()
    for change in (
        ScopeChange(clients_out=(people.bakery.pk,)),
        ScopeChange(clients_in=(people.bakery.pk,)),
    ):
        change_scope(people.fresh(), acting(people.anna), change, terms_in_force())
    assert since() > before


def test_a_company_that_leaves_while_ledgerly_pages_ends_nothing(
    people: Cast, reader: Software
) -> None:
    path = f"/accounting-offices/{people.janssens.uuid}/clients"
    other = factories.make_client(people.janssens)
    page = reader.call("GET", path, params={"limit": 1}).json()
    assert [client["id"] for client in page["data"]] == [people.bakery.company_number]
    factories.transfer(people.bakery, people.anna, people.peeters, people.chloe)
    after = page["meta"]["paging"]["after"]
    page = reader.call("GET", path, params={"after": after}).json()
    assert [client["id"] for client in page["data"]] == [other.company_number]


def test_whoever_may_not_read_is_told_why_and_it_is_written_down(
    people: Cast, ledgerly: Software
) -> None:
    path = f"/accounting-offices/{people.janssens.uuid}/clients"
    assert refusal(ledgerly.call("GET", path))[:2] == (403, "consentNotConfirmed")
    elsewhere = f"/accounting-offices/{people.peeters.uuid}/clients"
    assert refusal(ledgerly.call("GET", elsewhere))[:2] == (404, "notFound")
    allow(people.consent, people.anna)
    Consent.objects.get(pk=people.consent.pk).pause(acting(people.anna))
    assert refusal(ledgerly.call("GET", path))[:2] == (403, "consentPaused")
    with every_office():
        refused = DocumentRead.objects.filter(consent_id=people.consent.pk, outcome="refused")
        assert {read.reason for read in refused} == {"consentNotConfirmed", "consentPaused"}
