"""One document of the office's own: opened as a page, downloaded, and who fetched it."""

from __future__ import annotations

import csv
import io
import uuid
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from consents.scope import ScopeChange, change_scope
from core.document_kinds import PDF, SODA, XML, Kind
from demo.data import books, coda, other_documents
from documents.access_log import Reader, record
from documents.models import DocumentDetails, DocumentRead, Outcome
from documents.storage.blobs import name_of
from tests import factories
from tests.conftest import Cast
from tests.documents.test_document_list import delete_for_retention, page
from tests.documents.test_row_security import end_scope
from tests.factories import CODA, acting, allow
from tests.test_access_matrix import as_person

TODAY = date(2026, 3, 2)
COMPANY = books.offices()[1].companies[0]
CARO = "application/vnd.caro.v1+xml"
KINDS = {
    "payrollStatement": Kind.PAYROLL_STATEMENT,
    "creditCardStatement": Kind.CREDIT_CARD_STATEMENT,
    "purchaseInvoice": Kind.PURCHASE_INVOICE,
    "salesInvoice": Kind.SALES_INVOICE,
}


def statement(number: int = 7, movements: tuple[coda.Movement, ...] = ()) -> coda.Statement:
    day, account = date(2026, 2, 27), "BE68539007547034"
    return coda.Statement(
        account, "DEMOBEBB", "BAKKERIJ", number, day, date(2026, 2, 26), 100_00, movements
    )


STRUCTURED = coda.Movement(1234_56, "Peeters & Zonen", "BE62510007547061", "", "090933755493")
FREE = coda.Movement(-2000_00, "<script>alert(1)</script>", "", "Huur maart")


def filed(cast: Cast, data: bytes | None = None, **fields: Any) -> DocumentDetails:
    """A statement of two movements, unless other bytes are given."""
    told = coda.write(statement(7, (STRUCTURED, FREE)), cast.bakery.company_number)
    contents = fields.pop("contents", {CODA: told if data is None else data, PDF: b"%PDF-1.4 x"})
    return factories.make_filed_document(cast.bakery, contents=contents, number="7", **fields)


def opened(cast: Cast, filing: DocumentDetails, below: str = "", who: str = "anna") -> Any:
    end_scope()
    path = page(cast, f"/documents/{filing.document.uuid}{below}")
    return as_person(getattr(cast, who)).get(path)


@pytest.mark.parametrize("who", ["anna", "bram"])
def test_a_statement_is_a_page_that_people_read(cast: Cast, who: str) -> None:
    answer = opened(cast, filed(cast), who=who)
    assert answer.status_code == 200
    words = " ".join(answer.content.decode().replace("\u00a0", " ").split())
    for told in (
        "Bank account statement 7",
        "BE68 5390 0754 7034",
        "27 February 2026",
        "100.00 EUR",
        "+1,234.56",
        "−2,000.00",
        "1,334.56",
        "−665.44 EUR",
        "Peeters &amp; Zonen",
        "BE62 5100 0754 7061",
        "+++090/9337/55493+++",
        "Huur maart",
        "2 transactions",
    ):
        assert told in words, told
    assert "<script>alert" not in words
    assert words.count("<svg viewBox") == 1
    assert 'aria-labelledby="chart-title chart-more"' in words
    assert "Between −665.44 and 1,334.56." in words


def test_what_is_unusual_about_a_file_stands_on_its_page_in_words(cast: Cast) -> None:
    data = coda.write(statement(7, (STRUCTURED, FREE)), cast.bakery.company_number)
    heading = "What is unusual about this file"
    assert heading not in opened(cast, filed(cast)).content.decode()
    odd = data[:-3] + b"1\r\n"
    words = opened(cast, filed(cast, odd, natural_key="odd")).content.decode()
    assert heading in words
    assert "The trailer does not say rightly whether another statement follows." in words


def test_a_sum_is_opened_into_the_lines_that_it_is_made_of(cast: Cast) -> None:
    from documents.formats import BankStatement, Movement, Party
    from documents.rendering.page import StatementPage

    details = tuple(
        Movement(n, amount, TODAY, None, f"Client {n}")
        for n, amount in enumerate([Decimal(3), Decimal(4)], start=1)
    )
    whole = Movement(1, Decimal(7), TODAY, None, details=details)
    sheet = StatementPage.of(
        BankStatement(
            "BE1", "", "EUR", Party("x"), 1, TODAY, None, Decimal(-3),
            Decimal(4), (whole,),
        )
    )  # fmt: skip
    assert [line.balance for line in sheet.lines] == [4]
    assert (sheet.incoming, sheet.outgoing) == (Decimal(7), Decimal(0))
    assert sheet.chart.zero


