"""connect-api section 6: documents and their formats, over real HTTP."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from documents.models import Kind
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import CODA
from tests.partner_api.answers import DATA, PDF, ids


def test_the_bytes_are_untouched(people: Cast, reader: Software, statement: Any) -> None:
    number = people.bakery.company_number
    answer = reader.document(people.janssens, number, statement.uuid, accept=CODA)
    assert (answer.status_code, answer.content) == (200, DATA)
    assert answer.headers["Content-Type"] == CODA
    assert answer.headers["Content-Length"] == str(len(DATA))
    assert answer.headers["ETag"] == f'"{hashlib.sha256(DATA).hexdigest()}"'
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize(
    ("accept", "got"),
    [(None, "json"), ("*/*", "json"), ("application/*", "json"), ("application/json", "json"),
     (PDF, PDF), (CODA, CODA), (f"{PDF};q=0.3, {CODA};q=0.9", CODA), (f"text/html, {PDF}", PDF),
     (f"{CODA};q=0, {PDF}", PDF), (f"*/*;q=0.1, {PDF};q=0.2", PDF),
     ("text/html", 406), ("application/xml", 406), ("text/html, image/*", 406)],
)  # fmt: skip
def test_accept_picks_the_format(
    people: Cast, reader: Software, statement: Any, accept: str | None, got: Any
) -> None:
    number = people.bakery.company_number
    reader.http.headers.pop("Accept", None)
    answer = reader.document(people.janssens, number, statement.uuid, accept=accept)
    if got == 406:
        assert answer.status_code == 406
        assert answer.json()["errors"][0]["code"] == "notAcceptable"
        return
    assert answer.status_code == 200
    wanted = "application/vnd.api+json" if got == "json" else got
    assert answer.headers["Content-Type"] == wanted


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-0", 0, 1), ("bytes=10-19", 10, 20), ("bytes=1270-", 1270, 1280), ("bytes=-5", 1275, 1280), ("bytes=1270-99999", 1270, 1280)],
)  # fmt: skip
def test_a_range_gives_its_part(
    people: Cast, reader: Software, statement: Any, asked: str, start: int, end: int
) -> None:
    answer = reader.document(
        people.janssens,
        people.bakery.company_number,
        statement.uuid,
        accept=CODA,
        headers={"Range": asked},
    )
    assert (answer.status_code, answer.content) == (206, DATA[start:end])
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/1280"


@pytest.mark.parametrize("asked", ["bytes=1280-", "bytes=99999-", "bytes=-0"])
def test_a_range_beyond_the_end_is_416(
    people: Cast, reader: Software, statement: Any, asked: str
) -> None:
    answer = reader.document(
        people.janssens,
        people.bakery.company_number,
        statement.uuid,
        accept=CODA,
        headers={"Range": asked},
    )
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == "bytes */1280"
    assert answer.content.startswith(b'{"errors"')


@pytest.mark.parametrize("asked", ["bytes=5-1", "bytes=a-b", "lines=1-2", "bytes=0-1,5-6", "bytes=-"])  # fmt: skip
def test_a_range_we_do_not_read_gives_the_whole(
    people: Cast, reader: Software, statement: Any, asked: str
) -> None:
    answer = reader.document(
        people.janssens,
        people.bakery.company_number,
        statement.uuid,
        accept=CODA,
        headers={"Range": asked},
    )
    assert (answer.status_code, answer.content) == (200, DATA)


def test_head_and_etag(people: Cast, reader: Software, statement: Any) -> None:
    number = people.bakery.company_number
    path = (
        f"/accounting-offices/{people.janssens.uuid}/clients/{number}"
        f"/bank-account-statements/{statement.uuid}"
    )
    head = reader.call("HEAD", path, headers={"Accept": CODA})
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(DATA))
    same = reader.call("GET", path, headers={"Accept": CODA, "If-None-Match": head.headers["ETag"]})
    assert (same.status_code, same.content) == (304, b"")


def test_a_document_of_another_client_office_kind_or_none_is_404(
    people: Cast, reader: Software, statement: Any
) -> None:
    number = people.bakery.company_number
    other = factories.make_client(people.janssens)
    theirs = factories.make_client(people.peeters)
    foreign = factories.make_document(theirs, contents={CODA: DATA})
    answers = [
        reader.document(people.janssens, other.company_number, statement.uuid),
        reader.document(people.janssens, number, foreign.uuid),
        reader.document(people.janssens, theirs.company_number, foreign.uuid),
        reader.document(people.janssens, number, statement.uuid, kind="sales-invoices"),
        reader.document(people.janssens, number, statement.uuid, kind="letters"),
        reader.document(people.peeters, theirs.company_number, foreign.uuid),
        reader.document(people.janssens, number, "0f8fad5b-d9cb-469f-a165-70867728950e"),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


def test_malformed_identifiers_in_the_path_are_400(people: Cast, reader: Software) -> None:
    number = people.bakery.company_number
    wrong = reader.document(people.janssens, number, "x")
    path = f"/accounting-offices/x/clients/{number}/bank-account-statements/x"
    for answer in (wrong, reader.call("GET", path)):
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["code"] == "invalidParameter"


@pytest.mark.parametrize(
    ("kind", "path", "attributes", "date"),
    [(Kind.PAYROLL_STATEMENT, "payroll-statements", {"socialOfficeId": "S1"}, "createdAt"),
     (Kind.CREDIT_CARD_STATEMENT, "credit-card-statements",
      {"bankName": "B", "billingPeriod": "2026-01", "clientReference": "R"}, "receivedAt"),
     (Kind.SALES_INVOICE, "sales-invoices", {"invoicingSoftware": "I"}, "createdAt"),
     (Kind.PURCHASE_INVOICE, "purchase-invoices", {"availableContentTypes": ["application/xml"]},
      "receivedAt")],
)  # fmt: skip
def test_every_kind_is_searched_and_read(
    people: Cast, reader: Software, kind: Kind, path: str, attributes: Any, date: str
) -> None:
    card = kind == Kind.CREDIT_CARD_STATEMENT
    document = factories.make_document(
        people.bakery,
        kind=kind,
        attributes=attributes,
        contents={"application/xml": b"<x/>"},
        public_id=f"AB/{people.bakery.pk}".replace("/", "-") if card else None,
    )
    number = people.bakery.company_number
    names = {
        "payroll-statements": "payrollStatement",
        "credit-card-statements": "creditCardStatement",
        "sales-invoices": "salesInvoice",
        "purchase-invoices": "purchaseInvoice",
    }
    answer = reader.search(people.janssens, [number], documentType=names[path])
    public = document.public_id or str(document.uuid)
    assert ids(answer) == [public]
    read = reader.document(people.janssens, number, public, kind=path).json()["data"]
    assert read == answer.json()["included"]["documents"][0]
    assert set(read["attributes"]) == {*attributes, date}
    xml = reader.document(people.janssens, number, public, kind=path, accept="application/xml")
    assert xml.content == b"<x/>"


def test_soda_is_also_plain_xml(people: Cast, reader: Software) -> None:
    soda = "application/vnd.soda.v1+xml"
    document = factories.make_document(
        people.bakery,
        kind=Kind.PAYROLL_STATEMENT,
        attributes={"socialOfficeId": "S"},
        contents={soda: b"<soda/>"},
    )
    for accept in (soda, "application/xml"):
        answer = reader.document(
            people.janssens,
            people.bakery.company_number,
            document.uuid,
            kind="payroll-statements",
            accept=accept,
        )
        assert answer.content == b"<soda/>"
        assert answer.headers["Content-Type"] == accept
