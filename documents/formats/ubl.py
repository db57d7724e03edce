"""A reader of UBL 2.1 invoices and credit notes after Peppol BIS Billing 3.

Sources: OASIS UBL 2.1, EN 16931-1 (the rules BR-… named below) and Peppol BIS Billing 3.0. It
takes what the portal needs, and checks that this is there and adds up; whoever sends by Peppol has
passed all the other rules on the way.
"""

from __future__ import annotations

import base64
import binascii
import re
from decimal import Decimal

from lxml import etree

from documents.formats import Invoice, InvoiceLine, Party, Reason, Refused, Sheet, VatGroup, xml
from documents.formats.fields import CURRENCY
from documents.formats.parties import number_of

MEDIA_TYPE = "application/xml"
UBL = "urn:oasis:names:specification:ubl:schema:xsd"
INVOICE, CREDIT_NOTE = f"{{{UBL}:Invoice-2}}Invoice", f"{{{UBL}:CreditNote-2}}CreditNote"
NAMES = {"a": f"{UBL}:CommonAggregateComponents-2", "b": f"{UBL}:CommonBasicComponents-2"}
EN_16931 = "urn:cen.eu:en16931:2017"
ENTERPRISE = "0208"
VAT_NUMBER = re.compile(r"BE[01][0-9]{9}")
MOST_ATTACHED = 7 * 1024 * 1024
CENT = Decimal("0.01")
# BR-S-08, BR-CO-17: what is rounded line by line may differ from the sum by less than this.
ROUNDED = Decimal(1)
SLACK = Decimal("0.02")


def read(root: etree._Element, data: bytes) -> Sheet:
    """The one document of the file."""
    is_credit_note = root.tag == CREDIT_NOTE
    kind = "CreditNote" if is_credit_note else "Invoice"
    customization = xml.text_of(_one(root, "b:CustomizationID"))
    if not customization.startswith(EN_16931):
        raise xml.wrong(root, f"{customization!r} is no invoice after EN 16931")
    xml.text_of(_one(root, f"b:{kind}TypeCode"))
    currency = xml.matching(_one(root, "b:DocumentCurrencyCode"), CURRENCY)
    due = _maybe(root, "b:DueDate")
    if due is None:
        due = _maybe(root, "a:PaymentMeans/b:PaymentDueDate")
    lines = tuple(_line(line, kind, currency) for line in _all(root, f"a:{kind}Line"))
    if not lines:
        raise xml.wrong(root, f"no a:{kind}Line")
    totals = _Totals(root, currency)
    groups = _vat(root, currency)
    totals.check(lines, groups)
    paper = Invoice(
        number=xml.text_of(_one(root, "b:ID")),
        is_credit_note=is_credit_note,
        issued_on=xml.day_of(_one(root, "b:IssueDate")),
        due_on=None if due is None else xml.day_of(due),
        currency=currency,
        supplier=_party(root, "a:AccountingSupplierParty/a:Party"),
        customer=_party(root, "a:AccountingCustomerParty/a:Party"),
        lines=lines,
        vat_groups=groups,
        net=totals.net,
        vat=totals.vat,
        payable=totals.payable,
        reference=_words(root, "a:PaymentMeans/b:PaymentID"),
        iban=_words(root, "a:PaymentMeans/a:PayeeFinancialAccount/b:ID").replace(" ", ""),
        attachment=_attachment(root),
    )
    return Sheet(MEDIA_TYPE, data, paper)


# --- finding -------------------------------------------------------------------------------------


def _all(element: etree._Element, path: str) -> list[etree._Element]:
    return list(element.findall(path, NAMES))


def _one(element: etree._Element, path: str) -> etree._Element:
    found = _all(element, path)
    if len(found) != 1:
        raise xml.wrong(element, f"{len(found)} times {path} in {xml.name_of(element)}, not once")
    return found[0]


def _maybe(element: etree._Element, path: str) -> etree._Element | None:
    """The first; some may stand there more than once."""
    return element.find(path, NAMES)


