"""connect-api section 7: every refusal with its code, and bad input that loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from accounts.models import Office
from consents.models import Consent, ConsentActivity
from consents.restore_guard import has_revived_consents
from core.row_security import office_scope
from documents.models import DocumentRead
from partners.models import Partner
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import CODA, acting, allow

pytestmark = pytest.mark.requirement(56)


GATES: list[tuple[str, Callable[[Cast], Any], dict[str, Any]]] = [
    ("consentNotConfirmed", lambda c: c.fresh().cancel(acting(c.anna)), {"portalStatus": "cancelled"}),
    ("consentPaused", lambda c: Consent.objects.filter(pk=c.consent.pk).update(paused_at=Now()), {}),
    ("termsToBeReaccepted", lambda c: Consent.objects.filter(pk=c.consent.pk).update(accept_terms_by=Now()), {}),
    ("partnerSuspended", lambda c: Partner.objects.filter(pk=c.ledgerly.pk).update(status="suspended"), {}),
    ("accountingOfficeSuspended", lambda c: Office.objects.filter(pk=c.janssens.pk).update(is_active=False), {}),
    ("documentTypeNotAllowed", lambda c: Partner.objects.filter(pk=c.ledgerly.pk).update(document_kinds=["salesInvoice"]), {}),
]  # fmt: skip


@pytest.mark.requirement(5)
@pytest.mark.parametrize(("code", "stop", "meta"), GATES, ids=[gate[0] for gate in GATES])
def test_each_gate_has_its_code_and_is_written_down(
    people: Cast, ledgerly: Software, code: str, stop: Callable[[Cast], Any], meta: dict[str, Any]
) -> None:
    allow(people.consent, people.anna)
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


@pytest.mark.requirement(77)
def test_reads_are_counted_exactly(
    people: Cast, ledgerly: Software, rounds: float, record_property: Callable[[str, object], None]
) -> None:
    """Thirty a day, 10,000 with `--rounds 10`."""
    reads = 30 if rounds <= 1 else int(1000 * rounds)
    allow(people.consent, people.anna)
    document = factories.make_document(people.bakery, contents={CODA: b"0" * 128})
    number = people.bakery.company_number
    for n in range(reads):
        ledgerly.document(people.janssens, number, document.uuid, accept=CODA if n % 2 else None)
    people.fresh().cancel(acting(people.anna))
    for _ in range(7):
        ledgerly.document(people.janssens, number, document.uuid)
    activity = ConsentActivity.objects.get(consent=people.consent)
    assert (activity.served, activity.refused) == (reads, 7)
    with office_scope(people.janssens.pk):
        logged = DocumentRead.objects.filter(consent_id=people.consent.pk, outcome="served")
        assert logged.filter(media_type=CODA, size=128).count() == reads // 2
        assert logged.count() == reads
    record_property("measured", f"{reads} reads and 7 refusals, all written down")


MALFORMED = [
    b"", b"{", b"[]", b"null", b"7", b'"x"', b"\xff\xfe", b'{"data": NaN}', b"{'data': 1}",
    b'{"data": {"attributes": {"state": "\x00"}}}', b'{"data": {"attributes": {"state": "\\u0000"}}}',
    b'{"data": {"attributes": {"state": "\\ud800"}}}', b'{"a": "\xc3\x28"}', b"[" * 2000 + b"]" * 2000,
    b'{"data":' * 2000 + b"1" + b"}" * 2000, b'{"\\u0000": 1}',
]  # fmt: skip


@pytest.mark.requirement(54)
@pytest.mark.parametrize("body", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_bodies_are_400_everywhere(people: Cast, ledgerly: Software, body: bytes) -> None:
    allow(people.consent, people.anna)
    for path in (
        "/accounting-office-consents",
        f"/accounting-offices/{people.janssens.uuid}/document-searches",
    ):
        answer = ledgerly.call(
            "POST", path, content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 400
        assert {error["code"] for error in answer.json()["errors"]} <= {
            "malformedBody",
            "validationError",
        }


@pytest.mark.requirement(54)
@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [[]], {"attributes": 5}, {"attributes": []}, {"relationships": {"clients": 1}}, 1e308, 10**30])  # fmt: skip
def test_wrong_types_anywhere_are_400(people: Cast, ledgerly: Software, value: Any) -> None:
    allow(people.consent, people.anna)
    for path in (
        "/accounting-office-consents",
        f"/accounting-offices/{people.janssens.uuid}/document-searches",
    ):
        for body in ({"data": value}, {"data": value, "meta": value}, {"meta": {"paging": value}}):
            answer = ledgerly.call("POST", path, content=_json(body), headers={"Content-Type": "application/json"})  # fmt: skip
            assert answer.status_code == 400
            assert all(error["detail"] for error in answer.json()["errors"])


def _json(body: Any) -> bytes:
    import json

    return json.dumps(body).encode()


def test_a_body_that_is_too_large_is_413(ledgerly: Software) -> None:
    answer = ledgerly.create(state="x" * 2_000_000)
    assert answer.status_code == 413
    assert answer.json()["errors"][0]["code"] == "payloadTooLarge"


def test_a_chunked_body_is_read(people: Cast, ledgerly: Software) -> None:
    number = people.janssens.company_number
    body = _json({"data": {"attributes": {"accountingOfficeCompanyNumber": number}}})

    def chunks() -> Any:
        yield body[:20]
        yield body[20:]

    answer = ledgerly.call(
        "POST",
        "/accounting-office-consents",
        content=chunks(),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 200


def test_a_duplicate_member_does_no_harm(people: Cast, ledgerly: Software) -> None:
    number = people.janssens.company_number
    body = (
        f'{{"data": 1, "data": {{"attributes": {{"accountingOfficeCompanyNumber": "{number}"}}}}}}'
    )
    answer = ledgerly.call(
        "POST",
        "/accounting-office-consents",
        content=body,
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 200


@pytest.mark.requirement(92)
def test_a_call_costs_few_statements(cast: Cast, client: Browser, settings: Any) -> None:
    import hashlib
    from datetime import timedelta

    from django.utils import timezone
    from oauth2_provider.models import AccessToken

    from partners.models import Application

    allow(cast.consent, cast.anna)
    document = factories.make_document(cast.bakery, contents={CODA: b"0" * 128})
    client_id, _secret = factories.make_application(cast.ledgerly)
    AccessToken.objects.create(
        application=Application.objects.get(client_id=client_id),
        token="secret-of-the-test",
        token_checksum=hashlib.sha256(b"secret-of-the-test").hexdigest(),
        expires=timezone.now() + timedelta(minutes=5),
    )
    office = f"/codabox-connect/accounting-offices/{cast.janssens.uuid}"
    number = cast.bakery.company_number
    path = f"{office}/clients/{number}/bank-account-statements/{document.uuid}"
    body = {
        "data": {
            "attributes": {"documentType": "bankAccountStatement"},
            "relationships": {"clients": {"data": [{"type": "client", "id": number}]}},
        }
    }
    bearer = {"Authorization": "Bearer secret-of-the-test"}

    has_revived_consents()  # asked once by each process

    def statements(call: Callable[[], Any], status: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert call().status_code == status
        return len(queries)

    # Each: one for token and consent, and one that records the read. A document's own has the
    # scope of row security in front of it, in the same round trip.
    assert statements(lambda: client.get(path, headers=bearer), 200) == 4
    assert statements(lambda: client.get(path, headers={**bearer, "Accept": CODA}), 200) == 4
    search = f"{office}/document-searches"
    assert statements(lambda: client.post(search, body, content_type="application/json", headers=bearer), 201) == 4  # fmt: skip
