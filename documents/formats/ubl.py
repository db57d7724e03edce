"""A reader of UBL 2.1 invoices and credit notes after EN 16931, as Peppol BIS Billing 3 and others.

Sources: OASIS UBL 2.1 and EN 16931-1 (the rules BR-… named below). The totals of the document must
be there and add up; what is wrong with its form or with the amount of a single line is a warning.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from lxml import etree

from core.document_kinds import XML
from documents.formats import (
    Attachment,
    Invoice,
    InvoiceLine,
    ParsedDocument,
    Party,
    Reason,
    VatGroup,
    xml,
)
from documents.formats.attachments import attachment_of, pdf_of, with_own_names
from documents.formats.file_warnings import Code, WarningList
from documents.formats.ubl_parties import UBL, A, B, party_of

INVOICE, CREDIT_NOTE = f"{{{UBL}:Invoice-2}}Invoice", f"{{{UBL}:CreditNote-2}}CreditNote"
EN_16931 = "urn:cen.eu:en16931:2017"
CENT = Decimal("0.01")
# Quantities and prices as programs write floating numbers.
NUMBER = re.compile(rf"({xml.AMOUNT.pattern})([eE][-+]?[0-9]{{1,2}})?")
NOTHING = Decimal(0)
# BR-CO-17: what is rounded line by line may differ from the sum by less than this.
ROUNDED = Decimal(1)
SLACK = Decimal("0.02")
# An invoice has a few; a file with thousands is made to hurt.
MOST_ATTACHMENTS = 500
# The PDF that shows the invoice stands here, never in a reference to a contract or another invoice.
OWN_REFERENCE = f"{A}AdditionalDocumentReference"
EMBEDDED = f"{B}EmbeddedDocumentBinaryObject"
# UNTDID 1001: the document types that are credit notes.
CREDIT_CODES = {"81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "532"}


def read(root: etree._Element, data: bytes, warnings: WarningList) -> ParsedDocument:
    """The one document of the file."""
    kind = "CreditNote" if root.tag == CREDIT_NOTE else "Invoice"
    _check_specification(root, kind, warnings)
    currency = xml.currency_of(_one(root, f"{B}DocumentCurrencyCode"), warnings)
    reader = _Reader(root, currency, warnings)
    lines = tuple(reader.line(line, kind) for line in root.iterfind(f"{A}{kind}Line"))
    if not lines:
        raise xml.wrong(root, f"no {kind}Line")
    totals = _Totals(reader)
    groups = totals.groups()
    totals.check(lines, groups)
    number = xml.text_of(_one(root, f"{B}ID"))
    attachments, pdf = _attachments(root, number, warnings)
    facts = Invoice(
        number=number,
        is_credit_note=_is_credit_note(root, warnings),
        issued_on=xml.day_of(_one(root, f"{B}IssueDate")),
        due_on=_due_on(root),
        currency=currency,
        supplier=_party(root, "Supplier", warnings),
        customer=_party(root, "Customer", warnings),
        lines=lines,
        vat_groups=groups,
        net=totals.net,
        vat=totals.vat,
        payable=totals.payable,
        reference=_words(root, f"{A}PaymentMeans/{B}PaymentID"),
        iban=_words(root, f"{A}PaymentMeans/{A}PayeeFinancialAccount/{B}ID").replace(" ", ""),
        attachments=attachments,
        pdf=pdf,
    )
    return ParsedDocument(XML, data, facts, warnings.found(), xml.fingerprint_of(root))


def _check_specification(root: etree._Element, kind: str, warnings: WarningList) -> None:
    customization = _words(root, f"{B}CustomizationID")
    if not customization.startswith(EN_16931):
        warnings.add(Code.SPECIFICATION, root.sourceline, customization or "-")
    if not _words(root, f"{B}{kind}TypeCode"):
        warnings.add(Code.MISSING_PART, root.sourceline, f"{kind}TypeCode")


def _is_credit_note(root: etree._Element, warnings: WarningList) -> bool:
    """Tell whether it is money back: its root says so, or the type of an invoice does."""
    code = _words(root, f"{B}InvoiceTypeCode")
    if root.tag == INVOICE and code in CREDIT_CODES:
        warnings.add(Code.UNKNOWN_CODE, root.sourceline, f"InvoiceTypeCode {code}")
        return True
    return bool(root.tag == CREDIT_NOTE)


def _due_on(root: etree._Element) -> date | None:
    for path in (f"{B}DueDate", f"{A}PaymentMeans/{B}PaymentDueDate"):
        found = _filled(root, path)
        if found is not None:
            return xml.day_of(found)
    return None


def _party(root: etree._Element, side: str, warnings: WarningList) -> Party:
    return party_of(_one(root, f"{A}Accounting{side}Party/{A}Party"), warnings)


# --- finding -------------------------------------------------------------------------------------


def _one(element: etree._Element, path: str) -> etree._Element:
    found = element.findall(path)
    if len(found) != 1:
        name = path.rsplit("}", 1)[1]
        raise xml.wrong(element, f"{len(found)} times {name} in {xml.name_of(element)}, not once")
    return found[0]


def _words(element: etree._Element, path: str) -> str:
    """What the first of them says; some may stand there more than once."""
    return (element.findtext(path) or "").strip()


def _filled(element: etree._Element, path: str) -> etree._Element | None:
    """The first of them that says something."""
    return next((each for each in element.iterfind(path) if (each.text or "").strip()), None)


class _Reader:
    """Reads the amounts of one document, in its currency."""

    def __init__(self, root: etree._Element, currency: str, warnings: WarningList) -> None:
        self.root, self.currency, self.warnings = root, currency, warnings

    def amount(self, element: etree._Element, *, of_line: bool = False) -> Decimal:
        """An amount in the currency of the document, of two decimals at most (BR-DEC-09 to 28)."""
        amount = xml.amount_of(element)
        self.check_currency(element)
        if amount != amount.quantize(CENT):
            if not of_line:
                raise xml.wrong(element, f"{amount} has more than two decimals", Reason.FIELD)
            self.warnings.add(Code.DECIMALS, element.sourceline, str(amount))
        return amount

    def check_currency(self, element: etree._Element) -> None:
        written = element.get("currencyID")
        if written is None:
            self.warnings.add(Code.MISSING_PART, element.sourceline, "currencyID")
        elif not self.is_own(element):
            detail = f"an amount in {written}, the document is in {self.currency}"
            raise xml.wrong(element, detail)
        elif written != self.currency:
            self.warnings.add(Code.SPELLING, element.sourceline, written)

    def is_own(self, element: etree._Element) -> bool:
        """Tell whether the amount is in the currency of the document."""
        written = element.get("currencyID")
        return written is None or written.strip().upper() == self.currency

    def number(self, element: etree._Element, path: str) -> Decimal | None:
        """A number of a line, with any decimals; None where it is missing or is no number."""
        found = _filled(element, path)
        if found is None:
            return None
        text = xml.text_of(found)
        if NUMBER.fullmatch(text):
            return Decimal(text)
        self.warnings.add(Code.SPELLING, found.sourceline, f"{xml.name_of(found)} {text}")
        return None

    def sum_of(self, element: etree._Element, path: str) -> Decimal | None:
        """The sum of the amounts, None where there are none."""
        found = [each for each in element.iterfind(path) if (each.text or "").strip()]
        return sum((self.amount(each) for each in found), NOTHING) if found else None

    def charged(self, element: etree._Element, *, of_line: bool) -> tuple[Decimal, Decimal]:
        """The sums of the allowances and of the charges on the document or on a line."""
        sums = {"false": NOTHING, "true": NOTHING}
        for charge in element.iterfind(f"{A}AllowanceCharge"):
            which = xml.text_of(_one(charge, f"{B}ChargeIndicator")).lower()
            which = {"0": "false", "1": "true"}.get(which, which)
            if which not in sums:
                raise xml.wrong(charge, f"{which!r} is neither true nor false", Reason.FIELD)
            sums[which] += self.amount(_one(charge, f"{B}Amount"), of_line=of_line)
        return sums["false"], sums["true"]

    # --- lines -----------------------------------------------------------------------------------

    def line(self, line: etree._Element, kind: str) -> InvoiceLine:
        counted = f"{B}{'Credited' if kind == 'CreditNote' else 'Invoiced'}Quantity"
        quantity, price = self.number(line, counted), self._price(line)
        unit = line.find(counted)
        net = self.amount(_one(line, f"{B}LineExtensionAmount"), of_line=True)
        if quantity is None or price is None:
            missing = "Quantity" if quantity is None else "PriceAmount"
            self.warnings.add(Code.MISSING_PART, line.sourceline, missing)
        found = InvoiceLine(
            description=self._description(line),
            quantity=Decimal(1) if quantity is None else quantity,
            unit="" if unit is None else unit.get("unitCode") or "",
            price=net if price is None else price,
            net=net,
            vat_rate=self.number(line, f"{A}Item/{A}ClassifiedTaxCategory/{B}Percent"),
        )
        if quantity is not None and price is not None:
            self._check_line(line, found)
        return found

    def _price(self, line: etree._Element) -> Decimal | None:
        path = f"{A}Price/{B}PriceAmount"
        found = _filled(line, path)
        if found is not None:
            self.check_currency(found)
        return self.number(line, path)

    def _description(self, line: etree._Element) -> str:
        words = _words(line, f"{A}Item/{B}Name") or _words(line, f"{A}Item/{B}Description")
        if not words:
            self.warnings.add(Code.MISSING_PART, line.sourceline, "Name")
        return words

    def _check_line(self, line: etree._Element, found: InvoiceLine) -> None:
        """The amount of a line is quantity times price: where it is not, the amount counts."""
        base = self.number(line, f"{A}Price/{B}BaseQuantity")
        pieces = Decimal(1) if base is None else base
        off, on = self.charged(line, of_line=True)
        made = found.quantity * found.price / pieces - off + on if pieces > 0 else None
        if made is None or abs(made - found.net) > SLACK:
            each = found.price if pieces == 1 else f"{found.price} / {pieces}"
            detail = f"{found.quantity} × {each} ≠ {found.net}"
            self.warnings.add(Code.LINE_AMOUNT, line.sourceline, detail)


# --- totals --------------------------------------------------------------------------------------


class _Totals:
    """The totals of the document and what they must make."""

    def __init__(self, reader: _Reader) -> None:
        self.reader = reader
        self.element = _one(reader.root, f"{A}LegalMonetaryTotal")
        self.net = self._stated("TaxExclusiveAmount")
        self.lines = self._perhaps("LineExtensionAmount")
        self.gross = self._perhaps("TaxInclusiveAmount")
        self.payable = self._stated("PayableAmount")
        self.prepaid = reader.sum_of(self.element, f"{B}PrepaidAmount") or NOTHING
        self.rounding = reader.sum_of(self.element, f"{B}PayableRoundingAmount") or NOTHING
        self.charged = reader.charged(reader.root, of_line=False)
        self.off = self._optional("AllowanceTotalAmount", self.charged[0])
        self.on = self._optional("ChargeTotalAmount", self.charged[1])
        # A second total may say the VAT in the currency of the bookkeeping.
        own = [tax for tax in reader.root.iterfind(f"{A}TaxTotal") if self._is_own(tax)]
        if len(own) != 1:
            reader.warnings.add(Code.MISSING_PART, reader.root.sourceline, f"TaxTotal ({len(own)})")
        # Some write it in the same currency: the total with the groups counts.
        self.taxes = [tax for tax in own if tax.find(f"{A}TaxSubtotal") is not None] or own
        # Some write a total for each rate.
        self.vat = sum((self._amount(tax) for tax in self.taxes), NOTHING)

    def _stated(self, name: str) -> Decimal:
        return self.reader.amount(_one(self.element, f"{B}{name}"))

    def _perhaps(self, name: str) -> Decimal | None:
        """A total that the others make as well."""
        if _filled(self.element, f"{B}{name}") is not None:
            return self._stated(name)
        self.reader.warnings.add(Code.MISSING_PART, self.element.sourceline, name)
        return None

    def _optional(self, name: str, charged: Decimal) -> Decimal:
        stated = self.reader.sum_of(self.element, f"{B}{name}")
        if stated is None and charged:
            self.reader.warnings.add(Code.MISSING_PART, self.element.sourceline, name)
        return charged if stated is None else stated

    def _is_own(self, tax: etree._Element) -> bool:
        return self.reader.is_own(_one(tax, f"{B}TaxAmount"))

    def _amount(self, tax: etree._Element) -> Decimal:
        return self.reader.amount(_one(tax, f"{B}TaxAmount"))

    def groups(self) -> tuple[VatGroup, ...]:
        """The groups of the VAT in the currency of the document."""
        found = tuple(
            self._group(group) for tax in self.taxes for group in tax.iterfind(f"{A}TaxSubtotal")
        )
        if not found and self.vat:
            raise xml.wrong(self.reader.root, "no group of VAT")
        return found

    def _group(self, group: etree._Element) -> VatGroup:
        found = VatGroup(
            category=_words(group, f"{A}TaxCategory/{B}ID"),
            rate=self.reader.number(group, f"{A}TaxCategory/{B}Percent"),
            taxable=self.reader.amount(_one(group, f"{B}TaxableAmount")),
            vat=self._amount(group),
        )
        if found.rate is None and found.vat:
            self.reader.warnings.add(Code.MISSING_PART, group.sourceline, "Percent")
            return found
        due = (found.taxable * (found.rate or 0) / 100).quantize(CENT)
        if abs(due - found.vat) >= ROUNDED:
            detail = f"VAT of {found.vat} on {found.taxable} at {found.rate} %"
            raise xml.wrong(group, detail, Reason.TOTALS)
        return found

    def check(self, lines: tuple[InvoiceLine, ...], groups: tuple[VatGroup, ...]) -> None:
        """BR-CO-10 to BR-CO-16, in the order in which one leads to the next."""
        made_lines = _sum_of_lines(lines, self.lines)
        net = made_lines - self.off + self.on
        gross = self.net + self.vat
        for name, stated, made in [
            ("the lines", self.lines, made_lines),
            ("the allowances", self.off, self.charged[0]),
            ("the charges", self.on, self.charged[1]),
            ("the net amount", self.net, net),
            ("the VAT", self.vat, sum((group.vat for group in groups), NOTHING)),
            ("the gross amount", self.gross, gross),
            ("the amount to pay", self.payable, gross - self.prepaid + self.rounding),
        ]:
            if stated is not None and stated != made:
                detail = f"{name}: {stated} stands there, {made} is what it makes"
                raise xml.wrong(self.element, detail, Reason.TOTALS)
        taxed = sum((group.taxable for group in groups), NOTHING)
        if groups and abs(taxed - self.net) >= ROUNDED * len(groups):
            detail = f"VAT is on {taxed}, the net amount is {self.net}"
            raise xml.wrong(self.element, detail, Reason.TOTALS)


def _sum_of_lines(lines: tuple[InvoiceLine, ...], stated: Decimal | None) -> Decimal:
    """The sum of the lines, rounded where lines have more decimals than a total may have."""
    exact = sum((line.net for line in lines), NOTHING)
    rounded = exact.quantize(CENT, ROUND_HALF_UP)
    one_by_one = sum((line.net.quantize(CENT, ROUND_HALF_UP) for line in lines), NOTHING)
    return one_by_one if stated == one_by_one else rounded


# --- attachments ---------------------------------------------------------------------------------


def _attachments(
    root: etree._Element, number: str, warnings: WarningList
) -> tuple[tuple[Attachment, ...], Attachment | None]:
    """All files inside the document, and the PDF that shows it."""
    identifiers: dict[int, str] = {}
    found: list[Attachment] = []
    for element in root.iter(EMBEDDED):
        # It stands in an Attachment of a reference: to a contract, an order, a delivery as well.
        parent = element.getparent()
        reference = parent if parent is root else parent.getparent()
        identifier = _words(reference, f"{B}ID")
        described = _words(reference, f"{B}DocumentDescription")
        described = f"{described} {_words(reference, f'{B}DocumentType')}".strip()
        code = _words(reference, f"{B}DocumentTypeCode")
        if reference.tag == OWN_REFERENCE:
            identifiers[len(found)] = identifier
        if len(found) == MOST_ATTACHMENTS:
            raise xml.wrong(reference, f"more than {MOST_ATTACHMENTS} attachments")
        found.append(attachment_of(element, (identifier, described, code), warnings))
    attachments = tuple(with_own_names(found))
    possible = [(identifier, attachments[at]) for at, identifier in identifiers.items()]
    return attachments, pdf_of(possible, number)