def _words(element: etree._Element, path: str) -> str:
    found = _maybe(element, path)
    return "" if found is None else xml.text_of(found)


def _amount(element: etree._Element, currency: str) -> Decimal:
    """An amount in the currency of the document, with two decimals at most (BR-DEC-09 to 28)."""
    amount = _price(element, currency)
    if amount != amount.quantize(CENT):
        raise xml.wrong(element, f"{amount} has more than two decimals", Reason.FIELD)
    return amount


def _price(element: etree._Element, currency: str) -> Decimal:
    """An amount with as many decimals as it likes, as the price of a piece may have."""
    amount = xml.amount_of(element)
    if element.get("currencyID") != currency:
        told = element.get("currencyID")
        raise xml.wrong(element, f"an amount in {told}, the document is in {currency}")
    return amount


def _amounts(element: etree._Element, path: str, currency: str) -> Decimal:
    """The sum, 0 where there are none."""
    return sum((_amount(found, currency) for found in _all(element, path)), Decimal(0))


# --- parts ---------------------------------------------------------------------------------------


def _party(root: etree._Element, path: str) -> Party:
    """Name and enterprise number: of the legal entity, the Peppol address or the VAT number."""
    party = _one(root, path)
    name = xml.text_of(_one(party, "a:PartyLegalEntity/b:RegistrationName"))
    for place in ("a:PartyLegalEntity/b:CompanyID", "b:EndpointID"):
        found = _maybe(party, place)
        if found is not None and found.get("schemeID") == ENTERPRISE:
            return Party(name, number_of(found, xml.text_of(found)))
    for found in _all(party, "a:PartyTaxScheme/b:CompanyID"):
        number = xml.text_of(found)
        if VAT_NUMBER.fullmatch(number):
            return Party(name, number_of(found, number.removeprefix("BE")))
    return Party(name)


def _line(line: etree._Element, kind: str, currency: str) -> InvoiceLine:
    what = "b:CreditedQuantity" if kind == "CreditNote" else "b:InvoicedQuantity"
    quantity, price = _one(line, what), _one(line, "a:Price/b:PriceAmount")
    rate = _maybe(line, "a:Item/a:ClassifiedTaxCategory/b:Percent")
    found = InvoiceLine(
        description=xml.text_of(_one(line, "a:Item/b:Name")),
        quantity=xml.amount_of(quantity),
        unit=quantity.get("unitCode") or "",
        price=_price(price, currency),
        net=_amount(_one(line, "b:LineExtensionAmount"), currency),
        vat_rate=None if rate is None else xml.amount_of(rate),
    )
    base = _maybe(line, "a:Price/b:BaseQuantity")
    pieces = Decimal(1) if base is None else xml.amount_of(base)
    off, on = _charged(line, currency)
    # PEPPOL-EN16931-R120, with the slack that it leaves; a base quantity is above 0 (R121).
    if pieces <= 0 or abs(found.quantity * found.price / pieces - off + on - found.net) > SLACK:
        detail = f"{found.quantity} at {found.price} do not make {found.net}"
        raise xml.wrong(line, detail, Reason.TOTALS)
    return found


def _charged(element: etree._Element, currency: str) -> tuple[Decimal, Decimal]:
    """The sums of the allowances and of the charges on the document or on a line."""
    sums = {"false": Decimal(0), "true": Decimal(0)}
    for charge in _all(element, "a:AllowanceCharge"):
        which = xml.text_of(_one(charge, "b:ChargeIndicator"))
        if which not in sums:
            raise xml.wrong(charge, f"{which!r} is neither true nor false", Reason.FIELD)
        sums[which] += _amount(_one(charge, "b:Amount"), currency)
    return sums["false"], sums["true"]