@pytest.mark.parametrize("place", range(6))
def test_the_other_kinds_are_pages_too(cast: Cast, place: int) -> None:
    paper = list(other_documents.other_documents(COMPANY, TODAY))[place]
    filing = filed(cast, contents=paper.files, kind=KINDS[paper.kind])
    answer = opened(cast, filing)
    assert answer.context["problem"] == ""
    words = answer.content.decode()
    expected = {
        "payrollStatement": ["Payroll ", "620200", "Bezoldigingen", "0355"],
        "creditCardStatement": ["Credit card statement ", "Demo Cards", "Expenses"],
        "purchaseInvoice": ["Invoice IN-", "Supplier", "Due date", "VAT 21 %", "Amount due"],
        "salesInvoice": ["Invoice 20", "Customer", "Payment reference"],
    }
    for told in expected[paper.kind]:
        assert told in words, told


def test_a_file_that_is_not_what_came_in_says_so_and_is_given_to_nobody(cast: Cast) -> None:
    filing = filed(cast)
    sha256 = filing.document.contents.get(media_type=CODA).sha256
    stored = Path(settings.STORAGES["documents"]["OPTIONS"]["location"]) / name_of(sha256)
    stored.chmod(0o600)
    stored.write_bytes(stored.read_bytes().replace(b"Huur", b"HUUR"))
    answer = opened(cast, filing)
    assert answer.status_code == 200
    assert "The stored file is damaged" in answer.content.decode()
    assert "Huur" not in answer.content.decode()
    answer = opened(cast, filing, f"/files/{CODA}")
    assert answer.status_code == 500
    assert b"HUUR" not in answer.content
    stored.unlink()
    assert "The stored file is damaged" in opened(cast, filing).content.decode()
    assert opened(cast, filing, f"/files/{PDF}").status_code == 200


def test_a_file_that_cannot_be_read_says_why_and_can_be_downloaded(cast: Cast) -> None:
    filing = filed(cast, b"0 this is no CODA\r\n")
    answer = opened(cast, filing)
    assert answer.status_code == 200
    assert "The file cannot be read" in answer.content.decode()
    assert opened(cast, filing, f"/files/{CODA}").content == b"0 this is no CODA\r\n"


def test_a_document_that_is_only_a_paper_says_so(cast: Cast) -> None:
    filing = filed(cast, contents={PDF: b"%PDF-1.4"})
    assert "This document has no structured file" in opened(cast, filing).content.decode()


def test_a_document_that_nobody_described_opens_as_well(cast: Cast) -> None:
    document = factories.make_document(cast.bakery, contents={PDF: b"%PDF-1.4"})
    end_scope()
    path = page(cast, f"/documents/{document.uuid}")
    assert as_person(cast.anna).get(path).status_code == 200
    answer = as_person(cast.anna).get(f"{path}/files/{PDF}")
    assert document.uuid.hex[:8] in answer["Content-Disposition"]


def test_versions_lead_to_each_other(cast: Cast) -> None:
    old = filed(cast, natural_key="same", version=1)
    new = filed(cast, natural_key="same", version=2, contents={})
    words = opened(cast, old).content.decode()
    assert "A newer version has replaced this document: version 2." in words
    assert str(new.document.uuid) in words
    words = opened(cast, new).content.decode()
    assert "A newer version" not in words
    assert str(old.document.uuid) in words


@pytest.mark.requirement(60)
@pytest.mark.parametrize(
    ("media_type", "data", "served"),
    [
        (PDF, b"<html><script>alert(1)</script>", PDF),
        (XML, b"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'/>", XML),
        (CODA, b"0", CODA),
        ("text/html", b"<script>alert(1)</script>", "application/octet-stream"),
    ],
)
def test_a_download_never_runs_as_a_page(
    cast: Cast, media_type: str, data: bytes, served: str
) -> None:
    filing = filed(cast, contents={media_type: data})
    answer = opened(cast, filing, f"/files/{media_type}", who="bram")
    assert answer.status_code == 200
    assert answer.content == data
    assert answer["Content-Type"] == served
    assert answer["Content-Disposition"].startswith("attachment; ")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.requirement(60)
@pytest.mark.parametrize(
    "number", ['a"b', "a\r\nSet-Cookie: x=1", "../../etc/passwd", "\u202egnp.exe", "é€", "x" * 90]
)
def test_a_download_has_a_name_in_plain_letters(cast: Cast, number: str) -> None:
    filing = filed(cast, contents={PDF: b"%PDF"}, kind=Kind.PURCHASE_INVOICE)
    end_scope()
    from core.row_security import every_office

    with every_office():
        DocumentDetails.objects.filter(pk=filing.pk).update(number=number)
    name = opened(cast, filing, f"/files/{PDF}")["Content-Disposition"]
    company = cast.bakery.company_number
    prefix = f'attachment; filename="purchase-invoices_{company}_2026-03-02'
    assert name.startswith(prefix)
    assert name.endswith('.pdf"')
    rest = name.removeprefix(prefix).removesuffix('.pdf"')
    assert rest.replace("_", "").replace("-", "").isalnum() or not rest
    assert len(rest) <= 41


