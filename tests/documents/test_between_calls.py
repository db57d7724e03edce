"""A cancel between any two calls of a client stops the next one, whatever it holds in its hands."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from core.document_kinds import Kind
from tests import factories
from tests.conftest import Cast, Software
from tests.documents.test_stop import STOPS
from tests.factories import CODA, allow

pytestmark = pytest.mark.requirement(1, 7)


GOOD = {200, 201, 206, 304}


def whole_day_of_a_client(software: Software, people: Cast) -> list[Any]:
    """What software does in a day, each call with what the one before gave it."""
    office, number = people.janssens, people.bakery.company_number
    first, second = (
        factories.make_document(people.bakery, contents={CODA: b"0" * 256}) for _ in "12"
    )
    invoice = factories.make_document(
        people.bakery,
        kind=Kind.SALES_INVOICE,
        attributes={"invoicingSoftware": "x"},
        contents={"application/xml": b"<Invoice/>"},
    )
    held: dict[str, Any] = {}

    def page_one() -> httpx.Response:
        answer = software.search(office, [number], meta={"paging": {"limit": 1}})
        held["after"] = (
            answer.json().get("meta", {}).get("paging", {}).get("after", str(first.uuid))
        )
        return answer

    def page_two() -> httpx.Response:
        return software.search(office, [number], meta={"paging": held_cursor()})

    def held_cursor() -> dict[str, Any]:
        return {"limit": 1, "after": held.get("after", str(first.uuid))}

    def file() -> httpx.Response:
        answer = software.document(office, number, first.uuid, accept=CODA)
        held["etag"] = answer.headers.get("ETag", "none")
        return answer

    def with_header(**headers: str) -> httpx.Response:
        return software.document(office, number, first.uuid, accept=CODA, headers=headers)

    def head() -> httpx.Response:
        path = (
            f"/accounting-offices/{office.uuid}/clients/{number}"
            f"/bank-account-statements/{second.uuid}"
        )
        return software.call("HEAD", path, headers={"Accept": CODA})

    return [
        page_one,
        page_two,
        lambda: software.document(office, number, first.uuid),
        file,
        lambda: with_header(Range="bytes=10-19"),
        lambda: with_header(**{"If-None-Match": held.get("etag", "none")}),
        lambda: with_header(Range="bytes=10-19", **{"If-Range": held.get("etag", "none")}),
        head,
        lambda: software.search(office, [number], documentType="salesInvoice"),
        lambda: software.document(
            office, number, invoice.uuid, accept="application/xml", kind="sales-invoices"
        ),
        page_two,
    ]


@pytest.mark.parametrize("after", range(1, 12))
def test_a_cancel_after_any_call_stops_all_that_follow(
    people: Cast, ledgerly: Software, after: int
) -> None:
    allow(people.consent, people.anna)
    day = whole_day_of_a_client(ledgerly, people)
    assert len(day) == 11
    for place, call in enumerate(day):
        answer = call()
        if place < after:
            # So far the office allows it.
            assert answer.status_code in GOOD, (place, answer.text)
        else:
            assert answer.status_code == 403, (place, answer.text)
            assert b"0000" not in answer.content
        if place == after - 1:
            STOPS["cancel"](people)


def test_a_cancel_before_the_first_call_stops_them_all(people: Cast, ledgerly: Software) -> None:
    allow(people.consent, people.anna)
    day = whole_day_of_a_client(ledgerly, people)
    STOPS["cancel"](people)
    assert {call().status_code for call in day} == {403}
