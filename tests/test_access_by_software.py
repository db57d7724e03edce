"""Every path of the API × every caller: Ledgerly (allowed), Tally (never asked), no token."""

from __future__ import annotations

import json
import uuid
from typing import Any, NamedTuple

import pytest
from django.test import Client as Browser
from django.urls import reverse

from documents.models import Document
from tests import factories
from tests.conftest import Cast
from tests.factories import CODA, allow
from tests.test_access_matrix import urls
from tests.visitors import as_software, tables

CALLERS = ("Ledgerly", "Tally", "no token")


class Door(NamedTuple):
    """One call, and the status each of the callers gets."""

    url: str
    method: str
    expected: tuple[int, int, int]
    accept: str = ""


DOORS = (
    Door("root", "GET", (200, 200, 200)),
    Door("token", "GET", (405, 405, 405)),
    Door("token", "POST", (400, 400, 400)),
    Door("revoke", "GET", (405, 405, 405)),
    Door("revoke", "POST", (401, 401, 401)),
    Door("consents", "POST", (400, 400, 401)),
    Door("consent", "GET", (200, 404, 401)),
    Door("consent", "HEAD", (200, 404, 401)),
    Door("document_searches", "POST", (201, 404, 401)),
    Door("document", "GET", (200, 404, 401)),
    Door("document", "HEAD", (200, 404, 401)),
    Door("document", "GET", (200, 404, 401), CODA),
    Door("nothing", "GET", (404, 404, 404)),
    Door("nothing", "POST", (404, 404, 404)),
    # The last one: Ledgerly gives up access.
    Door("consent", "DELETE", (204, 404, 401)),
)
VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


@pytest.fixture
def statement(cast: Cast) -> Document:
    """A statement of the bakery, which Ledgerly may read."""
    allow(cast.consent, cast.an)
    return factories.make_document(
        cast.bakery, attributes={"iban": "BE47CANARY"}, contents={CODA: b"0000CANARY"}
    )


def callers(cast: Cast) -> dict[str, Browser]:
    partners = (cast.ledgerly, cast.tally, None)
    return {who: as_software(p) for who, p in zip(CALLERS, partners, strict=True)}


def path_of(name: str, cast: Cast, document: object) -> str:
    if name == "nothing":
        return "/codabox-connect/nowhere"
    identifiers = {
        "consent": [cast.consent.uuid],
        "document_searches": [cast.janssens.uuid],
        "document": [
            *(cast.janssens.uuid, cast.bakery.company_number),
            *("bank-account-statements", document),
        ],
    }
    return reverse(f"partner_api:{name}", args=identifiers.get(name, []))


def call(caller: Browser, door: Door, path: str, cast: Cast) -> Any:
    body: Any = {}
    if door.url == "document_searches":
        clients = {"data": [{"type": "client", "id": cast.bakery.company_number}]}
        body = {
            "data": {
                "type": "documentSearch",
                "attributes": {"documentType": "bankAccountStatement"},
                "relationships": {"clients": clients},
            }
        }
    if door.url == "consents":
        body = {"data": {"type": "accountingOfficeConsent", "attributes": {}}}
    headers = {"Accept": door.accept} if door.accept else {}
    content_type = "application/json"
    if door.url in ("token", "revoke"):
        body, content_type = "", "application/x-www-form-urlencoded"
    return caller.generic(
        door.method,
        path,
        body if isinstance(body, str) else json.dumps(body),
        content_type,
        headers=headers,
    )


def canaries(cast: Cast) -> list[str]:
    return [
        *(cast.janssens.name, cast.ledgerly.name, "D'Hondt", cast.an.email),
        *("software.example", "CANARY", str(cast.janssens.company_number)),
    ]


def test_every_path_of_the_api_has_a_door() -> None:
    listed = {f"partner_api:{door.url}" for door in DOORS}
    assert listed == {name for name, _path in urls() if name.startswith("partner_api:")}


