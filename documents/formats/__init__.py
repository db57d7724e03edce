"""The files that come in: a strict reader for each format, and what a file says once it is read.

Amounts are `Decimal` in units of the currency, positive when money comes in. Enterprise numbers
are ten digits, or empty where the file names none. A reader never guesses: what is not right is
`Refused`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class Reason(StrEnum):
    """Why a file is refused; the codes stand in the quarantine and on the ingest's lines."""

    UNKNOWN_FORMAT = "unknown_format"
    TOO_LARGE = "too_large"
    CUT_OFF = "cut_off"
    CHARSET = "charset"
    STRUCTURE = "structure"
    SEQUENCE = "sequence"
    FIELD = "field"
    TOTALS = "totals"
    FORBIDDEN_XML = "forbidden_xml"
    UNKNOWN_COMPANY = "unknown_company"
    UNKNOWN_ACCOUNT = "unknown_account"
    PAPER_WITHOUT_FILE = "paper_without_file"


class Refused(Exception):
    """The file is not what it should be; `line` is 1-based, None where there is no line to name."""

    def __init__(self, reason: Reason, detail: str, line: int | None = None) -> None:
        super().__init__(f"{reason}: {detail}" + (f" (line {line})" if line else ""))
        self.reason, self.detail, self.line = reason, detail, line


@dataclass(frozen=True)
class Party:
    """Who stands on a paper."""

    name: str
    company_number: str = ""


@dataclass(frozen=True)
class Movement:
    """One line of an account; `details` are the lines that a sum is made of."""

    number: int
    amount: Decimal
    booked_on: date
    value_on: date | None
    name: str = ""
    iban: str = ""
    bic: str = ""
    communication: str = ""
    # +++090/9337/55493+++, where the communication is a structured one.
    structured: str = ""
    reference: str = ""
    # Type, family, operation and category as the bank gave them: eight digits.
    code: str = ""
    details: tuple[Movement, ...] = ()


@dataclass(frozen=True)
class BankStatement:
    """What happened on an account between two balances; from a CODA file."""

    iban: str
    bic: str
    currency: str
    holder: Party
    number: int
    dated_on: date
    previous_on: date | None
    opening: Decimal
    closing: Decimal
    movements: tuple[Movement, ...]
    messages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Booking:
    """One line of a payroll's booking: either debit or credit is zero."""

    account: str
    label: str
    debit: Decimal
    credit: Decimal


@dataclass(frozen=True)
class PayrollStatement:
    """A month's wages as a booking, from a SODA file; `period` is YYYY-MM."""

    social_office: str
    employer: Party
    period: str
    currency: str
    bookings: tuple[Booking, ...]


@dataclass(frozen=True)
class Expense:
    """One expense of a card, positive when money was spent."""

    merchant: str
    amount: Decimal
    spent_on: date | None = None


@dataclass(frozen=True)
class CardStatement:
    """A period of a credit card, from a CARO file; `period` is YYYY-MM."""

    bank: str
    holder: Party
    client_reference: str
    period: str
    currency: str
    expenses: tuple[Expense, ...]
    total: Decimal


@dataclass(frozen=True)
class InvoiceLine:
    """One line of an invoice; `vat_rate` in percent, None where the line carries none."""

    description: str
    quantity: Decimal
    unit: str
    price: Decimal
    net: Decimal
    vat_rate: Decimal | None


@dataclass(frozen=True)
class VatGroup:
    """The VAT of one category and rate."""

    category: str
    rate: Decimal | None
    taxable: Decimal
    vat: Decimal


@dataclass(frozen=True)
class Invoice:
    """An invoice or a credit note in UBL 2.1 after Peppol BIS Billing 3."""

    number: str
    is_credit_note: bool
    issued_on: date
    due_on: date | None
    currency: str
    supplier: Party
    customer: Party
    lines: tuple[InvoiceLine, ...]
    vat_groups: tuple[VatGroup, ...]
    net: Decimal
    vat: Decimal
    payable: Decimal
    reference: str = ""
    iban: str = ""
    # The paper that travels inside the file, where there is one (a PDF).
    attachment: bytes | None = None


Paper = BankStatement | PayrollStatement | CardStatement | Invoice


@dataclass(frozen=True)
class Sheet:
    """One document of a file: its own bytes, untouched, their media type, and what they say."""

    media_type: str
    data: bytes
    paper: Paper
