"""The documents that are not bank statements: payroll statements, card statements, invoices.

Invoices are UBL 2.1 as in Peppol BIS Billing 3. SODA and CARO have no public schema. These files
contain what the formats are made for: a payroll booking and the expenses of a card.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from xml.sax.saxutils import escape

from core.document_kinds import CARO, SODA, XML, Kind
from demo.data.books import Company
from demo.data.names import COUNTERPARTIES
from demo.data.numbers import company_number

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


@dataclass(frozen=True)
class DemoDocument:
    """One document: its kind in the API, and its file by media type."""

    kind: str
    day: date
    files: dict[str, bytes]


def other_documents(company: Company, until: date) -> Iterator[DemoDocument]:
    """Ten documents of a company's last months."""
    rng = random.Random(f"papers {company.number}")
    for ago in (1, 2):
        month = _month(until, ago)
        for paper in (payroll(company, month, rng), card(company, month, rng)):
            # No document has a date in the future.
            yield replace(paper, day=min(paper.day, until - timedelta(days=2)))
    for place in range(3):
        day = until - timedelta(days=20 * place + rng.randrange(3, 20))
        yield invoice(company, f"IN-{day:%Y}-{place + 1:04d}", day, rng, bought=True)
        yield invoice(company, f"{day:%Y}/{place + 1:04d}", day, rng, bought=False)


def _month(until: date, ago: int) -> date:
    """The first day of a past month."""
    first = until.replace(day=1)
    for _ in range(ago):
        first = (first - timedelta(days=1)).replace(day=1)
    return first


def payroll(company: Company, month: date, rng: random.Random) -> DemoDocument:
    """A month's wages as a booking: the gross wages, the part of the state, the net wages."""
    gross = rng.randrange(200_000, 3_000_000)
    social, tax = gross * 13 // 100, gross * 22 // 100
    lines = [
        ("620200", "Bezoldigingen", gross, 0),
        ("454000", "RSZ", 0, social),
        ("453000", "Bedrijfsvoorheffing", 0, tax),
        ("455000", "Netto te betalen", 0, gross - social - tax),
    ]
    booking = "".join(
        f"<Line><Account>{account}</Account><Label>{escape(label)}</Label>"
        f"<Debit>{_decimal(debit)}</Debit><Credit>{_decimal(credit)}</Credit></Line>"
        for account, label, debit, credit in lines
    )
    text = (
        f'{HEAD}<Soda version="1"><Header><SocialOffice>0355</SocialOffice>'
        f"<Employer><EnterpriseNumber>{company.number}</EnterpriseNumber>"
        f"<Name>{escape(company.name)}</Name></Employer><Period>{month:%Y-%m}</Period>"
        f"<Currency>EUR</Currency></Header><Booking>{booking}</Booking></Soda>\n"
    )
    day = _end(month) + timedelta(days=2)
    return DemoDocument(Kind.PAYROLL_STATEMENT.row.type, day, {SODA: text.encode()})


def card(company: Company, month: date, rng: random.Random) -> DemoDocument:
    """A month's expenses of a credit card."""
    shops = [rng.choice(COUNTERPARTIES) for _ in range(rng.randrange(2, 7))]
    rows = [(shop.name, -rng.randrange(500, 40_000)) for shop in shops]
    reference = f"{rng.randrange(10**8):08d}"
    expenses = "".join(
        f"<Expense><Merchant>{escape(name)}</Merchant><Amount>{_decimal(-cents)}</Amount></Expense>"
        for name, cents in rows
    )
    total = _decimal(-sum(cents for _name, cents in rows))
    text = (
        f'{HEAD}<Caro version="1"><Header><Bank>Demo Cards</Bank>'
        f"<Holder><EnterpriseNumber>{company.number}</EnterpriseNumber>"
        f"<Name>{escape(company.name)}</Name></Holder><ClientReference>{reference}"
        f"</ClientReference><BillingPeriod>{month:%Y-%m}</BillingPeriod><Currency>EUR</Currency>"
        f"</Header><Expenses>{expenses}</Expenses><Total>{total}</Total></Caro>\n"
    )
    return DemoDocument(
        Kind.CREDIT_CARD_STATEMENT.row.type, _end(month) + timedelta(days=3), {CARO: text.encode()}
    )


