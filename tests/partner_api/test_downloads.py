"""connect-api section 6: the bytes of a document, and nothing else in their place."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from documents.models import Document, Kind
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import CODA
from tests.partner_api.answers import DATA, PDF, SOME_ID, errors

SODA = "application/vnd.soda.v1+xml"
CARO = "application/vnd.caro.v1+xml"


def fetch(
    people: Cast, reader: Software, document: Document, accept: str | None = CODA, **headers: str
) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return reader.document(
        people.janssens, people.bakery.company_number, document.uuid, accept=accept, headers=named
    )


@pytest.mark.parametrize("size", [0, 1, 127, 65_535, 65_536, 65_537, 262_144, 262_145, 1_500_000])
def test_a_document_of_any_size_arrives_byte_for_byte(
    people: Cast, reader: Software, size: int
) -> None:
    data = (hashlib.sha256(str(size).encode()).digest() * (size // 32 + 1))[:size]
    document = factories.make_document(people.bakery, contents={CODA: data})
    answer = fetch(people, reader, document)
    assert (answer.status_code, answer.headers["Content-Length"]) == (200, str(size))
    assert answer.content == data
    assert answer.headers["ETag"] == f'"{hashlib.sha256(data).hexdigest()}"'


def test_the_json_of_a_document_says_its_length_and_comes_with_head_too(
    people: Cast, reader: Software, statement: Document
) -> None:
    got = fetch(people, reader, statement, None)
    assert int(got.headers["Content-Length"]) == len(got.content)
    path = got.request.url.path.removeprefix("/codabox-connect")
    head = reader.call("HEAD", path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("Content-Type", "Content-Length"):
        assert head.headers[name] == got.headers[name]


def test_the_file_name_says_what_it_is_of_whom_and_when(
    people: Cast, reader: Software, statement: Document
) -> None:
    for accept, ending in ((CODA, "cod"), (PDF, "pdf")):
        disposition = fetch(people, reader, statement, accept).headers["Content-Disposition"]
        name = disposition.removeprefix("attachment; filename=").strip('"')
        assert name.startswith(f"bankAccountStatement_{people.bakery.company_number}_")
        assert name.endswith(f".{ending}")
        assert "/" not in name


def test_a_file_that_is_a_web_page_cannot_run_as_one(people: Cast, reader: Software) -> None:
    page = b"<script>alert(1)</script>"
    document = factories.make_document(people.bakery, contents={PDF: page})
    answer = fetch(people, reader, document, PDF)
    assert answer.content == page
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("missing", [False, True])
def test_an_error_of_a_download_is_recognisable_whatever_was_asked_for(
    people: Cast, reader: Software, statement: Document, missing: bool
) -> None:
    for accept in (CODA, PDF, SODA, "text/html", "*/*", "image/png"):
        if missing:
            answer = reader.document(
                people.janssens, people.bakery.company_number, SOME_ID, accept=accept
            )
            assert answer.status_code == 404
        else:
            reader.token = "expired"
            answer = fetch(people, reader, statement, accept)
            assert answer.status_code == 401
        assert answer.content.startswith(b'{"errors"')
        assert answer.headers["Content-Type"] == "application/vnd.api+json"
        assert "Content-Disposition" not in answer.headers


@pytest.mark.parametrize(
    ("accept", "got"),
    [("application/vnd.api+json", "json"), ("application/json, */*;q=0.1", "json"),
     (f"{CODA}, */*;q=0.1", CODA), (f"{CODA};q=0.5, application/json;q=0.4", CODA),
     (f"{CODA};q=0.4, application/json;q=0.5", "json"), (f"{CODA}, {PDF};q=0.9", CODA),
     (PDF.upper(), PDF), (f"{PDF};q=0", 406), (f"{PDF};q=0, {CODA}", CODA),
     ("application/xml, text/plain", 406), (SODA, 406), ("application/vnd.coda.v2+cod", 406),
     ("image/*", 406), ("text/html, application/xhtml+xml, */*;q=0.8", "json"), ("", "json")],
)  # fmt: skip
def test_the_preferred_format_is_given(
    people: Cast, reader: Software, statement: Document, accept: str, got: Any
) -> None:
    reader.http.headers["Accept"] = accept
    answer = fetch(people, reader, statement, None)
    if got == 406:
        assert (answer.status_code, errors(answer)) == (406, [("notAcceptable", None)])
        assert CODA in answer.json()["errors"][0]["detail"]
    else:
        assert answer.status_code == 200
        wanted = "application/vnd.api+json" if got == "json" else got
        assert answer.headers["Content-Type"] == wanted


def test_a_format_the_document_does_not_have_is_406(people: Cast, reader: Software) -> None:
    document = factories.make_document(people.bakery, contents={CODA: DATA})
    assert fetch(people, reader, document, PDF).status_code == 406
    bare = factories.make_document(people.bakery)
    assert fetch(people, reader, bare).status_code == 406
    assert fetch(people, reader, bare, None).status_code == 200


@pytest.mark.parametrize("template", ["{}", "W/{}", '"x", {}'])
def test_a_file_that_is_known_already_is_not_sent_again(
    people: Cast, reader: Software, statement: Document, template: str
) -> None:
    etag = fetch(people, reader, statement).headers["ETag"]
    same = fetch(people, reader, statement, If_None_Match=template.format(etag))
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", etag)
    other = fetch(people, reader, statement, If_None_Match='"0"')
    assert (other.status_code, other.content) == (200, DATA)
    # The tag is of one format, so it never stands for another.
    assert fetch(people, reader, statement, PDF, If_None_Match=etag).status_code == 200


def test_a_range_is_only_given_of_the_file_it_was_begun_with(
    people: Cast, reader: Software, statement: Document
) -> None:
    etag = fetch(people, reader, statement).headers["ETag"]
    part = fetch(people, reader, statement, Range="bytes=5-9", If_Range=etag)
    assert (part.status_code, part.content) == (206, DATA[5:10])
    assert part.headers["Content-Length"] == "5"
    assert part.headers["ETag"] == etag
    whole = fetch(people, reader, statement, Range="bytes=5-9", If_Range='"older"')
    assert (whole.status_code, whole.content) == (200, DATA)


def test_a_download_can_be_resumed_in_pieces(people: Cast, reader: Software) -> None:
    data = bytes(range(256)) * 700
    document = factories.make_document(people.bakery, contents={CODA: data})
    got = b""
    while len(got) < len(data):
        answer = fetch(people, reader, document, Range=f"bytes={len(got)}-{len(got) + 49_999}")
        assert answer.status_code == 206
        got += answer.content
    assert got == data


@pytest.mark.parametrize("asked", ["bytes=" + "9" * 19 + "-", "bytes=0-" + "9" * 30, "bytes=" + "0-1," * 2000 + "0-1", "bytes=--5", "bytes=0x1-2"])  # fmt: skip
def test_a_strange_range_never_crashes(
    people: Cast, reader: Software, statement: Document, asked: str
) -> None:
    answer = fetch(people, reader, statement, Range=asked)
    assert answer.status_code in (200, 416)
    assert answer.content == DATA if answer.status_code == 200 else errors(answer)


def test_a_range_of_the_json_gives_the_whole(
    people: Cast, reader: Software, statement: Document
) -> None:
    answer = fetch(people, reader, statement, None, Range="bytes=0-3")
    assert answer.status_code == 200
    assert answer.json()["data"]["id"] == str(statement.uuid)


def test_many_may_read_one_file_at_the_same_time(
    people: Cast, reader: Software, statement: Document
) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _n: fetch(people, reader, statement), range(40)))
    assert {answer.content for answer in answers} == {DATA}


def test_a_purchase_invoice_comes_in_the_formats_it_lists(people: Cast, reader: Software) -> None:
    contents = {
        PDF: b"%PDF",
        "application/xml": b"<x/>",
        "image/jpeg": b"\xff\xd8",
        "text/csv": b"a",
    }
    document = factories.make_document(
        people.bakery,
        kind=Kind.PURCHASE_INVOICE,
        attributes={"availableContentTypes": sorted(contents)},
        contents=contents,
    )
    number = people.bakery.company_number

    def get(accept: str | None) -> httpx.Response:
        return reader.document(
            people.janssens, number, document.uuid, accept=accept, kind="purchase-invoices"
        )

    listed = get(None).json()["data"]["attributes"]["availableContentTypes"]
    assert listed == sorted(contents)
    for media_type in listed:
        answer = get(media_type)
        assert (answer.status_code, answer.content) == (200, contents[media_type])
        assert answer.headers["Content-Type"] == media_type
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert get("image/png").status_code == 406


def test_a_payroll_statement_as_plain_xml_is_the_soda(people: Cast, reader: Software) -> None:
    document = factories.make_document(
        people.bakery,
        kind=Kind.PAYROLL_STATEMENT,
        attributes={"socialOfficeId": "S"},
        contents={SODA: b"<soda/>", PDF: b"%PDF"},
    )
    number = people.bakery.company_number
    answers = [
        reader.document(
            people.janssens, number, document.uuid, accept=accept, kind="payroll-statements"
        )
        for accept in (SODA, "application/xml")
    ]
    assert {answer.content for answer in answers} == {b"<soda/>"}
    assert len({answer.headers["ETag"] for answer in answers}) == 1


@pytest.mark.parametrize("public_id", ["CARD-2026.01_A", "1", "a b", "é€", "x" * 64, "%41", "a+b", "0f8fad5b-d9cb-469f-a165-70867728950e"])  # fmt: skip
def test_a_credit_card_statement_is_named_by_a_text(
    people: Cast, reader: Software, public_id: str
) -> None:
    document = factories.make_document(
        people.bakery,
        kind=Kind.CREDIT_CARD_STATEMENT,
        attributes={"bankName": "B", "billingPeriod": "2026-01", "clientReference": "R"},
        contents={CARO: b"<caro/>"},
        public_id=public_id,
    )
    number = people.bakery.company_number
    options = {"kind": "credit-card-statements"}
    wire = httpx.URL("http://x/").copy_with(path=f"/{public_id}").raw_path.decode()[1:]
    wire = wire.replace("%41", "%2541") if public_id == "%41" else wire
    read = reader.document(people.janssens, number, wire, **options)
    assert read.json()["data"]["id"] == public_id
    caro = reader.document(people.janssens, number, wire, accept=CARO, **options)
    assert caro.content == b"<caro/>"
    # Its own UUID is for the cursor, not for the path.
    assert reader.document(people.janssens, number, document.uuid, **options).status_code == 404
    longer = reader.document(people.janssens, number, f"{wire}x", **options)
    assert longer.status_code == 404
