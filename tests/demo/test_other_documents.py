"""Payroll, cards and invoices of the demo: whole XML, amounts that add up."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from lxml import etree
from stdnum.be import iban as belgian_iban
from stdnum.be import vat

from core.document_kinds import BY_TYPE
from demo.data import books, other_documents

TODAY = date(2026, 3, 2)
COMPANIES = books.offices()[0].companies[:12]
ALL = [paper for company in COMPANIES for paper in other_documents.other_documents(company, TODAY)]
NAMES = {
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
}


def xml(paper: other_documents.DemoDocument) -> etree._Element:
    (data,) = paper.files.values()
    return etree.fromstring(data)


def amount(root: etree._Element, path: str) -> Decimal:
    return sum((Decimal(node.text) for node in root.iterfind(path, NAMES)), Decimal(0))


def test_every_company_has_all_four_kinds() -> None:
    assert len(ALL) == 10 * len(COMPANIES)
    assert {paper.kind for paper in ALL} == set(BY_TYPE) - {"bankAccountStatement"}
    assert all(paper.day < TODAY for paper in ALL)


def test_the_booking_of_wages_is_balanced() -> None:
    for paper in ALL:
        if paper.kind == "payrollStatement":
            root = xml(paper)
            assert amount(root, ".//Debit") == amount(root, ".//Credit") > 0


def test_the_expenses_of_a_card_add_up() -> None:
    cards = [paper for paper in ALL if paper.kind == "creditCardStatement"]
    for paper in cards:
        root = xml(paper)
        assert amount(root, ".//Expense/Amount") == amount(root, "Total") > 0


def test_an_invoice_adds_up_and_names_its_parties() -> None:
    invoices = [paper for paper in ALL if paper.kind.endswith("Invoice")]
    assert len(invoices) == 6 * len(COMPANIES)
    for paper in invoices:
        root = xml(paper)
        net = amount(root, "cac:LegalMonetaryTotal/cbc:TaxExclusiveAmount")
        tax = amount(root, "cac:TaxTotal/cbc:TaxAmount")
        assert tax == round(net * 21 / 100, 2)
        assert amount(root, "cac:LegalMonetaryTotal/cbc:PayableAmount") == net + tax
        assert amount(root, "cac:InvoiceLine/cbc:LineExtensionAmount") == net
        parties = root.findall(".//cac:PartyLegalEntity/cbc:CompanyID", NAMES)
        assert len(parties) == 2
        assert all(vat.is_valid(party.text) and party.text.startswith("0010") for party in parties)


def test_an_invoice_begins_with_what_peppol_asks_for_in_its_order() -> None:
    (first, *_rest) = [paper for paper in ALL if paper.kind == "salesInvoice"]
    tags = [etree.QName(node).localname for node in xml(first)]
    assert tags == [
        "CustomizationID", "ProfileID", "ID", "IssueDate", "DueDate", "InvoiceTypeCode",
        "DocumentCurrencyCode", "BuyerReference", "AccountingSupplierParty",
        "AccountingCustomerParty", "PaymentMeans", "TaxTotal", "LegalMonetaryTotal", "InvoiceLine",
    ]  # fmt: skip
    account = xml(first).findtext(".//cac:PayeeFinancialAccount/cbc:ID", namespaces=NAMES)
    assert not belgian_iban.is_valid(account), "no such account can exist"
