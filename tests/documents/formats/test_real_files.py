"""Real files with real flaws: what was refused once is read, with the right values.

The first half has facts of its own. The second half reads files that lie beside the checkout and
belong to others; it is skipped where they are not there.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from documents.formats import BankStatement, Invoice, ParsedDocument, Party
from documents.formats.file_warnings import Code
from documents.formats.reading import read

pytestmark = pytest.mark.requirement(118)


SAMPLES = Path(__file__).parent / "samples"
INVOICE = (SAMPLES / "invoice.xml").read_text()
BESIDE = Path(__file__).parents[4]
CASES, OFFICIAL = BESIDE / "shared" / "cases", BESIDE / "shared" / "official"
PDF = b"%PDF-1.4\n% factuur\n%%EOF\n"
EMBEDDED = "<cac:AdditionalDocumentReference>"


def change(was: str, now: str, text: str = INVOICE) -> str:
    assert was in text
    return text.replace(was, now)


def invoice(text: str | bytes) -> tuple[Invoice, set[Code]]:
    (parsed,) = read(text if isinstance(text, bytes) else text.encode())
    assert isinstance(parsed.facts, Invoice)
    return parsed.facts, {warning.code for warning in parsed.warnings}


GOOD, _ = invoice(INVOICE)


def attached(name: str, data: bytes, mime: str = "application/pdf", more: str = "") -> str:
    text = base64.b64encode(data).decode()
    return (
        f"<cac:AdditionalDocumentReference><cbc:ID>bijlage</cbc:ID>{more}<cac:Attachment>"
        f'<cbc:EmbeddedDocumentBinaryObject mimeCode="{mime}" filename="{name}">{text}'
        "</cbc:EmbeddedDocumentBinaryObject></cac:Attachment></cac:AdditionalDocumentReference>"
    )


def with_attachments(*attachments: str) -> str:
    """The sample with these in the place of its own."""
    start = INVOICE.index(EMBEDDED)
    end = INVOICE.index("<cac:AccountingSupplierParty>")
    return INVOICE[:start] + "".join(attachments) + INVOICE[end:]


# --- UBL: packing --------------------------------------------------------------------------------


def other_prefixes(text: str) -> bytes:
    prefixed = text.replace("cac:", "ns3:").replace("cbc:", "x:")
    return prefixed.replace("xmlns:cac", "xmlns:ns3").replace("xmlns:cbc", "xmlns:x").encode()


def enveloped(text: str) -> bytes:
    inside = text.split("?>", 1)[1]
    return (
        '<?xml version="1.0" encoding="UTF-8"?><sh:StandardBusinessDocument xmlns:sh="http://www.'
        'unece.org/cefact/namespaces/StandardBusinessDocumentHeader"><sh:StandardBusinessDocument'
        f"Header><sh:HeaderVersion>1.0</sh:HeaderVersion></sh:StandardBusinessDocumentHeader>{inside}"
        "</sh:StandardBusinessDocument>"
    ).encode()


def in_utf_16(codec: str) -> Callable[[str], bytes]:
    return lambda text: text.replace("UTF-8", "UTF-16").encode(codec)


PACKINGS: dict[str, Callable[[str], bytes]] = {
    "a byte order mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16": in_utf_16("utf-16"),
    "UTF-16, big end first": lambda text: b"\xfe\xff" + in_utf_16("utf-16-be")(text),
    "UTF-16 without its mark": in_utf_16("utf-16-le"),
    "Latin-1": lambda text: text.replace("UTF-8", "ISO-8859-1").encode("latin-1"),
    "Windows-1252 without saying so": lambda text: text.encode("cp1252"),
    "other prefixes": other_prefixes,
    "an envelope": enveloped,
    "no line ends": lambda text: " ".join(text.split("\n")).encode(),
    "blank lines before it": lambda text: b"\n" + text.split("?>", 1)[1].encode(),
}


@pytest.mark.parametrize("name", PACKINGS)
def test_an_invoice_packed_in_another_way_says_the_same(name: str) -> None:
    data = PACKINGS[name](INVOICE)
    (parsed,) = read(data)
    assert parsed.facts == GOOD
    assert parsed.data == data
    assert parsed.fingerprint == read(INVOICE.encode())[0].fingerprint


@pytest.mark.parametrize("number", ["0010000007"])
@pytest.mark.parametrize(
    "spelt", ["BE {}", "be{}", "BE0010.000.007", "BE 0010.000.007", "0010.000.007", "010000007"]
)
def test_a_vat_number_in_any_spelling_is_found(number: str, spelt: str) -> None:
    text = INVOICE
    for was in ('schemeID="0208">0010000007', "BE0010000007"):
        text = text.replace(was, 'schemeID="0088">5410000000007' if "schemeID" in was else "VAT")
    text = text.replace(">VAT</cbc:CompanyID>", f">{spelt.format(number)}</cbc:CompanyID>", 1)
    assert invoice(text)[0].supplier.company_number == number


@pytest.mark.parametrize(("scheme", "text"), [
    ("0208", "0010000007"), ("9925", "BE0010000007"), ("9925", "be0010000007"),
    ("9956", "0010000007"),
])  # fmt: skip
def test_a_company_is_found_by_its_peppol_address_alone(scheme: str, text: str) -> None:
    root = etree.fromstring(INVOICE.encode())
    party = next(root.iter("{*}AccountingSupplierParty"))
    for found in list(party.iter("{*}CompanyID")):
        found.getparent().remove(found)
    endpoint = next(party.iter("{*}EndpointID"))
    endpoint.set("schemeID", scheme)
    endpoint.text = text
    facts, warnings = invoice(etree.tostring(root))
    assert facts.supplier == Party(GOOD.supplier.name, "0010000007")
    assert warnings == set()


def test_all_numbers_of_a_company_are_read_and_wrong_ones_warned_of() -> None:
    root = etree.fromstring(INVOICE.encode())
    party = next(root.iter("{*}AccountingSupplierParty"))
    next(party.iter("{*}EndpointID")).text = "0010000106"
    facts, warnings = invoice(etree.tostring(root))
    assert facts.supplier == Party(GOOD.supplier.name, "0010000007", ("0010000106",))
    assert warnings == set()
    for found in party.iter("{*}CompanyID", "{*}EndpointID"):
        found.text = "0010000008"
    facts, warnings = invoice(etree.tostring(root))
    assert facts.supplier.company_number == ""
    assert facts.customer == GOOD.customer
    assert warnings == {Code.ENTERPRISE_NUMBER}


def test_a_price_may_have_any_number_of_decimals() -> None:
    facts, warnings = invoice(change(">12.50<", ">12.50000000000000000001<"))
    assert facts.lines[0].price == Decimal("12.50000000000000000001")
    assert warnings == set()


# --- UBL: attachments ----------------------------------------------------------------------------


def test_every_attachment_is_listed_under_a_name_of_its_own() -> None:
    facts, warnings = invoice(
        with_attachments(
            attached("uren.csv", b"uren;12\n", "text/csv"),
            attached("../../etc/uren.csv", b"uren;13\n", "text/csv"),
            attached("foto.png", b"\x89PNG\r\n", "image/png"),
            attached("", b"x", "no type"),
        )
    )
    found = [(each.name, each.media_type, each.size) for each in facts.attachments]
    assert found == [
        ("uren.csv", "text/csv", 8), ("uren-2.csv", "text/csv", 8), ("foto.png", "image/png", 6),
        ("bijlage", "application/octet-stream", 1),
    ]  # fmt: skip
    assert facts.pdf is None
    assert warnings == {Code.ATTACHMENT}


OTHER = b"%PDF-1.4\n% iets anders\n%%EOF\n"
TYPED = "<cbc:DocumentTypeCode>380</cbc:DocumentTypeCode>"
CHOICES = {
    "by its type code": (attached("a.pdf", OTHER), attached("b.pdf", PDF, more=TYPED)),
    "by its name": (attached("a.pdf", OTHER), attached("Factuur.pdf", PDF)),
    "by the number in its name": (attached("a.pdf", OTHER), attached("F20260042.pdf", PDF)),
    "not the terms": (attached("voorwaarden-F-2026-0042.pdf", OTHER), attached("invoice.pdf", PDF)),
    "not the time sheet": (attached("uren factuur.pdf", OTHER), attached("facture.pdf", PDF)),
    "by the number inside": (
        attached("a.pdf", OTHER), attached("b.pdf", PDF.replace(b"factuur", b"(F-2026/0042)")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHOICES)
def test_the_pdf_that_shows_the_invoice_is_chosen(name: str) -> None:
    for attachments in (CHOICES[name], CHOICES[name][::-1]):
        facts, _warnings = invoice(with_attachments(*attachments))
        assert facts.pdf
        assert facts.pdf.data != OTHER


@pytest.mark.parametrize(
    "attachments",
    [
        (),
        (attached("algemene_voorwaarden.pdf", PDF),),
        (attached("Timesheet.pdf", PDF),),
        (attached("factuur.pdf", b"uren;12\n"),),
        (attached("factuur.pdf", PDF[:12]),),
        (attached("a.pdf", PDF), attached("b.pdf", PDF)),
    ],
)
def test_where_no_pdf_shows_the_invoice_there_is_none(attachments: tuple[str, ...]) -> None:
    assert invoice(with_attachments(*attachments))[0].pdf is None


def test_a_pdf_of_twenty_megabytes_is_taken() -> None:
    large = b"%PDF-1.4\n" + b"%" * (20 * 1024 * 1024) + b"\n%%EOF"
    facts, warnings = invoice(with_attachments(attached("factuur.pdf", large)))
    assert facts.pdf
    assert facts.pdf.size == len(large)
    assert warnings == set()


# --- files of others -----------------------------------------------------------------------------


def case(name: str) -> bytes:
    path = CASES / name
    if not path.exists():
        pytest.skip(f"there is no {path.name} beside the checkout")
    return path.read_bytes()


# Number, day, opening and closing balance, and the warnings.
STATEMENTS: dict[str, tuple[int, date, str, str, set[Code]]] = {
    "coda-blank-last-line.cod": (905, date(2026, 11, 16), "100", "125", {Code.BLANK_LINE}),
    "coda-cp1252-euro.cod": (911, date(2026, 11, 16), "100", "125", {Code.CHARSET}),
    "coda-number-left.cod": (912, date(2026, 11, 16), "100", "125", {Code.ENTERPRISE_NUMBER}),
    "coda-one-number-a-month-1.cod": (11, date(2026, 11, 16), "1000", "1011", set()),
    "coda-one-number-a-month-2.cod": (11, date(2026, 11, 17), "1011", "1023", set()),
    "coda-one-number-a-month-3.cod": (11, date(2026, 11, 18), "1023", "1036", set()),
    "coda-structure-blank.cod": (907, date(2026, 11, 16), "100", "125", {Code.ACCOUNT}),
    "coda-trailer-1.cod": (901, date(2026, 11, 16), "100", "125", {Code.TRAILER_CODE}),
    "coda-utf8.cod": (910, date(2026, 11, 16), "100", "125", {Code.CHARSET}),
    "coda-zero-date.cod": (908, date(2026, 11, 16), "100", "125", {Code.DAY}),
}


def assert_statement(
    parsed: ParsedDocument, expected: tuple[int, date, str, str, set[Code]]
) -> None:
    facts = parsed.facts
    assert isinstance(facts, BankStatement)
    number, day, opening, closing, codes = expected
    assert (facts.number, facts.dated_on) == (number, day)
    assert (facts.opening, facts.closing) == (Decimal(opening), Decimal(closing))
    assert facts.holder == Party("PROEFBEDRIJF", "0010000007")
    assert {warning.code for warning in parsed.warnings} == codes


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_that_failed_once_is_read(name: str) -> None:
    (parsed,) = read(case(name))
    assert_statement(parsed, STATEMENTS[name])


def test_statements_that_a_gateway_joined_are_read() -> None:
    first, second = read(case("coda-concatenated.cod"))
    day = date(2026, 11, 16)
    assert_statement(first, (902, day, "100", "125", {Code.TRAILER_CODE}))
    assert_statement(second, (903, day, "125", "150", set()))


def test_words_come_out_right() -> None:
    euro, accents = (
        read(case(name))[0].facts for name in ("coda-cp1252-euro.cod", "coda-utf8.cod")
    )
    assert isinstance(euro, BankStatement)
    assert isinstance(accents, BankStatement)
    assert euro.movements[0].communication == "Korting 5 €"
    assert accents.movements[0].communication == "Café Crème"


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("ubl-csv-called-pdf.xml", {Code.ATTACHMENT}),
        ("ubl-endpoint-9925.xml", set()),
        ("ubl-price-11-decimals.xml", set()),
    ],
)
def test_an_invoice_that_failed_once_is_read(name: str, codes: set[Code]) -> None:
    facts, warnings = invoice(case(name))
    assert facts.customer.company_number == "0010000007"
    assert facts.supplier.company_number == "0010999996"
    assert facts.issued_on == date(2026, 11, 10)
    assert warnings == codes


def test_the_invoice_with_eight_megabytes_is_read() -> None:
    large = b"%PDF-1.4\n" + b"%" * (8 * 1024 * 1024) + b"\n%%EOF"
    text = case("ubl-csv-called-pdf.xml").decode().replace("uren.csv", "factuur.pdf")
    inside = base64.b64encode(large).decode()
    facts, warnings = invoice(change("dXJlbjsxMgo=", inside, text))
    assert facts.pdf
    assert facts.pdf.data == large
    assert warnings == set()


def test_every_official_example_is_read_and_its_totals_are_what_it_says() -> None:
    if not OFFICIAL.is_dir():
        pytest.skip("there is no shared/official beside the checkout")
    files = sorted(OFFICIAL.glob("*.xml"))
    assert files
    for path in files:
        root = etree.parse(path).getroot()
        facts, _warnings = invoice(path.read_bytes())
        totals = next(root.iter("{*}LegalMonetaryTotal"))
        stated = {
            etree.QName(each).localname: Decimal(each.text) for each in totals.iterchildren("*")
        }
        assert facts.payable == stated["PayableAmount"], path.name
        assert facts.net == stated["TaxExclusiveAmount"], path.name
        assert facts.vat == stated["TaxInclusiveAmount"] - stated["TaxExclusiveAmount"], path.name
        assert facts.number == root.findtext("{*}ID"), path.name
        count = len([*root.iter("{*}EmbeddedDocumentBinaryObject")])
        assert len(facts.attachments) == count, path.name
        assert replace(facts, lines=()) != facts
