"""connect-api section 7: every refusal with its code."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models.functions import Now

from accounts.models import Office
from accounts.tenancy import office_scope
from consents.models import Consent, ConsentActivity
from documents.models import DocumentRead
from partners.models import Partner
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import CODA, acting, allow
from tests.partner_api.answers import SOME_ID, errors

GATES: list[tuple[str, Callable[[Cast], Any], dict[str, Any]]] = [
    ("consentNotConfirmed", lambda c: c.fresh().cancel(acting(c.an)), {"portalStatus": "cancelled"}),
    ("consentPaused", lambda c: Consent.objects.filter(pk=c.consent.pk).update(paused_at=Now()), {}),
    ("termsToBeReaccepted", lambda c: Consent.objects.filter(pk=c.consent.pk).update(reaccept_by=Now()), {}),
    ("partnerSuspended", lambda c: Partner.objects.filter(pk=c.ledgerly.pk).update(status="suspended"), {}),
    ("accountingOfficeSuspended", lambda c: Office.objects.filter(pk=c.janssens.pk).update(is_active=False), {}),
    ("documentTypeNotAllowed", lambda c: Partner.objects.filter(pk=c.ledgerly.pk).update(document_kinds=["salesInvoice"]), {}),
]  # fmt: skip


@pytest.mark.parametrize(("code", "stop", "meta"), GATES, ids=[gate[0] for gate in GATES])
def test_each_gate_has_its_code_and_is_written_down(
    people: Cast, ledgerly: Software, code: str, stop: Callable[[Cast], Any], meta: dict[str, Any]
) -> None:
    allow(people.consent, people.an)
    document = factories.make_document(people.bakery, contents={CODA: b"0"})
    number = people.bakery.company_number
    assert ledgerly.document(people.janssens, number, document.uuid).status_code == 200
    stop(people)
    for answer in (
        ledgerly.search(people.janssens, [number]),
        ledgerly.document(people.janssens, number, document.uuid, accept=CODA),
    ):
        assert answer.status_code == 403
        (error,) = answer.json()["errors"]
        assert error["code"] == code
        assert error.get("meta", {}) == meta
        assert error["detail"]
    activity = ConsentActivity.objects.get(consent=people.consent)
    assert (activity.served, activity.refused) == (1, 2)
    with office_scope(people.janssens.pk):
        refusals = DocumentRead.objects.filter(consent_id=people.consent.pk, outcome="refused")
        assert [read.reason for read in refusals] == [code, code]


@pytest.mark.parametrize("status", ["to_be_determined", "denied", "cancelled"])
def test_a_consent_that_is_not_confirmed_says_how_it_stands(
    people: Cast, ledgerly: Software, status: str
) -> None:
    document = factories.make_document(people.bakery, contents={CODA: b"0"})
    if status == "denied":
        people.consent.deny(acting(people.an))
    elif status == "cancelled":
        allow(people.consent, people.an)
        people.fresh().cancel(acting(people.an))
    number = people.bakery.company_number
    for answer in (
        ledgerly.search(people.janssens, [number]),
        ledgerly.document(people.janssens, number, document.uuid),
        ledgerly.document(people.janssens, number, document.uuid, accept=CODA),
        ledgerly.document(people.janssens, number, SOME_ID),
    ):
        assert answer.status_code == 403
        assert answer.content.startswith(b'{"errors"')
        (error,) = answer.json()["errors"]
        assert (error["code"], error["meta"]) == ("consentNotConfirmed", {"portalStatus": status})


def test_a_new_request_after_a_cancel_gives_no_access(people: Cast, ledgerly: Software) -> None:
    allow(people.consent, people.an)
    people.fresh().cancel(acting(people.an))
    ledgerly.create(accountingOfficeCompanyNumber=people.janssens.company_number)
    answer = ledgerly.search(people.janssens, [people.bakery.company_number])
    assert answer.status_code == 403
    assert answer.json()["errors"][0]["meta"] == {"portalStatus": "to_be_determined"}


def test_a_pause_that_is_over_and_a_deadline_to_come_stop_nobody(
    people: Cast, ledgerly: Software
) -> None:
    allow(people.consent, people.an)
    Consent.objects.filter(pk=people.consent.pk).update(
        paused_at=Now() - timedelta(days=2),
        paused_until=Now() - timedelta(seconds=1),
        reaccept_by=Now() + timedelta(days=1),
    )
    assert ledgerly.search(people.janssens, [people.bakery.company_number]).status_code == 201


def test_the_first_failing_reason_is_told_in_a_fixed_order(
    people: Cast, ledgerly: Software
) -> None:
    allow(people.consent, people.an)
    number = people.bakery.company_number

    def code() -> str:
        return str(ledgerly.search(people.janssens, [number]).json()["errors"][0]["code"])

    for expected, stop, _meta in [GATES[5], GATES[2], GATES[1], GATES[0], GATES[4], GATES[3]]:
        stop(people)
        assert code() == expected


def test_a_kind_that_is_not_registered_is_refused_and_the_others_are_not(
    people: Cast, ledgerly: Software
) -> None:
    allow(people.consent, people.an)
    Partner.objects.filter(pk=people.ledgerly.pk).update(document_kinds=["salesInvoice"])
    number = people.bakery.company_number
    granted = ledgerly.search(people.janssens, [number], documentType="salesInvoice")
    refused = ledgerly.search(people.janssens, [number], documentType="payrollStatement")
    assert (granted.status_code, refused.status_code) == (201, 403)
    assert errors(refused) == [("documentTypeNotAllowed", None)]


def test_an_office_that_was_never_asked_cannot_be_told_from_none(
    people: Cast, ledgerly: Software
) -> None:
    allow(people.consent, people.an)
    theirs = factories.make_client(people.peeters)
    document = factories.make_document(theirs, contents={CODA: b"0"})
    nowhere = people.peeters.__class__(uuid=uuid4())
    answers = [
        answer
        for office in (people.peeters, nowhere)
        for answer in (
            ledgerly.search(office, [theirs.company_number]),
            ledgerly.search(office, [], documentType="nonsense"),
            ledgerly.document(office, theirs.company_number, document.uuid),
            ledgerly.document(office, theirs.company_number, document.uuid, accept=CODA),
            ledgerly.document(office, theirs.company_number, document.uuid, accept="text/html"),
        )
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert errors(answers[0]) == [("notFound", None)]


def test_reads_are_counted_exactly(people: Cast, ledgerly: Software) -> None:
    allow(people.consent, people.an)
    document = factories.make_document(people.bakery, contents={CODA: b"0" * 128})
    number = people.bakery.company_number
    for n in range(30):
        ledgerly.document(people.janssens, number, document.uuid, accept=CODA if n % 2 else None)
    people.fresh().cancel(acting(people.an))
    for _ in range(7):
        ledgerly.document(people.janssens, number, document.uuid)
    activity = ConsentActivity.objects.get(consent=people.consent)
    assert (activity.served, activity.refused) == (30, 7)
    with office_scope(people.janssens.pk):
        reads = DocumentRead.objects.filter(consent_id=people.consent.pk, outcome="served")
        assert reads.filter(media_type=CODA, size=128).count() == 15
        assert reads.count() == 30
