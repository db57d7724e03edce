"""Everything of an office in one order, and calls that wait (connect-api section 11)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from django.conf import settings

from clients.models import Client, Transfer
from consents.scope import ScopeChange, change_scope
from core.document_kinds import Kind
from core.row_security import every_office
from documents.models import Document, DocumentRead
from documents.retention import delete_for_retention
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import acting, allow, terms_in_force

pytestmark = pytest.mark.requirement(117)


@pytest.fixture
def reader(people: Cast, ledgerly: Software) -> Software:
    allow(people.consent, people.anna)
    return ledgerly


def ask(software: Software, people: Cast, **query: Any) -> httpx.Response:
    path = f"/accounting-offices/{people.janssens.uuid}/document-changes"
    return software.call("GET", path, params=query)


class Follower:
    """Software that knows nothing but the office, and keeps the cursor."""

    def __init__(self, software: Software, people: Cast) -> None:
        self.software, self.people = software, people
        self.after: str | None = None
        # A cursor knows its beginning to 10 ms: what went just before would be told as withdrawn.
        time.sleep(0.02)

    def follow(self, **query: Any) -> list[tuple[str, str]]:
        """What changed since the last time, as change and identifier."""
        found: list[tuple[str, str]] = []
        while True:
            after = {"after": self.after} if self.after else {}
            answer = ask(self.software, self.people, **after, **query)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            self.after = page["meta"]["paging"]["after"]
            found += [told(change) for change in page["data"]]
            if len(page["data"]) < page["meta"]["paging"]["limit"]:
                return found


def told(change: dict[str, Any]) -> tuple[str, str]:
    document = change["relationships"]["document"]["data"]
    return change["attributes"]["change"], document["id"]


def arrives(client: Client, **fields: Any) -> str:
    document = factories.make_document(client, **fields)
    return str(document.public_id or document.uuid)


def scope(people: Cast, **change: Any) -> None:
    change_scope(people.fresh(), acting(people.anna), ScopeChange(**change), terms_in_force())


def available(*ids: str) -> list[tuple[str, str]]:
    return [("available", one) for one in ids]


def withdrawn(*ids: str) -> list[tuple[str, str]]:
    return [("withdrawn", one) for one in ids]


def test_a_change_has_the_shape_that_was_promised(people: Cast, reader: Software) -> None:
    identifier = arrives(people.bakery)
    number = people.bakery.company_number
    page = ask(reader, people, limit=10).json()
    (change,) = page["data"]
    (document,) = page["included"]["documents"]
    assert document == reader.document(people.janssens, number, identifier).json()["data"]
    assert change == {
        "type": "documentChange",
        "id": page["meta"]["paging"]["after"],
        "attributes": {"change": "available", "at": document["attributes"]["createdAt"]},
        "relationships": {
            "document": {"data": {"type": "bankAccountStatement", "id": identifier}},
            "client": {"data": {"type": "client", "id": number}},
        },
    }
    assert page["meta"] == {"paging": {"limit": 10, "after": change["id"]}}


def test_all_kinds_and_companies_come_in_one_order(people: Cast, reader: Software) -> None:
    other = factories.make_client(people.janssens)
    made = [
        arrives(client, kind=kind, public_id=f"CARO-{kind}-{client.pk}" if kind == 3 else None)
        for kind in Kind
        for client in (people.bakery, other)
    ]
    for limit in (1, 3, 1000):
        follower = Follower(reader, people)
        assert follower.follow(limit=limit) == available(*made)
        assert follower.follow(limit=limit) == []


def test_the_cursor_is_there_from_the_first_empty_page(people: Cast, reader: Software) -> None:
    follower = Follower(reader, people)
    assert follower.follow() == []
    first = follower.after
    assert first is not None
    assert follower.follow() == []
    assert follower.after == first
    identifier = arrives(people.bakery)
    assert follower.follow() == available(identifier)


def test_what_is_left_out_is_withdrawn_and_comes_back(people: Cast, reader: Software) -> None:
    follower = Follower(reader, people)
    before = arrives(people.bakery)
    other = arrives(people.bakery, kind=Kind.SALES_INVOICE)
    assert follower.follow() == available(before, other)
    scope(people, clients_out=(people.bakery.pk,))
    meanwhile = arrives(people.bakery)
    assert follower.follow() == withdrawn(before, other)
    scope(people, clients_in=(people.bakery.pk,))
    assert follower.follow() == available(before, other, meanwhile)
    scope(people, kinds_out=("salesInvoice",))
    assert follower.follow() == withdrawn(other)
    # Whoever begins now learns what there is, and nothing of what was.
    assert Follower(reader, people).follow() == available(before, meanwhile)


def test_a_company_that_was_never_shared_is_never_told(people: Cast, reader: Software) -> None:
    consent = factories.make_request(people.peeters, people.ledgerly)
    secret = factories.make_client(people.peeters)
    shared = factories.make_client(people.peeters)
    change_scope(consent, acting(people.chloe), ScopeChange(clients_out=(secret.pk,)))
    allow(consent, people.chloe)
    arrives(secret)
    known = arrives(shared)
    path = f"/accounting-offices/{people.peeters.uuid}/document-changes"
    page = reader.call("GET", path).json()
    assert [told(change) for change in page["data"]] == available(known)
    after = page["meta"]["paging"]["after"]
    leaves_out = ScopeChange(kinds_out=("bankAccountStatement",))
    change_scope(consent, acting(people.chloe), leaves_out)
    page = reader.call("GET", path, params={"after": after}).json()
    assert [told(change) for change in page["data"]] == withdrawn(known)


def test_a_company_that_leaves_is_withdrawn_from_the_moment_on(
    people: Cast, reader: Software
) -> None:
    follower = Follower(reader, people)
    ours = arrives(people.bakery)
    moment = datetime.now(UTC) + timedelta(seconds=3)
    transfer = Transfer.objects.ask(people.bakery, people.anna, people.peeters, moment)
    transfer.agree(people.chloe, "JAN1")
    assert follower.follow() == available(ours)
    time.sleep(max((moment - datetime.now(UTC)).total_seconds(), 0))
    # No job has moved the row yet.
    assert follower.follow() == withdrawn(ours)
    assert transfer.move()
    people.bakery.refresh_from_db()
    arrives(people.bakery)
    assert follower.follow() == []


def test_an_archived_company_is_withdrawn_and_comes_back(people: Cast, reader: Software) -> None:
    follower = Follower(reader, people)
    ours = arrives(people.bakery)
    assert follower.follow() == available(ours)
    people.bakery.archive(people.anna, "stops")
    assert follower.follow() == withdrawn(ours)
    people.bakery.restore(people.anna)
    assert follower.follow() == available(ours)


def test_what_is_deleted_for_retention_is_withdrawn(people: Cast, reader: Software) -> None:
    follower = Follower(reader, people)
    old = arrives(people.bakery, available_at=datetime.now(UTC) - timedelta(days=3600))
    young = arrives(people.bakery)
    assert follower.follow(limit=1) == available(old, young)
    with every_office():
        longer_ago = datetime.now(UTC) - timedelta(days=3700)
        Document.objects.filter(uuid=old).update(available_at=longer_ago)
    while delete_for_retention():
        pass
    assert follower.follow() == withdrawn(old)
    assert Follower(reader, people).follow() == available(young)


def test_a_kind_that_an_operator_takes_away_is_withdrawn(people: Cast, reader: Software) -> None:
    follower = Follower(reader, people)
    ours = arrives(people.bakery, kind=Kind.SALES_INVOICE)
    assert follower.follow() == available(ours)
    every_kind = people.ledgerly.document_kinds
    people.ledgerly.document_kinds = ["bankAccountStatement"]
    people.ledgerly.save()
    assert follower.follow() == withdrawn(ours)
    people.ledgerly.document_kinds = every_kind
    people.ledgerly.save()
    assert follower.follow() == available(ours)


def test_many_companies_of_one_gap_are_one_list(people: Cast, reader: Software) -> None:
    companies = [people.bakery, *(factories.make_client(people.janssens) for _ in range(70))]
    follower = Follower(reader, people)
    made = [arrives(client) for client in companies]
    assert follower.follow(limit=30) == available(*made)
    scope(people, kinds_out=("bankAccountStatement",))
    assert follower.follow(limit=30) == withdrawn(*made)
    scope(people, kinds_in=("bankAccountStatement",))
    assert follower.follow(limit=30) == available(*made)


def test_the_one_shared_company_of_a_large_office_is_walked_alone(
    people: Cast, reader: Software
) -> None:
    others = [factories.make_client(people.janssens) for _ in range(70)]
    for client in others[:3]:
        arrives(client)
    ours = [arrives(people.bakery) for _ in "12"]
    follower = Follower(reader, people)
    scope(people, clients_out=tuple(client.pk for client in others))
    assert follower.follow(limit=1) == available(*ours)


def test_some_kinds_can_be_asked_for(people: Cast, reader: Software) -> None:
    statement, _sale = arrives(people.bakery), arrives(people.bakery, kind=Kind.SALES_INVOICE)
    follower = Follower(reader, people)
    assert follower.follow(kinds="bankAccountStatement,payrollStatement") == available(statement)
    answer = ask(reader, people, kinds="statement", wait="26", limit="0")
    details = [error["detail"] for error in answer.json()["errors"]]
    assert answer.status_code == 400
    assert len(details) == 3
    assert "wait must be a number from 0 to 25." in details
    scope(people, kinds_out=("salesInvoice",))
    answer = ask(reader, people, kinds="salesInvoice")
    assert answer.json()["errors"][0]["code"] == "documentTypeNotShared"


def test_another_identifier_is_no_cursor(people: Cast, reader: Software) -> None:
    answer = ask(reader, people, after=arrives(people.bakery))
    assert answer.json()["errors"][0]["code"] == "invalidParameter"
    assert "after must be" in answer.json()["errors"][0]["detail"]


def test_a_page_that_did_not_change_is_304_and_each_read_is_written_down(
    people: Cast, reader: Software
) -> None:
    arrives(people.bakery)
    path = f"/accounting-offices/{people.janssens.uuid}/document-changes"
    first = reader.call("GET", path, params={"limit": 1})
    after = first.json()["meta"]["paging"]["after"]
    answer = reader.call("GET", path, params={"after": after})
    again = reader.call(
        "GET", path, params={"after": after}, headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status_code == 304
    with every_office():
        reads = DocumentRead.objects.filter(consent_id=people.consent.pk, media_type="changes")
        assert reads.count() == 3


# --- calls that wait -----------------------------------------------------------------------------


@contextmanager
def waiting(
    software: Software, people: Cast, calls: int = 1, **query: Any
) -> Iterator[list[Future[httpx.Response]]]:
    """Calls that wait at the running portal, each on a line of its own."""

    path = f"/accounting-offices/{people.janssens.uuid}/document-changes"

    def call() -> httpx.Response:
        # One client for all: each of its own would read the certificates of the system first.
        return software.call("GET", path, params={"wait": 25, **query}, timeout=60)

    with ThreadPoolExecutor(calls) as pool:
        yield [pool.submit(call) for _ in range(calls)]


def test_a_waiting_call_ends_when_something_arrives(people: Cast, reader: Software) -> None:
    follower = Follower(reader, people)
    follower.follow()
    with waiting(reader, people, after=follower.after) as (call,):
        time.sleep(1)
        assert not call.done()
        identifier = arrives(people.bakery)
        answer = call.result(20)
    assert [told(change) for change in answer.json()["data"]] == available(identifier)


def test_a_waiting_call_ends_when_access_ends(people: Cast, reader: Software) -> None:
    with waiting(reader, people) as (call,):
        time.sleep(1)
        people.fresh().cancel(acting(people.anna))
        answer = call.result(20)
    assert answer.status_code == 403
    assert answer.json()["errors"][0]["code"] == "consentNotConfirmed"


def test_a_waiting_call_is_empty_when_its_time_is_over(people: Cast, reader: Software) -> None:
    with waiting(reader, people, wait=1) as (call,):
        answer = call.result(20)
    assert answer.json()["data"] == []
    assert answer.json()["meta"]["paging"]["after"]


def test_ten_calls_of_a_partner_wait_and_the_next_is_told_to_come_back(
    people: Cast, reader: Software
) -> None:
    with waiting(reader, people, calls=11) as calls:
        done, ten = wait(calls, timeout=60, return_when=FIRST_COMPLETED)
        (refused,) = (call.result() for call in done)
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 0
        # It may still ask without waiting.
        assert ask(reader, people).status_code == 200
        arrives(people.bakery)
        assert {call.result(40).status_code for call in ten} == {200}
    assert settings.PORTAL_WAITS_PER_PARTNER == 10
    # The places are free again.
    assert ask(reader, people, wait=1).status_code == 200


def test_200_waiting_calls_leave_the_others_their_threads(
    people: Cast, reader: Software, portal: str
) -> None:
    """Twenty partners with ten calls each; a web process has 136 threads."""
    path = f"{portal}/codabox-connect/accounting-offices/{people.janssens.uuid}/document-changes"
    tokens = []
    for n in range(20):
        partner = factories.make_partner(f"Software{n}")
        allow(factories.make_request(people.janssens, partner), people.anna)
        tokens.append(Software(portal, partner, reader.http).token)

    async def wait_all() -> list[int]:
        limits = httpx.Limits(max_connections=200)
        async with httpx.AsyncClient(timeout=60, limits=limits) as http:
            calls = [
                http.get(path, params={"wait": 25}, headers={"Authorization": f"Bearer {token}"})
                for token in tokens
                for _call in range(10)
            ]
            return [answer.status_code for answer in await asyncio.gather(*calls)]

    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(asyncio.run, wait_all())
        for _second in range(5):
            time.sleep(1)
            for _call in range(10):
                assert ask(reader, people).status_code == 200
        assert not waits.done()
        arrives(people.bakery)
        answers = waits.result(40)
    # The kernel gives connections to the two processes by chance; one that holds 104 refuses more.
    assert set(answers) <= {200, 429}
    assert answers.count(200) >= 160