def test_own_looks_are_no_reads_of_software(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    filing = filed(cast)
    for below in ("", f"/files/{CODA}", "/who", "/reads.csv"):
        assert opened(cast, filing, below).status_code == 200
    assert DocumentRead.objects.filter(document_id=filing.pk).count() == 0


def fetched(cast: Cast, filing: DocumentDetails, times: int = 1) -> None:
    reader = Reader(cast.janssens.pk, cast.consent.pk, 1)
    for _time in range(times):
        record(reader, Outcome.SERVED, document_id=filing.pk, media_type=CODA, size=1)


def test_bram_sees_who_may_read_and_who_fetched_this_very_document(cast: Cast) -> None:
    filing, other = filed(cast), filed(cast)
    words = opened(cast, filing, "/who", who="bram").content.decode()
    assert "No software has access." in words
    allow(cast.consent, cast.anna)
    fetched(cast, other)
    words = opened(cast, filing, "/who", who="bram").content.decode()
    assert cast.ledgerly.name in words
    assert "No downloads." in words
    fetched(cast, filing, times=60)
    first = opened(cast, filing, "/who").content.decode()
    assert first.count("<td>CODA") == 50
    sheet = opened(cast, filing, "/reads.csv").content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(sheet)))
    assert len(rows) == 61
    assert {row[3] for row in rows[1:]} == {str(filing.document.uuid)}
    change_scope(cast.fresh(), acting(cast.anna), ScopeChange(kinds_out=("bankAccountStatement",)))
    words = opened(cast, filing, "/who").content.decode()
    assert "No software has access." in words
    assert "<td>CODA" in words, "what was fetched before stays told"


@pytest.mark.parametrize("below", ["", "/who", "/reads.csv", f"/files/{CODA}"])
@pytest.mark.parametrize("who", ["chloe", "dirk"])
def test_strangers_and_operators_open_no_document(cast: Cast, who: str, below: str) -> None:
    """An operator who is no member of the office is a stranger: the same 404, the same words."""
    filing = filed(cast)
    assert opened(cast, filing, below, who=who).status_code == 404
    assert opened(cast, filing, below).status_code == 200


@pytest.mark.parametrize("below", ["", "/who", "/reads.csv", f"/files/{CODA}"])
def test_a_document_is_found_under_its_own_company_only(cast: Cast, below: str) -> None:
    filing = filed(cast)
    shop = factories.make_client(cast.janssens, "Shop")
    theirs = factories.make_client(cast.peeters, "Peeters & Zonen")
    foreign = factories.make_filed_document(theirs, contents={CODA: b"0"})
    anna = as_person(cast.anna)
    end_scope()
    root = f"/offices/{cast.janssens.slug}/companies"
    for company, document in (
        (shop.company_number, filing.document.uuid),
        (cast.bakery.company_number, foreign.document.uuid),
        (theirs.company_number, foreign.document.uuid),
        (cast.bakery.company_number, uuid.uuid4()),
    ):
        assert anna.get(f"{root}/{company}/documents/{document}{below}").status_code == 404


def test_a_deleted_document_shows_its_tombstone(cast: Cast) -> None:
    from core.row_security import every_office

    tombstone = delete_for_retention(cast)
    with every_office():
        cast.bakery.documents.filter(uuid=tombstone.uuid).delete()
    end_scope()
    path = page(cast, f"/documents/{tombstone.uuid}")
    answer = as_person(cast.bram).get(path)
    assert answer.status_code == 410
    assert "ab" * 32 in answer.content.decode()
    assert as_person(cast.chloe).get(path).status_code == 404
    assert as_person(cast.bram).get(f"{path}/files/{SODA}").status_code == 404


def test_a_page_asks_as_often_for_many_movements_and_versions_as_for_few(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    data = coda.write(statement(7, (STRUCTURED, FREE) * 200), cast.bakery.company_number)
    filing = filed(cast, data, natural_key="same", version=1)
    for version in range(2, 12):
        filed(cast, contents={}, natural_key="same", version=version)
    browser = as_person(cast.anna)
    end_scope()
    with django_assert_max_num_queries(18):
        answer = browser.get(page(cast, f"/documents/{filing.document.uuid}"))
    assert answer.content.decode().count('class="cell-balance') == 400
