"""connect-api section 7: bad input gets a clear error and loses nothing."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from documents.models import Document
from tests.conftest import Cast, Software
from tests.factories import allow
from tests.partner_api.answers import SOME_ID, errors

CONSENTS = "/accounting-office-consents"

MALFORMED = [
    b"", b"{", b"[]", b"null", b"7", b'"x"', b"\xff\xfe", b'{"data": NaN}', b"{'data': 1}",
    b'{"data": {"attributes": {"state": "\x00"}}}', b'{"data": {"attributes": {"state": "\\u0000"}}}',
    b'{"data": {"attributes": {"state": "\\ud800"}}}', b'{"a": "\xc3\x28"}', b"[" * 2000 + b"]" * 2000,
    b'{"data":' * 2000 + b"1" + b"}" * 2000, b'{"\\u0000": 1}',
]  # fmt: skip


@pytest.mark.parametrize("body", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_bodies_are_400_everywhere(people: Cast, ledgerly: Software, body: bytes) -> None:
    allow(people.consent, people.an)
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


@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [[]], {"attributes": 5}, {"attributes": []}, {"relationships": {"clients": 1}}, 1e308, 10**30])  # fmt: skip
def test_wrong_types_anywhere_are_400(people: Cast, ledgerly: Software, value: Any) -> None:
    allow(people.consent, people.an)
    for path in (
        "/accounting-office-consents",
        f"/accounting-offices/{people.janssens.uuid}/document-searches",
    ):
        for body in ({"data": value}, {"data": value, "meta": value}, {"meta": {"paging": value}}):
            answer = ledgerly.call("POST", path, content=_json(body), headers={"Content-Type": "application/json"})  # fmt: skip
            assert answer.status_code == 400
            assert all(error["detail"] for error in answer.json()["errors"])


def _json(body: Any) -> bytes:
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


@pytest.mark.parametrize("client", ["%00", "0762460580%00", "x" * 3000, "%F0%9F%98%80", "%ff", "..", "%2e%2e", "%2F", "' or 1=1 --", "%25"])  # fmt: skip
def test_a_strange_client_in_the_path_is_404(
    people: Cast, reader: Software, statement: Document, client: str
) -> None:
    answer = reader.document(people.janssens, client, statement.uuid)
    assert (answer.status_code, errors(answer)) == (404, [("notFound", None)])


@pytest.mark.parametrize("document", ["%00", "a%00b", "x" * 3000, "%F0%9F%98%80", "%ff", "%2F", "' or 1=1 --"])  # fmt: skip
def test_a_strange_document_in_the_path_is_400_or_404(
    people: Cast, reader: Software, document: str
) -> None:
    number = people.bakery.company_number
    for kind in ("bank-account-statements", "credit-card-statements", "%00"):
        answer = reader.document(people.janssens, number, document, kind=kind)
        assert answer.status_code in (400, 404)
        assert {code for code, _pointer in errors(answer)} <= {"notFound", "invalidParameter"}


@pytest.mark.parametrize("identifier", ["x", "0f8fad5bd9cb469fa16570867728950e", "{0f8fad5b-d9cb-469f-a165-70867728950e}", "urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e", "0f8fad5b-d9cb-469f-a165-70867728950g", "0f8fad5b-d9cb-469f-a165-70867728950e%20", "%00", "０f8fad5b-d9cb-469f-a165-70867728950e"])  # fmt: skip
def test_an_identifier_that_is_no_uuid_is_400_wherever_it_stands(
    people: Cast, reader: Software, identifier: str
) -> None:
    number = people.bakery.company_number
    office = f"/accounting-offices/{identifier}"
    for method, path in (
        ("GET", f"/accounting-office-consents/{identifier}"),
        ("DELETE", f"/accounting-office-consents/{identifier}"),
        ("POST", f"{office}/document-searches"),
        ("GET", f"{office}/clients/{number}/bank-account-statements/{SOME_ID}"),
    ):
        answer = reader.call(method, path)
        assert (answer.status_code, errors(answer)) == (400, [("invalidParameter", None)])


@pytest.mark.parametrize("state", ["\0", "a\0b", "\ud800", "\udfff x"])
def test_text_that_cannot_be_stored_is_400_and_loses_nothing(
    people: Cast, ledgerly: Software, state: str
) -> None:
    number = people.janssens.company_number
    body = _json(
        {"data": {"attributes": {"accountingOfficeCompanyNumber": number, "state": state}}}
    )
    answer = ledgerly.call(
        "POST", CONSENTS, content=body, headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, errors(answer)) == (400, [("malformedBody", None)])
    assert people.fresh().state == ""


def test_a_name_that_cannot_be_stored_is_400(people: Cast, reader: Software) -> None:
    path = f"/accounting-offices/{people.janssens.uuid}/document-searches"
    for number in ("\0", "0762460580\0"):
        answer = reader.search(people.janssens, [number])
        assert (answer.status_code, errors(answer)) == (400, [("malformedBody", None)])
    assert reader.call("POST", path, json={"data": {"x\0": 1}}).status_code == 400


@pytest.mark.parametrize("number", ["0100509123 ", " 0100509123", "0100509123\n", "０１００５０９１２３", "01005091２3", "2100509123", "0000000000", "BE 0100.509.123", "be0100509123", "0" * 5000, "0100509123.0", None])  # fmt: skip
def test_a_number_that_is_written_otherwise_is_400(ledgerly: Software, number: Any) -> None:
    answer = ledgerly.create(accountingOfficeCompanyNumber=number)
    pointer = "/data/attributes/accountingOfficeCompanyNumber"
    assert (answer.status_code, errors(answer)) == (400, [("validationError", pointer)])


def test_a_large_chunked_body_is_413(people: Cast, ledgerly: Software) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"data": "'
        for _ in range(40):
            yield b"x" * 50_000
        yield b'"}'

    answer = ledgerly.call(
        "POST", CONSENTS, content=chunks(), headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, errors(answer)) == (413, [("payloadTooLarge", None)])


def test_the_largest_body_that_is_allowed_is_read(people: Cast, reader: Software) -> None:
    path = f"/accounting-offices/{people.janssens.uuid}/document-searches"
    search = {
        "attributes": {"documentType": "bankAccountStatement"},
        "relationships": {"clients": {"data": [{"id": "1"}]}},
    }
    body = _json({"data": search, "filler": ""})
    filler = "x" * (1024 * 1024 - len(body))
    fits = _json({"data": search, "filler": filler})
    json_type = {"Content-Type": "application/json"}
    assert len(fits) == 1024 * 1024
    assert reader.call("POST", path, content=fits, headers=json_type).status_code == 201
    assert reader.call("POST", path, content=fits + b" ", headers=json_type).status_code == 413


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_large_body_where_none_is_expected_does_no_harm(
    people: Cast, ledgerly: Software, method: str
) -> None:
    answer = ledgerly.call(method, "/nowhere", content=b"x" * 3_000_000)
    assert answer.status_code == 404
    path = f"/accounting-office-consents/{people.consent.uuid}"
    assert ledgerly.call("GET", path).status_code == 200


def test_a_body_that_ends_early_changes_nothing(people: Cast, ledgerly: Software) -> None:
    number = people.janssens.company_number
    body = _json({"data": {"attributes": {"accountingOfficeCompanyNumber": number, "state": "s"}}})
    host, port = ledgerly.http.base_url.host, ledgerly.http.base_url.port
    with socket.create_connection((host, port), timeout=10) as wire:
        wire.sendall(
            b"POST /codabox-connect/accounting-office-consents HTTP/1.1\r\n"
            + f"Host: {host}:{port}\r\nAuthorization: Bearer {ledgerly.token}\r\n".encode()
            + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            + body[:-3]
        )
        wire.shutdown(socket.SHUT_WR)
        first_line = wire.recv(4096).partition(b"\r\n")[0]
    assert b" 20" not in first_line
    assert people.fresh().state == ""
