"""performance section 3: a call costs a handful of statements, however much it finds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from oauth2_provider.models import AccessToken

from documents.models import DocumentRead
from partners.models import Application
from tests import factories
from tests.conftest import Cast
from tests.factories import CODA, allow
from tests.partner_api.answers import T0

TOKEN = "secret-of-the-test"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def allowed(cast: Cast) -> Cast:
    """Ledgerly is allowed, and has a token."""
    allow(cast.consent, cast.an)
    client_id, _secret = factories.make_application(cast.ledgerly)
    AccessToken.objects.create(
        application=Application.objects.get(client_id=client_id),
        token=TOKEN,
        token_checksum=hashlib.sha256(TOKEN.encode()).hexdigest(),
        expires=timezone.now() + timedelta(minutes=5),
    )
    return cast


def statements(call: Callable[[], Any], status: int) -> int:
    """Count the statements of a call that goes through the middleware."""
    with CaptureQueriesContext(connection) as queries:
        answer = call()
    assert answer.status_code == status, answer.content
    return len(queries)


def search_of(numbers: list[str], limit: int = 100) -> dict[str, Any]:
    return {
        "data": {
            "attributes": {"documentType": "bankAccountStatement"},
            "relationships": {"clients": {"data": [{"id": number} for number in numbers]}},
        },
        "meta": {"paging": {"limit": limit}},
    }


@pytest.mark.parametrize("found", [0, 1, 60])
def test_a_search_costs_four_statements_however_much_it_finds(
    allowed: Cast, client: Browser, found: int
) -> None:
    factories.make_documents(allowed.bakery, [T0 + timedelta(hours=n) for n in range(found)])
    path = f"/codabox-connect/accounting-offices/{allowed.janssens.uuid}/document-searches"
    body = search_of([allowed.bakery.company_number, "0762460580"])
    # Token and consent; clients and cursor; the page; the record of the read.
    assert 0 < statements(lambda: client.post(path, body, "application/json", headers=BEARER), 201) <= 4  # fmt: skip


@pytest.mark.parametrize("accept", ["*/*", CODA])
@pytest.mark.parametrize("formats", [1, 5])
def test_a_document_costs_three_statements(
    allowed: Cast, client: Browser, accept: str, formats: int
) -> None:
    contents = {CODA: b"0" * 128} | {f"application/x-{n}": b"x" for n in range(formats - 1)}
    document = factories.make_document(allowed.bakery, contents=contents)
    path = (
        f"/codabox-connect/accounting-offices/{allowed.janssens.uuid}/clients/"
        f"{allowed.bakery.company_number}/bank-account-statements/{document.uuid}"
    )
    # Token and consent; the document with its formats; the record of the read.
    headers = {**BEARER, "Accept": accept}
    assert 0 < statements(lambda: client.get(path, headers=headers), 200) <= 3
    with factories.every_office():
        assert DocumentRead.objects.filter(document_id=document.pk).count() == 1


def test_a_refusal_costs_two_statements(allowed: Cast, client: Browser) -> None:
    allowed.fresh().cancel(factories.acting(allowed.an))
    path = f"/codabox-connect/accounting-offices/{allowed.janssens.uuid}/document-searches"
    body = search_of([allowed.bakery.company_number])
    assert 0 < statements(lambda: client.post(path, body, "application/json", headers=BEARER), 403) <= 2  # fmt: skip


def test_polling_a_consent_costs_two_statements(allowed: Cast, client: Browser) -> None:
    path = f"/codabox-connect/accounting-office-consents/{allowed.consent.uuid}"
    assert 0 < statements(lambda: client.get(path, headers=BEARER), 200) <= 2


def test_a_call_without_a_good_token_costs_one_statement(allowed: Cast, client: Browser) -> None:
    path = f"/codabox-connect/accounting-office-consents/{allowed.consent.uuid}"
    wrong = {"Authorization": "Bearer wrong"}
    assert statements(lambda: client.get(path, headers=wrong), 401) == 1
    assert statements(lambda: client.get(path), 401) == 0
