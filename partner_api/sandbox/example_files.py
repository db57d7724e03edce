"""An example of each kind of document, about a company of the sandbox.

Each call makes another document. A company has one payroll statement and one credit card statement
of a month: the next one is a new version of it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from xml.sax.saxutils import escape

from core.document_kinds import Kind

# It fails the inner check of Belgian accounts, so no bank has given it to anybody.
ACCOUNT = "BE15971999999955"
SUPPLIER, CUSTOMER = ("1999999907", "Supplier of the sandbox"), ("1999999907", "Sandbox customer")
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def example_of(kind: Kind, number: str, name: str, today: date) -> bytes:
    """The bytes of a new file of this kind that names the company by its number."""
    cents = random.SystemRandom().randrange(1_000, 1_000_000)
    return WRITERS[kind](number, name, today, cents)


def coda(number: str, name: str, today: date, cents: int) -> bytes:
    """A statement of one movement (Febelfin, CODA 2.6): money that came in."""
    day, holder = f"{today:%d%m%y}", f"{name:26.26}"
    sequence = f"{cents % 900 + 100:03d}"
    opening, moved, closing = (f"0{amount * 10:015d}" for amount in (cents, 12_100, cents + 12_100))
    account = f"{ACCOUNT:34}EUR"
    lines = [
        f"00000{day}{ACCOUNT[4:7]}05{'':8}{int(sequence):010d}{holder}{'DEMOBEBB':11}"
        f"0{number} 00000{'':39}2",
        f"12{sequence}{account}{opening}{day}{holder}{'Sight account':35}{sequence}",
        f"2100010000{f'SANDBOX{sequence}':21}{moved}{day}001500000{'Invoice paid':53}"
        f"{day}{sequence}01 0",
        f"2200010000{'':53}{'REF1':35}{'':27}1 0",
        f"2300010000{'':34}EUR{CUSTOMER[1]:35}{'':43}0 0",
        f"8{sequence}{account}{closing}{day}{'':64}0",
        f"9{'':15}{5:06d}{0:015d}{moved[1:]}{'':75}2",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1")


def soda(number: str, name: str, today: date, cents: int) -> bytes:
    """A payroll statement of this month: wages and what is to be paid."""
    rows = (("620200", "Wages", cents, 0), ("455000", "To be paid", 0, cents))
    booking = "".join(
        f"<Line><Account>{account}</Account><Label>{label}</Label><Debit>{_euro(debit)}</Debit>"
        f"<Credit>{_euro(credit)}</Credit></Line>"
        for account, label, debit, credit in rows
    )
    return (
        f'{HEAD}<Soda version="1"><Header><SocialOffice>0355</SocialOffice><Employer>'
        f"<EnterpriseNumber>{number}</EnterpriseNumber><Name>{escape(name)}</Name></Employer>"
        f"<Period>{today:%Y-%m}</Period><Currency>EUR</Currency></Header>"
        f"<Booking>{booking}</Booking></Soda>\n"
    ).encode()


def caro(number: str, name: str, today: date, cents: int) -> bytes:
    """A credit card statement of this month with one expense."""
    return (
        f'{HEAD}<Caro version="1"><Header><Bank>Sandbox Cards</Bank><Holder>'
        f"<EnterpriseNumber>{number}</EnterpriseNumber><Name>{escape(name)}</Name></Holder>"
        f"<ClientReference>00000019</ClientReference><BillingPeriod>{today:%Y-%m}</BillingPeriod>"
        "<Currency>EUR</Currency></Header><Expenses><Expense><Merchant>Fuel station</Merchant>"
        f"<Amount>{_euro(cents)}</Amount></Expense></Expenses><Total>{_euro(cents)}</Total></Caro>\n"
    ).encode()


def purchase(number: str, name: str, today: date, cents: int) -> bytes:
    """An invoice to the company."""
    return _ubl(today, SUPPLIER, (number, name), cents)


def sale(number: str, name: str, today: date, cents: int) -> bytes:
    """An invoice of the company."""
    return _ubl(today, (number, name), CUSTOMER, cents)


WRITERS: dict[Kind, Callable[[str, str, date, int], bytes]] = {
    Kind.BANK_ACCOUNT_STATEMENT: coda,
    Kind.PAYROLL_STATEMENT: soda,
    Kind.CREDIT_CARD_STATEMENT: caro,
    Kind.PURCHASE_INVOICE: purchase,
    Kind.SALES_INVOICE: sale,
}


def _ubl(today: date, supplier: tuple[str, str], customer: tuple[str, str], cents: int) -> bytes:
    """An invoice of one line as in Peppol BIS Billing 3, without VAT."""

    def euro(name: str) -> str:
        return f'<cbc:{name} currencyID="EUR">{_euro(cents)}</cbc:{name}>'

    names = "urn:oasis:names:specification:ubl:schema:xsd"
    scheme = "<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>"
    category = f"<cbc:ID>Z</cbc:ID><cbc:Percent>0</cbc:Percent>{scheme}"
    total = "".join(
        map(
            euro,
            ("LineExtensionAmount", "TaxExclusiveAmount", "TaxInclusiveAmount", "PayableAmount"),
        )
    )
    return (
        f'{HEAD}<Invoice xmlns="{names}:Invoice-2" xmlns:cac="{names}:CommonAggregateComponents-2"'
        f' xmlns:cbc="{names}:CommonBasicComponents-2">'
        "<cbc:CustomizationID>urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:"
        "billing:3.0</cbc:CustomizationID>"
        "<cbc:ProfileID>urn:fdc:peppol.eu:2017:poacc:billing:01:1.0</cbc:ProfileID>"
        f"<cbc:ID>SANDBOX-{cents}</cbc:ID><cbc:IssueDate>{today}</cbc:IssueDate>"
        "<cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>"
        "<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>"
        f"<cac:AccountingSupplierParty>{_party(*supplier)}</cac:AccountingSupplierParty>"
        f"<cac:AccountingCustomerParty>{_party(*customer)}</cac:AccountingCustomerParty>"
        f'<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">0.00</cbc:TaxAmount></cac:TaxTotal>'
        f"<cac:LegalMonetaryTotal>{total}</cac:LegalMonetaryTotal>"
        '<cac:InvoiceLine><cbc:ID>1</cbc:ID><cbc:InvoicedQuantity unitCode="C62">1'
        f"</cbc:InvoicedQuantity>{euro('LineExtensionAmount')}<cac:Item><cbc:Name>An example"
        f"</cbc:Name><cac:ClassifiedTaxCategory>{category}</cac:ClassifiedTaxCategory></cac:Item>"
        f"<cac:Price>{euro('PriceAmount')}</cac:Price></cac:InvoiceLine></Invoice>\n"
    ).encode()


def _party(number: str, name: str) -> str:
    return (
        f'<cac:Party><cbc:EndpointID schemeID="0208">{number}</cbc:EndpointID>'
        "<cac:PostalAddress><cac:Country><cbc:IdentificationCode>BE</cbc:IdentificationCode>"
        "</cac:Country></cac:PostalAddress><cac:PartyLegalEntity>"
        f"<cbc:RegistrationName>{escape(name)}</cbc:RegistrationName>"
        f'<cbc:CompanyID schemeID="0208">{number}</cbc:CompanyID></cac:PartyLegalEntity>'
        "</cac:Party>"
    )


def _euro(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
