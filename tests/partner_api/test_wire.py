"""What clients in the field do that no example shows: each was run against a real portal."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from core.document_kinds import Kind
from documents.storage.blobs import name_of
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import CODA, allow
from tests.partner_api.test_documents import T0, ids

NOBODY = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.parametrize(("method", "status"), [("POST", 401), ("GET", 405)])
def test_a_long_body_that_nobody_reads_does_not_end_the_connection(
    ledgerly: Software, method: str, status: int
) -> None:
    """A search over 5,000 clients with a token that ended: the next call is on the same line."""
    ledgerly.token = "ended"
    path = {"POST": f"/accounting-offices/{NOBODY}/document-searches", "GET": "/oauth2/token"}
    for _ in range(60):
        answer = ledgerly.call(method, path[method], content=b" " * 900_000)
        assert answer.status_code == status


def test_a_long_body_in_chunks_does_not_end_the_connection_either(ledgerly: Software) -> None:
    ledgerly.token = "ended"
    path = f"/accounting-offices/{NOBODY}/document-searches"
    for _ in range(60):
        assert ledgerly.call("POST", path, content=iter([b" " * 450_000] * 2)).status_code == 401


def test_a_compressed_body_is_415(people: Cast, ledgerly: Software) -> None:
    """Told as it is: nobody finds a compressed body behind "the body is not valid JSON"."""
    number = people.janssens.company_number
    body = {"data": {"attributes": {"accountingOfficeCompanyNumber": number}}}
    for encoding, status in (("gzip", 415), ("br", 415), ("Identity", 200), ("", 200)):
        answer = ledgerly.call(
            "POST",
            "/accounting-office-consents",
            json=body,
            headers={"Content-Encoding": encoding},
        )
        assert answer.status_code == status, encoding


def test_a_second_slash_before_the_prefix_is_told_in_json(portal: str) -> None:
    """The address of the portal was set with a slash at its end: the most common mistake."""
    for path in ("//codabox-connect", "///codabox-connect/oauth2/token", "//webhooks/keys"):
        answer = httpx.get(portal + path)
        assert answer.status_code == 404
        assert answer.content.startswith(b'{"errors"')
        assert len(answer.headers.get_list("ibanity-request-id")) == 1


def test_a_field_that_is_no_text_says_nothing_at_the_token_endpoint(ledgerly: Software) -> None:
    for field in ("client_id", "client_secret"):
        answer = ledgerly.http.post(
            "/codabox-connect/oauth2/token",
            data={"grant_type": "client_credentials", field: "\0"},
            auth=(ledgerly.client_id, ledgerly.secret),
        )
        assert answer.status_code == 200, answer.text


def test_the_last_card_statement_of_a_page_is_a_cursor_too(
    people: Cast, ledgerly: Software
) -> None:
    """Software takes the last identifier that it saw, of every kind, and cannot know better."""
    allow(people.consent, people.anna)
    names = [f"CARD{people.bakery.pk}-{n}" for n in range(3)]
    for n, name in enumerate(names):
        factories.make_document(
            people.bakery,
            kind=Kind.CREDIT_CARD_STATEMENT,
            attributes={},
            public_id=name,
            available_at=T0 + timedelta(hours=n),
        )
    foreign = f"FOREIGN{people.bakery.pk}"
    factories.make_document(
        factories.make_client(people.peeters),
        kind=Kind.CREDIT_CARD_STATEMENT,
        attributes={},
        public_id=foreign,
    )
    shared = f"SHARED{people.bakery.pk}"
    for client in (people.bakery, factories.make_client(people.janssens)):
        long_ago = T0 - timedelta(days=800)
        factories.make_document(
            client,
            kind=Kind.CREDIT_CARD_STATEMENT,
            attributes={},
            public_id=shared,
            available_at=long_ago,
        )

    def page(after: str, kind: str = "creditCardStatement") -> httpx.Response:
        paging = {"paging": {"limit": 2, "after": after}}
        numbers = [people.bakery.company_number]
        return ledgerly.search(people.janssens, numbers, meta=paging, documentType=kind)

    assert ids(page(names[0])) == names[1:]
    assert ids(page(names[2])) == []
    for strange in (foreign, "CARD", "", shared):
        assert page(strange).status_code == 400
    assert page(names[0], "bankAccountStatement").status_code == 400


def test_a_file_that_is_lost_is_told_before_it_begins(people: Cast, ledgerly: Software) -> None:
    """Many clients look at nothing: half an answer, or none, would be saved as the file."""
    allow(people.consent, people.anna)
    data = f"lost {people.bakery.pk}".encode() * 30_000
    document = factories.make_document(people.bakery, contents={CODA: data})
    folder = settings.STORAGES["documents"]["OPTIONS"]["location"]
    (Path(folder) / name_of(sha256(data).hexdigest())).unlink()
    for headers in ({}, {"Range": "bytes=5-9"}):
        answer = ledgerly.document(
            people.janssens, people.bakery.company_number, document.uuid, CODA, headers=headers
        )
        assert answer.status_code == 500
        assert answer.json()["errors"][0]["code"] == "internalError"
