"""connect-api section 8: idempotency keys, exact under parallel repeats and a crash in between."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db.models.functions import Now

from consents.models import Consent, ConsentEvent
from partner_api.idempotency import forget_old_records
from partner_api.models import IdempotencyRecord
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import acting, allow

pytestmark = pytest.mark.requirement(20)


KEY = "Ibanity-Idempotency-Key"


def create(software: Software, number: str, key: str, **attributes: Any) -> httpx.Response:
    attributes["accountingOfficeCompanyNumber"] = number
    body = {"data": {"type": "accountingOfficeConsent", "attributes": attributes}}
    path = "/accounting-office-consents"
    return software.call("POST", path, json=body, headers={KEY: key})


@pytest.fixture
def tally(portal: str, people: Cast) -> Software:
    return Software(portal, people.tally)


def test_the_same_body_gets_the_stored_answer(tally: Software, people: Cast) -> None:
    number = people.janssens.company_number
    first = create(tally, number, "one")
    again = create(tally, number, "one")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["ibanity-request-id"] != first.headers["ibanity-request-id"]
    without = tally.create(accountingOfficeCompanyNumber=number)
    assert without.status_code == 200


@pytest.mark.parametrize("name", [KEY, KEY.lower(), KEY.upper()])
def test_the_name_of_the_header_is_in_any_case(tally: Software, people: Cast, name: str) -> None:
    body = {
        "data": {"attributes": {"accountingOfficeCompanyNumber": people.janssens.company_number}}
    }
    for _ in range(2):
        answer = tally.call(
            "POST", "/accounting-office-consents", json=body, headers={name: "any case"}
        )
        assert answer.status_code == 201


def test_another_body_with_the_same_key_is_a_conflict(tally: Software, people: Cast) -> None:
    number = people.janssens.company_number
    assert create(tally, number, "k").status_code == 201
    answer = create(tally, number, "k", state="other")
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["code"] == "idempotencyConflict"
    assert Consent.objects.get(office=people.janssens, partner=people.tally).state == ""


@pytest.mark.requirement(43)
def test_a_key_belongs_to_one_partner(tally: Software, ledgerly: Software, people: Cast) -> None:
    number = people.janssens.company_number
    mine = create(tally, number, "shared").json()["data"]["id"]
    theirs = create(ledgerly, number, "shared").json()["data"]["id"]
    assert mine != theirs


def test_a_refusal_is_not_kept_so_that_it_can_be_tried_again(tally: Software, people: Cast) -> None:
    assert create(tally, "0100000000", "mended").status_code == 400
    assert create(tally, people.janssens.company_number, "mended").status_code == 201


def test_a_key_that_is_too_long_is_refused(tally: Software, people: Cast) -> None:
    answer = create(tally, people.janssens.company_number, "x" * 256)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "invalidParameter"


def test_100_repeats_at_the_same_moment_act_once(
    portal: str, tally: Software, people: Cast, rounds: float
) -> None:
    for round_number in range(max(1, int(2 * rounds))):
        office = factories.make_office("Herd")
        answers: list[httpx.Response] = []

        def ask(office: Any = office, answers: Any = answers, n: int = round_number) -> None:
            for _ in range(5):
                answers.append(create(tally, office.company_number, f"herd {n}"))

        threads = [threading.Thread(target=ask) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        consent = Consent.objects.get(office=office, partner=people.tally)
        assert ConsentEvent.objects.filter(consent=consent).count() == 1


@pytest.mark.django_db(transaction=False)
def test_a_crash_between_the_act_and_its_record_leaves_neither(cast: Cast) -> None:
    from django.db import transaction
    from django.test import RequestFactory

    from partner_api.idempotency import StoredAnswer, run_once

    request = RequestFactory().post("/codabox-connect/x", headers={KEY: "crash"})

    def act() -> StoredAnswer:
        factories.make_request(cast.peeters, cast.tally)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        run_once(request, b"{}", cast.tally.pk, act)
    assert not Consent.objects.filter(office=cast.peeters, partner=cast.tally).exists()
    assert not IdempotencyRecord.objects.filter(partner=cast.tally).exists()


def test_a_key_is_forgotten_after_24_hours(tally: Software, people: Cast) -> None:
    number = people.janssens.company_number
    create(tally, number, "old")
    kept = IdempotencyRecord.objects.filter(partner=people.tally)
    kept.update(created_at=Now() - timedelta(hours=24))
    assert create(tally, number, "old", state="new").status_code == 200
    kept.update(created_at=Now() - timedelta(hours=25))
    assert forget_old_records() >= 1
    assert not kept.exists()


def test_a_repeated_search_is_the_same_and_ends_with_the_consent(
    ledgerly: Software, people: Cast
) -> None:
    """A kept page would be a back door: what is kept is its id and its end, never a document."""
    allow(people.consent, people.anna)
    factories.make_document(people.bakery)
    path = f"/accounting-offices/{people.janssens.uuid}/document-searches"
    body: dict[str, Any] = {
        "data": {
            "attributes": {"documentType": "bankAccountStatement"},
            "relationships": {"clients": {"data": [{"id": people.bakery.company_number}]}},
        }
    }
    first = ledgerly.call("POST", path, json=body, headers={KEY: "page"})
    factories.make_document(people.bakery)
    again = ledgerly.call("POST", path, json=body, headers={KEY: "page"})
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    body["data"]["attributes"]["documentType"] = "salesInvoice"
    assert ledgerly.call("POST", path, json=body, headers={KEY: "page"}).status_code == 409
    people.fresh().cancel(acting(people.anna))
    body["data"]["attributes"]["documentType"] = "bankAccountStatement"
    assert ledgerly.call("POST", path, json=body, headers={KEY: "page"}).status_code == 403