def invoice(
    company: Company, number: str, day: date, rng: random.Random, *, bought: bool
) -> DemoDocument:
    """A purchase or sales invoice of one line."""
    other = rng.choice(COUNTERPARTIES)
    other_number = company_number(9300 + COUNTERPARTIES.index(other))
    us, them = (company.number, company.name), (other_number, other.name)
    net = rng.randrange(1_000, 900_000)
    vat = (net * 21 + 50) // 100
    supplier, customer = (them, us) if bought else (us, them)
    text = _ubl(number, day, supplier, customer, company.iban, other.text, net, vat)
    kind = Kind.PURCHASE_INVOICE if bought else Kind.SALES_INVOICE
    return DemoDocument(kind.row.type, day, {XML: text.encode()})


def _ubl(
    number: str, day: date, supplier: tuple[str, str], customer: tuple[str, str],
    iban: str, what: str, net: int, vat: int,
) -> str:  # fmt: skip
    category = (
        "<cbc:ID>S</cbc:ID><cbc:Percent>21</cbc:Percent>"
        "<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>"
    )

    def euro(name: str, cents: int) -> str:
        return f'<cbc:{name} currencyID="EUR">{_decimal(cents)}</cbc:{name}>'

    return (
        f'{HEAD}<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"'
        ' xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"'
        ' xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">'
        "<cbc:CustomizationID>urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:"
        "billing:3.0</cbc:CustomizationID>"
        "<cbc:ProfileID>urn:fdc:peppol.eu:2017:poacc:billing:01:1.0</cbc:ProfileID>"
        f"<cbc:ID>{escape(number)}</cbc:ID><cbc:IssueDate>{day}</cbc:IssueDate>"
        f"<cbc:DueDate>{day + timedelta(days=30)}</cbc:DueDate>"
        "<cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>"
        "<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>"
        "<cbc:BuyerReference>boekhouding</cbc:BuyerReference>"
        f"<cac:AccountingSupplierParty>{_party(*supplier)}</cac:AccountingSupplierParty>"
        f"<cac:AccountingCustomerParty>{_party(*customer)}</cac:AccountingCustomerParty>"
        "<cac:PaymentMeans><cbc:PaymentMeansCode>30</cbc:PaymentMeansCode>"
        f"<cbc:PaymentID>{escape(number)}</cbc:PaymentID>"
        f"<cac:PayeeFinancialAccount><cbc:ID>{iban}</cbc:ID></cac:PayeeFinancialAccount>"
        "</cac:PaymentMeans>"
        f"<cac:TaxTotal>{euro('TaxAmount', vat)}<cac:TaxSubtotal>{euro('TaxableAmount', net)}"
        f"{euro('TaxAmount', vat)}<cac:TaxCategory>{category}</cac:TaxCategory>"
        "</cac:TaxSubtotal></cac:TaxTotal>"
        f"<cac:LegalMonetaryTotal>{euro('LineExtensionAmount', net)}"
        f"{euro('TaxExclusiveAmount', net)}{euro('TaxInclusiveAmount', net + vat)}"
        f"{euro('PayableAmount', net + vat)}</cac:LegalMonetaryTotal>"
        '<cac:InvoiceLine><cbc:ID>1</cbc:ID><cbc:InvoicedQuantity unitCode="C62">1'
        f"</cbc:InvoicedQuantity>{euro('LineExtensionAmount', net)}"
        f"<cac:Item><cbc:Name>{escape(what)}</cbc:Name>"
        f"<cac:ClassifiedTaxCategory>{category}</cac:ClassifiedTaxCategory></cac:Item>"
        f"<cac:Price>{euro('PriceAmount', net)}</cac:Price></cac:InvoiceLine></Invoice>\n"
    )


def _party(number: str, name: str) -> str:
    return (
        f'<cac:Party><cbc:EndpointID schemeID="0208">{number}</cbc:EndpointID>'
        "<cac:PostalAddress><cbc:StreetName>Voorbeeldstraat 1</cbc:StreetName>"
        "<cbc:CityName>Brussel</cbc:CityName><cbc:PostalZone>1000</cbc:PostalZone>"
        "<cac:Country><cbc:IdentificationCode>BE</cbc:IdentificationCode></cac:Country>"
        "</cac:PostalAddress><cac:PartyTaxScheme>"
        f"<cbc:CompanyID>BE{number}</cbc:CompanyID>"
        "<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>"
        f"<cac:PartyLegalEntity><cbc:RegistrationName>{escape(name)}</cbc:RegistrationName>"
        f'<cbc:CompanyID schemeID="0208">{number}</cbc:CompanyID></cac:PartyLegalEntity>'
        "</cac:Party>"
    )


def _decimal(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _end(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1) - timedelta(days=1)
