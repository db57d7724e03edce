"""The files inside an invoice: kept, listed, and fetched by name by the office and by software."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest

from core.document_kinds import PDF, XML, Kind
from core.row_security import every_office, office_scope
from documents.models import Attachment, DeletionRecord, Document, DocumentRead
from documents.retention import delete_for_retention
from documents.storage.blobs import name_of, storage
from documents.storage.garbage_collection import remove_unreferenced
from tests import factories
from tests.conftest import Cast, Software
from tests.documents import examples
from tests.documents.examples import company_of, papers_of, take_files
from tests.documents.test_retention import aged
from tests.factories import allow
from tests.test_access_matrix import as_person

INVOICE_PDF = b"%PDF-1.4\n% the invoice\n%%EOF\n"
SHEET = b"naam;uren\nEmile;12\n"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def attached(name: str, data: bytes, media_type: str) -> str:
    name = escape(name, {'"': "&quot;", "\r": "&#13;"})
    return (
        f"<cac:AdditionalDocumentReference><cbc:ID>{name}</cbc:ID><cac:Attachment>"
        f'<cbc:EmbeddedDocumentBinaryObject mimeCode="{media_type}" filename="{name}">'
        f"{base64.b64encode(data).decode()}</cbc:EmbeddedDocumentBinaryObject>"
        "</cac:Attachment></cac:AdditionalDocumentReference>"
    )


def invoice_with(client: Any, *attachments: str, bought: bool = True) -> Document:
    """An invoice of the client, filed."""
    start = "<cac:AccountingSupplierParty>"
    data = examples.invoice(company_of(client), bought=bought).replace(
        start.encode(), ("".join(attachments) + start).encode(), 1
    )
    assert take_files({"a.xml": data}).refused == []
    with every_office():
        return Document.objects.filter(client=client).latest("pk")


@pytest.fixture
def invoice(people: Cast) -> Document:
    return invoice_with(
        people.bakery,
        attached("factuur.pdf", INVOICE_PDF, PDF),
        attached("uren.csv", SHEET, "text/csv"),
        attached("uren.csv", b"PK\x03\x04 sheet", XLSX),
    )


@pytest.fixture
def reader(people: Cast, ledgerly: Software) -> Software:
    """Ledgerly, allowed."""
    allow(people.consent, people.anna)
    return ledgerly


def page_of(people: Cast, document: Document, below: str = "") -> Any:
    path = f"/offices/{people.janssens.slug}/companies/{people.bakery.company_number}"
    return as_person(people.anna).get(f"{path}/documents/{document.uuid}{below}")


def asked(
    reader: Software, people: Cast, document: Document, below: str = "", **options: Any
) -> Any:
    number, kind = people.bakery.company_number, "purchase-invoices"
    return reader.document(people.janssens, number, f"{document.uuid}{below}", kind=kind, **options)


def reads_of(document: Document) -> list[tuple[str, str, str, int]]:
    with every_office():
        rows = DocumentRead.objects.filter(document_id=document.pk).order_by("pk")
        return list(rows.values_list("outcome", "media_type", "attachment", "size"))


def test_anna_sees_each_by_its_name_and_downloads_it(people: Cast, invoice: Document) -> None:
    words = page_of(people, invoice).content.decode()
    for name in ("factuur.pdf", "uren.csv", "uren-2.csv"):
        assert f"/attachments/{name}" in words
    answer = page_of(people, invoice, "/attachments/uren.csv")
    assert (answer.status_code, answer.content) == (200, SHEET)
    assert answer["Content-Type"] == "text/csv"
    assert answer["Content-Disposition"] == 'attachment; filename="uren.csv"'
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert page_of(people, invoice, "/attachments/uren-3.csv").status_code == 404
    # The one that shows the invoice is its PDF.
    assert papers_of(people.bakery) == [INVOICE_PDF]


def test_the_file_that_was_opened_is_named_in_the_history(people: Cast, invoice: Document) -> None:
    page_of(people, invoice, "/attachments/uren.csv")
    page_of(people, invoice, "/attachments/uren-2.csv")
    looks = page_of(people, invoice, "/who").content.decode().split('id="looks"')[1]
    for name in ("uren.csv", "uren-2.csv"):
        assert looks.count(f">{name}</span>") == 1


def test_a_document_without_any_says_nothing_of_them(people: Cast) -> None:
    document = invoice_with(people.bakery)
    assert "/attachments/" not in page_of(people, document).content.decode()


@pytest.mark.requirement(60)
@pytest.mark.parametrize("name", ["x.html", "x.svg", "x"])
def test_what_could_run_in_a_browser_is_only_bytes(people: Cast, name: str) -> None:
    document = invoice_with(
        people.bakery, attached(name, b"<script>alert(1)</script>", "text/html")
    )
    answer = page_of(people, document, f"/attachments/{name}")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/octet-stream")
    assert answer["Content-Disposition"].startswith("attachment; ")


@pytest.mark.requirement(60)
@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("../../etc/passwd", "passwd"),
        ('a"b\r.csv', "a-b-.csv"),
        ("Ürenstaat März.csv", "Ürenstaat März.csv"),
        ("x" * 300 + ".csv", "x" * 116 + ".csv"),
        ("50% & <more>?.csv", "50- - -more-.csv"),
    ],
)
def test_a_hostile_name_is_safe_and_leads_back_to_its_file(
    people: Cast, reader: Software, name: str, saved: str
) -> None:
    document = invoice_with(people.bakery, attached(name, SHEET, "text/csv"))
    with every_office():
        kept = Attachment.objects.get(document=document).name
    assert kept == saved
    assert not set(kept) & set('/\\"<>\r\n?%')
    below = f"/attachments/{quote(kept)}"
    assert page_of(people, document, below).content == SHEET
    assert asked(reader, people, document, below).content == SHEET


def test_ledgerly_lists_and_fetches_them(people: Cast, reader: Software, invoice: Document) -> None:
    answer = asked(reader, people, invoice, "/attachments")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/vnd.api+json"
    assert answer.json()["data"][1] == {
        "type": "attachment",
        "id": "uren.csv",
        "attributes": {"name": "uren.csv", "mediaType": "text/csv", "size": len(SHEET)},
    }
    assert [one["id"] for one in answer.json()["data"]] == ["factuur.pdf", "uren.csv", "uren-2.csv"]
    got = asked(reader, people, invoice, "/attachments/uren.csv")
    assert (got.status_code, got.content) == (200, SHEET)
    assert got.headers["Content-Type"] == "text/csv"
    assert got.headers["Content-Disposition"] == 'attachment; filename="uren.csv"'
    assert got.headers["ETag"] == f'"{hashlib.sha256(SHEET).hexdigest()}"'
    assert "sandbox" in got.headers["Content-Security-Policy"]
    known = {"If-None-Match": got.headers["ETag"]}
    assert asked(reader, people, invoice, "/attachments/uren.csv", headers=known).status_code == 304
    part = {"Range": "bytes=5-8"}
    cut = asked(reader, people, invoice, "/attachments/uren.csv", headers=part)
    assert (cut.status_code, cut.content) == (206, SHEET[5:9])
    assert asked(reader, people, invoice, "/attachments/none").status_code == 404
    assert asked(reader, people, invoice, "/attachments/a%00b").status_code == 404


def test_one_is_a_format_of_the_document_too(
    people: Cast, reader: Software, invoice: Document
) -> None:
    types = asked(reader, people, invoice).json()["data"]["attributes"]["availableContentTypes"]
    assert types == sorted([PDF, XML, "text/csv", XLSX])
    for accept in ("text/csv", "text/*", "image/png, text/csv;q=0.5"):
        got = asked(reader, people, invoice, accept=accept)
        assert (got.status_code, got.content) == (200, SHEET)
    assert asked(reader, people, invoice, accept=PDF).content == INVOICE_PDF
    assert asked(reader, people, invoice, accept="image/png").status_code == 406


@pytest.mark.requirement(77)
def test_each_read_is_written_down_with_the_name(
    people: Cast, reader: Software, invoice: Document
) -> None:
    asked(reader, people, invoice, "/attachments/uren.csv")
    assert reads_of(invoice) == [("served", "text/csv", "uren.csv", len(SHEET))]
    assert "uren.csv" in page_of(people, invoice, "/who").content.decode()
    assert b"uren.csv" in page_of(people, invoice, "/reads.csv").content


@pytest.mark.parametrize("below", ["/attachments", "/attachments/uren.csv"])
def test_software_that_may_not_read_the_document_reads_none_of_them(
    people: Cast, ledgerly: Software, invoice: Document, below: str
) -> None:
    assert asked(ledgerly, people, invoice, below).status_code == 403
    allow(people.consent, people.anna)
    assert asked(ledgerly, people, invoice, below).status_code == 200
    other = factories.make_client(people.janssens, "Slagerij")
    answer = ledgerly.document(
        people.janssens, other.company_number, f"{invoice.uuid}{below}", kind="purchase-invoices"
    )
    assert answer.status_code == 404


def test_row_security_shows_them_to_their_office_only(people: Cast, invoice: Document) -> None:
    for office, seen in ((people.janssens, 3), (people.peeters, 0)):
        with office_scope(office.pk):
            assert Attachment.objects.filter(document=invoice.pk).count() == seen
    assert Attachment.objects.filter(document=invoice.pk).count() == 0


def test_one_of_20_mb_is_kept_whole(people: Cast, reader: Software) -> None:
    large = b"\x00\x01" * (10 * 1024 * 1024)
    document = invoice_with(people.bakery, attached("plan.bin", large, "application/x-plan"))
    got = asked(reader, people, document, "/attachments/plan.bin")
    assert got.headers["Content-Length"] == str(len(large))
    assert hashlib.sha256(got.content).digest() == hashlib.sha256(large).digest()


def test_a_file_with_a_thousand_of_them_is_refused(people: Cast) -> None:
    start = "<cac:AccountingSupplierParty>"
    many = attached("a.csv", SHEET, "text/csv") * 1_000
    data = examples.invoice(company_of(people.bakery)).replace(
        start.encode(), (many + start).encode(), 1
    )
    ((_name, refused),) = take_files({"a.xml": data}).refused
    assert "more than 500 attachments" in refused.detail


def test_their_bytes_stay_as_long_as_the_document(people: Cast, invoice: Document) -> None:
    digest = hashlib.sha256(SHEET).hexdigest()
    assert remove_unreferenced([digest]) == 0
    while delete_for_retention():
        pass  # what other tests left
    aged(people.bakery, Kind.PURCHASE_INVOICE, 120)
    assert delete_for_retention() == 1
    with every_office():
        assert not Attachment.objects.filter(document_id=invoice.pk).exists()
        hashes = DeletionRecord.objects.get(uuid=invoice.uuid).hashes
    assert hashes["uren.csv"] == digest
    with every_office():
        still_named = Attachment.objects.filter(sha256=digest).exists()
    assert still_named or not storage().exists(name_of(digest))
