"""The files that come in: a reader for each format, and what a file says once it is read.

Amounts are `Decimal` in units of the currency, positive when money comes in. Enterprise numbers
are ten digits, or empty where the file names none. A reader is strict about money and lenient about
form: a file that it would be wrong to use is `Refused`, any other flaw is a warning.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from documents.formats.file_warnings import FileWarning


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
    # The file names one company, and what it names belongs to, or is claimed by, another one.
    CONTRADICTION = "contradiction"
    PDF_WITHOUT_FILE = "pdf_without_file"


class Refused(Exception):
    """The file is not what it should be; `line` is 1-based, None where there is no line to name."""

    def __init__(self, reason: Reason, detail: str, line: int | None = None) -> None:
        super().__init__(f"{reason}: {detail}" + (f" (line {line})" if line else ""))
        self.reason, self.detail, self.line = reason, detail, line


@dataclass(frozen=True)
class Party:
    """Who stands on a document; `other_numbers` are further enterprise numbers that it names."""

    name: str
    company_number: str = ""
    other_numbers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Movement:
    """One movement of an account; `details` are the movements that a sum is made of."""

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
    # Marked as a copy of a statement that was delivered before.
    is_copy: bool = False


@dataclass(frozen=True)
class Booking:
    """One line of a payroll's booking: either debit or credit is zero."""

    account: str
    label: str
    debit: Decimal
    credit: Decimal


@dataclass(frozen=True)
class PayrollStatement:
    """A month's wages as a booking, from a SODA file; `period` is YYYY-MM.

    `run` is the kind of run (holiday pay, a correction), empty for the usual one.
    """

    social_office: str
    employer: Party
    period: str
    currency: str
    bookings: tuple[Booking, ...]
    run: str = ""


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
class Attachment:
    """A file that travels inside an invoice; its name is safe to save it under."""

    name: str
    media_type: str
    data: bytes
    description: str = ""
    type_code: str = ""

    @property
    def size(self) -> int:
        return len(self.data)


@dataclass(frozen=True)
class Invoice:
    """An invoice or a credit note in UBL 2.1 after EN 16931."""

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
    attachments: tuple[Attachment, ...] = ()
    # The attachment that shows the invoice, where one does.
    pdf: Attachment | None = None


Facts = BankStatement | PayrollStatement | CardStatement | Invoice


@dataclass(frozen=True)
class ParsedDocument:
    """One document of a file: its own bytes, untouched, their media type, and what they say.

    `fingerprint` is a digest of what the document says, however its file is packed: two files with
    one fingerprint are copies of one document.
    """

    media_type: str
    data: bytes
    facts: Facts
    warnings: tuple[FileWarning, ...] = ()
    fingerprint: str = ""
