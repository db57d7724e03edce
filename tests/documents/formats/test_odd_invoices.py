"""Invoices as programs write them: what leaves no doubt about the money is taken, with a warning."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from decimal import Decimal

import pytest

from documents.formats import Reason, Refused
from documents.formats.file_warnings import Code
from documents.formats.parties import number_in
from documents.formats.reading import read
from tests.documents.formats.test_real_files import (
    GOOD,
    INVOICE,
    PDF,
    attached,
    change,
    invoice,
    with_attachments,
)

pytestmark = pytest.mark.requirement(118)

Packing = Callable[[str], str | bytes]
START = "<cac:AccountingSupplierParty>"


def amounts(name: str, became: str) -> Callable[[str], str]:
    """The same on every amount of this name; `became` may use the amount as {}."""
    found = re.compile(rf"(<cbc:{name}[^>]*>)([0-9.]+)(</cbc:{name}>)")

    def put(text: str) -> str:
        assert found.search(text)
        return found.sub(lambda hit: hit[1] + became.format(hit[2]) + hit[3], text)

    return put


# What stands around an invoice, or names its charset, is no content of it.
AROUND: dict[str, Packing] = {
    "a blank line before all": lambda text: "\r\n" + text,
    "two byte order marks": lambda text: "\ufeff\ufeff" + text,
    "a blank before the byte order mark": lambda text: " \ufeff" + text,
    "a blank line in UTF-16": lambda text: ("\n" + text).encode("utf-16"),
    "an end mark of DOS": lambda text: text + "\x1a",
    "NULs that fill a block": lambda text: text.encode() + bytes(64),
    "blanks behind": lambda text: text + "  \n\n\t",
}
CALLED = ("ISO8859-1", "latin1", "ISO-8859-15", "Windows-1254", "IBM858", "macintosh")
SPELT: dict[str, tuple[Callable[[str], str], set[Code]]] = {
    "currencies in small letters": (lambda text: text.replace('"EUR"', '"eur"'), {Code.SPELLING}),
    "the currency in small letters": (lambda text: text.replace("EUR", "eur"), {Code.SPELLING}),
    "a blank behind each currency": (lambda text: text.replace('"EUR"', '"EUR "'), {Code.SPELLING}),
    "a day with its time": (
        lambda text: re.sub(r"(<cbc:IssueDate>[0-9-]+)", r"\1T00:00:00+01:00", text), set(),
    ),
    "prices as floating numbers": (amounts("PriceAmount", "{}E0"), set()),
    "prices with sixty decimals": (amounts("PriceAmount", "{}" + "0" * 60), set()),
    "no sum of the lines": (
        lambda text: re.sub(
            r"(<cac:LegalMonetaryTotal>\s*)<cbc:LineExtensionAmount.*?</cbc:LineExtensionAmount>",
            r"\1", text,
        ),
        {Code.MISSING_PART},
    ),
    "no gross amount": (
        lambda text: re.sub(r"<cbc:TaxInclusiveAmount.*?</cbc:TaxInclusiveAmount>", "", text),
        {Code.MISSING_PART},
    ),
    "an empty amount that may be missing": (
        lambda text: text.replace(
            "<cbc:PayableAmount",
            '<cbc:PayableRoundingAmount currencyID="EUR"/><cbc:PayableAmount',
        ),
        set(),
    ),
    "the VAT said twice": (
        lambda text: text.replace(
            "<cac:LegalMonetaryTotal>",
            '<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">22.65</cbc:TaxAmount></cac:TaxTotal>'
            "<cac:LegalMonetaryTotal>",
        ),
        {Code.MISSING_PART},
    ),
}  # fmt: skip
# What a line says is not the money of the document: its own amount counts.
ON_A_LINE: dict[str, tuple[Callable[[str], str], set[Code]]] = {
    "empty prices": (amounts("PriceAmount", ""), {Code.MISSING_PART}),
    "prices with a comma": (amounts("PriceAmount", "12,5"), {Code.SPELLING, Code.MISSING_PART}),
    "quantities in words": (amounts("InvoicedQuantity", "een"), {Code.SPELLING, Code.MISSING_PART}),
    "empty quantities": (amounts("InvoicedQuantity", ""), {Code.MISSING_PART}),
}


@pytest.mark.parametrize("name", AROUND)
def test_what_stands_around_an_invoice_changes_nothing(name: str) -> None:
    packed = AROUND[name](INVOICE)
    facts, codes = invoice(packed)
    assert facts == GOOD
    assert codes == set()
    data = packed if isinstance(packed, bytes) else packed.encode()
    assert read(data)[0].fingerprint == read(INVOICE.encode())[0].fingerprint


@pytest.mark.parametrize("name", CALLED)
def test_a_charset_is_known_by_any_of_its_names(name: str) -> None:
    facts, codes = invoice(INVOICE.replace("UTF-8", name).encode(name))
    assert (facts, codes) == (GOOD, set())


@pytest.mark.parametrize("name", SPELT)
def test_an_amount_that_leaves_no_doubt_is_taken(name: str) -> None:
    spell, expected = SPELT[name]
    assert spell(INVOICE) != INVOICE
    facts, codes = invoice(spell(INVOICE))
    assert facts == GOOD
    assert codes == expected


@pytest.mark.parametrize("name", ON_A_LINE)
def test_a_line_that_cannot_be_reckoned_keeps_its_amount(name: str) -> None:
    spell, expected = ON_A_LINE[name]
    facts, codes = invoice(spell(INVOICE))
    assert [line.net for line in facts.lines] == [line.net for line in GOOD.lines]
    assert (facts.payable, facts.vat_groups) == (GOOD.payable, GOOD.vat_groups)
    assert expected <= codes <= {*expected, Code.LINE_AMOUNT}


def test_lines_with_three_decimals_may_be_rounded_and_no_more() -> None:
    one = '<cbc:LineExtensionAmount currencyID="EUR">{}</cbc:LineExtensionAmount>'
    found = re.findall(r"LineExtensionAmount currencyID=\"EUR\">([0-9.]+)<", INVOICE)
    # The first of two that are the same is the sum of the lines, or the lines stand behind it.
    line = found[-1]
    head, _, tail = INVOICE.rpartition(one.format(line))
    rounded = f"{head}{one.format(line + '4')}{tail}"
    facts, codes = invoice(rounded)
    assert (facts.payable, codes) == (GOOD.payable, {Code.DECIMALS})
    with pytest.raises(Refused) as refused:
        invoice(f"{head}{one.format(Decimal(line) + Decimal('0.015'))}{tail}")
    assert refused.value.reason == Reason.TOTALS


def test_an_invoice_of_the_type_of_a_credit_note_is_money_back() -> None:
    facts, codes = invoice(change(">380<", ">381<"))
    assert facts.is_credit_note
    assert codes == {Code.UNKNOWN_CODE}
    assert not GOOD.is_credit_note


@pytest.mark.parametrize(
    "text",
    [
        "0208:0010000007", "iso6523-actorid-upis::0208:0010000007", "9925:BE0010000007",
        "BTW BE 0010.000.007", "TVA: BE 0010.000.007", "KBO nr. 0010 000 007", "be0010000007",
    ],
)  # fmt: skip
def test_a_number_is_found_behind_its_title(text: str) -> None:
    assert number_in(text) == "0010000007"
    scheme = ' schemeID="0208"' if "0208" in text else ""
    endpoint = re.compile(r"<cbc:EndpointID[^>]*>[^<]*</cbc:EndpointID>")
    supplier, customer = INVOICE.split("<cac:AccountingCustomerParty>")
    bare = re.sub(r"<cbc:CompanyID.*?</cbc:CompanyID>", "", customer)
    bare = endpoint.sub(f"<cbc:EndpointID{scheme}>{text}</cbc:EndpointID>", bare)
    facts, _codes = invoice(f"{supplier}<cac:AccountingCustomerParty>{bare}")
    assert facts.customer.company_number == "0010000007"


@pytest.mark.parametrize("text", ["0010000008", "NL0010000007B01", "XX BE 0010000007", "BTW", ""])
def test_what_is_no_number_of_here_is_none(text: str) -> None:
    assert number_in(text) == ""


# --- attachments ---------------------------------------------------------------------------------

WRITTEN = base64.b64encode(PDF * 3).decode()


@pytest.mark.parametrize(
    "text",
    [WRITTEN.rstrip("="), f"data:application/pdf;base64,{WRITTEN}",
     base64.urlsafe_b64encode(PDF * 3).decode()],
    ids=["no filling", "URL of data", "letters of URLs"],
)  # fmt: skip
def test_an_attachment_in_an_odd_base64_is_what_it_is(text: str) -> None:
    plain = attached("paper.pdf", PDF * 3)
    assert WRITTEN in plain
    facts, _codes = invoice(with_attachments(plain.replace(WRITTEN, text)))
    assert [(one.media_type, one.data) for one in facts.attachments] == [
        ("application/pdf", PDF * 3)
    ]


@pytest.mark.parametrize(
    "reference", ["ContractDocumentReference", "OriginatorDocumentReference", "BillingReference"]
)
def test_an_attachment_is_listed_wherever_it_stands_and_is_no_paper_there(reference: str) -> None:
    number = GOOD.number
    there = attached(f"invoice {number}.pdf", PDF)
    if reference == "BillingReference":
        there = there.replace("AdditionalDocumentReference", "InvoiceDocumentReference")
        there = f"<cac:BillingReference>{there}</cac:BillingReference>"
    else:
        there = there.replace("AdditionalDocumentReference", reference)
    facts, _codes = invoice(with_attachments(there))
    assert [one.data for one in facts.attachments] == [PDF]
    assert facts.pdf is None


def test_a_short_number_with_a_sign_in_it_is_found_in_the_name() -> None:
    short = change(f">{GOOD.number}<", ">R-4<", with_attachments(attached("R-4.pdf", PDF)))
    facts, _codes = invoice(short)
    assert facts.number == "R-4"
    assert facts.pdf is not None
    other = change(f">{GOOD.number}<", ">R-4<", with_attachments(attached("R-44.pdf", PDF)))
    assert invoice(other)[0].pdf is None