def test_each_caller_gets_what_the_contract_gives(cast: Cast, statement: Document) -> None:
    by = callers(cast)
    for door in DOORS:
        path = path_of(door.url, cast, statement.uuid)
        # Strangers first, so that Ledgerly's own calls cannot be what refuses them.
        got = {who: call(by[who], door, path, cast).status_code for who in reversed(CALLERS)}
        assert got == dict(zip(CALLERS, door.expected, strict=True)), door


@pytest.mark.parametrize("who", ["Tally", "no token"])
def test_a_stranger_reads_and_moves_nothing_by_any_verb(
    cast: Cast, statement: Document, who: str
) -> None:
    stranger = callers(cast)[who]
    before = tables()
    for door in DOORS:
        path = path_of(door.url, cast, statement.uuid)
        for verb in VERBS:
            answer = call(stranger, door._replace(method=verb), path, cast)
            said = b"".join(answer) if answer.streaming else answer.content
            text = said.decode("latin-1") + repr(sorted(answer.headers.items()))
            assert [word for word in canaries(cast) if word in text] == [], (door, verb)
            assert answer.status_code < 500, (door, verb)
    assert tables() == before
    assert cast.fresh().status == "allowed"


def test_the_canaries_are_there_to_be_found(cast: Cast, statement: Document) -> None:
    """Ledgerly does see them, so the search above looks for the right words."""
    ledgerly = as_software(cast.ledgerly)
    path = path_of("document", cast, statement.uuid)
    assert b"BE47CANARY" in ledgerly.get(path).content
    own = ledgerly.get(path_of("consent", cast, None)).content.decode()
    assert cast.janssens.company_number in own


def alike(answer: Any, *identifiers: object) -> tuple[int, str, list[tuple[str, str]]]:
    """The answer without what differs in any two: the request's id, and the identifiers asked."""
    text = answer.content.decode()
    for identifier in identifiers:
        text = text.replace(str(identifier), "ID")
    headers = [(k, v) for k, v in answer.headers.items() if k != "ibanity-request-id"]
    return answer.status_code, text, sorted(headers)


@pytest.mark.parametrize("verb", ["GET", "DELETE", "POST", "PUT"])
def test_foreign_and_unknown_consents_answer_tally_alike(cast: Cast, verb: str) -> None:
    tally, unknown = as_software(cast.tally), uuid.uuid4()
    base = "/codabox-connect/accounting-office-consents"
    foreign = tally.generic(verb, f"{base}/{cast.consent.uuid}")
    other = tally.generic(verb, f"{base}/{unknown}")
    assert alike(foreign, cast.consent.uuid) == alike(other, unknown)


def test_foreign_and_unknown_offices_answer_tally_alike(cast: Cast, statement: Document) -> None:
    tally, unknown = as_software(cast.tally), uuid.uuid4()
    for name in ("document_searches", "document"):
        door = next(door for door in DOORS if door.url == name)
        path = path_of(name, cast, statement.uuid)
        foreign = call(tally, door, path, cast)
        other = call(tally, door, path.replace(str(cast.janssens.uuid), str(unknown)), cast)
        assert foreign.status_code == 404
        assert alike(foreign, cast.janssens.uuid) == alike(other, unknown)


def test_foreign_and_unknown_documents_answer_ledgerly_alike(
    cast: Cast, statement: Document
) -> None:
    """A statement of Peeters, asked for under Janssens, which Ledgerly may read."""
    ledgerly, unknown = as_software(cast.ledgerly), uuid.uuid4()
    theirs = factories.make_client(cast.peeters)
    foreign_statement = factories.make_document(theirs)
    own = path_of("document", cast, foreign_statement.uuid)
    for path in (own, own.replace(cast.bakery.company_number, theirs.company_number)):
        foreign = ledgerly.get(path)
        other = ledgerly.get(path.replace(str(foreign_statement.uuid), str(unknown)))
        assert foreign.status_code == 404
        assert alike(foreign, foreign_statement.uuid) == alike(other, unknown)