def _vat(root: etree._Element, currency: str) -> tuple[VatGroup, ...]:
    """The groups of the VAT in the currency of the document; a second total tells it in euros."""
    groups = []
    for group in _all(root, "a:TaxTotal/a:TaxSubtotal"):
        rate = _maybe(group, "a:TaxCategory/b:Percent")
        found = VatGroup(
            category=xml.text_of(_one(group, "a:TaxCategory/b:ID")),
            rate=None if rate is None else xml.amount_of(rate),
            taxable=_amount(_one(group, "b:TaxableAmount"), currency),
            vat=_amount(_one(group, "b:TaxAmount"), currency),
        )
        due = (found.taxable * (found.rate or 0) / 100).quantize(CENT)
        if abs(due - found.vat) >= ROUNDED:
            detail = f"VAT of {found.vat} on {found.taxable} at {found.rate} %"
            raise xml.wrong(group, detail, Reason.TOTALS)
        groups.append(found)
    if not groups:
        raise xml.wrong(root, "no VAT is told")
    return tuple(groups)


class _Totals:
    """The totals of the document and what they must make."""

    def __init__(self, root: etree._Element, currency: str) -> None:
        self.element = _one(root, "a:LegalMonetaryTotal")
        self.net = self._told("TaxExclusiveAmount", currency)
        self.lines = self._told("LineExtensionAmount", currency)
        self.gross = self._told("TaxInclusiveAmount", currency)
        self.payable = self._told("PayableAmount", currency)
        self.prepaid = _amounts(self.element, "b:PrepaidAmount", currency)
        self.rounding = _amounts(self.element, "b:PayableRoundingAmount", currency)
        self.off = _amounts(self.element, "b:AllowanceTotalAmount", currency)
        self.on = _amounts(self.element, "b:ChargeTotalAmount", currency)
        self.charged = _charged(root, currency)
        mine = [
            total for total in _all(root, "a:TaxTotal/b:TaxAmount")
            if total.get("currencyID") == currency
        ]  # fmt: skip
        if len(mine) != 1:
            raise xml.wrong(root, f"{len(mine)} totals of VAT in {currency}, not one")
        self.vat = _amount(mine[0], currency)

    def _told(self, name: str, currency: str) -> Decimal:
        return _amount(_one(self.element, f"b:{name}"), currency)

    def check(self, lines: tuple[InvoiceLine, ...], groups: tuple[VatGroup, ...]) -> None:
        """BR-CO-10 to BR-CO-16, in the order in which one leads to the next."""
        for name, told, made in [
            ("the lines", self.lines, sum((line.net for line in lines), Decimal(0))),
            ("the allowances", self.off, self.charged[0]),
            ("the charges", self.on, self.charged[1]),
            ("the net amount", self.net, self.lines - self.off + self.on),
            ("the VAT", self.vat, sum((group.vat for group in groups), Decimal(0))),
            ("the gross amount", self.gross, self.net + self.vat),
            ("the amount to pay", self.payable, self.gross - self.prepaid + self.rounding),
        ]:
            if told != made:
                detail = f"{name}: {told} is told, {made} is what it makes"
                raise xml.wrong(self.element, detail, Reason.TOTALS)
        taxed = sum((group.taxable for group in groups), Decimal(0))
        if abs(taxed - self.net) >= ROUNDED * len(groups):
            detail = f"VAT is told of {taxed}, the net amount is {self.net}"
            raise xml.wrong(self.element, detail, Reason.TOTALS)


def _attachment(root: etree._Element) -> bytes | None:
    """The first PDF inside the document, decoded."""
    path = "a:AdditionalDocumentReference/a:Attachment/b:EmbeddedDocumentBinaryObject"
    for found in _all(root, path):
        if found.get("mimeCode") != "application/pdf":
            continue
        try:
            paper = base64.b64decode("".join(xml.text_of(found).split()), validate=True)
        except (binascii.Error, ValueError):
            raise xml.wrong(found, "the paper inside is no Base64", Reason.FIELD) from None
        if len(paper) > MOST_ATTACHED:
            raise Refused(Reason.TOO_LARGE, "the paper inside is too large", found.sourceline)
        if not paper.startswith(b"%PDF-"):
            raise xml.wrong(found, "the paper inside is no PDF", Reason.FIELD)
        return paper
    return None
