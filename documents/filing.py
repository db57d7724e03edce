"""From what a file says to its place: whose document it is, of which kind, under which name."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import orjson

from documents.formats import (
    BankStatement,
    CardStatement,
    Invoice,
    Movement,
    PayrollStatement,
    Reason,
    Refused,
    Sheet,
)
from documents.kinds import PDF
from documents.models import Kind

# Which software made a sales invoice is told by whoever delivers it; UBL has no place for it.
SOFTWARE = "Peppol"
# What a column of the table can hold.
KEY, SERIES, NUMBER, NAME = 200, 64, 100, 200
MOST_WORDS = 8_000
HIGHEST = Decimal(10) ** 15
# The index of the search carries the attributes, and an index holds no long rows.
MOST_ATTRIBUTES = 1_000
ACCOUNT = re.compile(r"[A-Z0-9]{5,34}")
UNSAFE = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True)
class Entry:
    """A document as it will be filed; `company_number` says whose it is, "" when nobody's.

    `account` is a bank statement's alone: who is registered for it comes before the number.
    """

    kind: Kind
    company_number: str
    natural_key: str
    series: str
    number: str
    dated_on: date
    currency: str
    amount: Decimal
    attributes: dict[str, Any]
    counterparty: str = ""
    opening: Decimal | None = None
    words: str = ""
    account: str = ""
    public_id: str | None = None


def entries(sheet: Sheet, sha256: str, software: str = SOFTWARE) -> list[Entry]:
    """What the sheet would be filed as: an invoice is its buyer's and its supplier's document.

    Raises Refused when it is beyond what the portal can hold.
    """
    paper = sheet.paper
    if isinstance(paper, BankStatement):
        found = [_bank(paper)]
    elif isinstance(paper, PayrollStatement):
        found = [_payroll(paper)]
    elif isinstance(paper, CardStatement):
        found = [_card(paper, sha256)]
    else:
        found = [_purchase(paper, sheet.media_type), _sale(paper, software)]
    for entry in found:
        if max(abs(entry.amount), abs(entry.opening or Decimal(0))) >= HIGHEST:
            raise Refused(Reason.FIELD, "an amount has more than fifteen digits")
        if len(orjson.dumps(entry.attributes)) > MOST_ATTRIBUTES:
            raise Refused(Reason.FIELD, "a name or a reference is too long")
    return found


def _bank(paper: BankStatement) -> Entry:
    account = UNSAFE.sub("", paper.iban).upper()
    if not ACCOUNT.fullmatch(account):
        raise Refused(Reason.UNKNOWN_ACCOUNT, f"{paper.iban!r} cannot be registered")
    # Numbers begin again each year; some banks give none, and then the day has to do.
    name = f"{paper.dated_on:%Y}/{paper.number:03d}" if paper.number else str(paper.dated_on)
    return Entry(
        kind=Kind.BANK_ACCOUNT_STATEMENT,
        company_number=paper.holder.company_number,
        account=account,
        natural_key=_key(account, paper.currency, name),
        series=account,
        number=f"{paper.number:03d}",
        dated_on=paper.dated_on,
        currency=paper.currency,
        amount=paper.closing,
        opening=paper.opening,
        attributes={"iban": account},
        words=_words(account, *_of_movements(paper.movements)),
    )


def _of_movements(movements: Iterable[Movement]) -> Iterator[str]:
    for movement in movements:
        yield from (movement.name, movement.iban, movement.communication, movement.reference)
        if movement.structured:
            yield movement.structured
            yield "".join(filter(str.isdigit, movement.structured))
        yield f"{abs(movement.amount):.2f}"
        yield from _of_movements(movement.details)


def _payroll(paper: PayrollStatement) -> Entry:
    return Entry(
        kind=Kind.PAYROLL_STATEMENT,
        company_number=paper.employer.company_number,
        natural_key=_key(paper.social_office, paper.period),
        series=paper.social_office[:SERIES],
        number=paper.period,
        dated_on=_first_day(paper.period),
        currency=paper.currency,
        amount=sum((booking.debit for booking in paper.bookings), Decimal(0)),
        attributes={"socialOfficeId": paper.social_office},
        words=_words(paper.social_office, paper.period, *(b.label for b in paper.bookings)),
    )


def _card(paper: CardStatement, sha256: str) -> Entry:
    short = UNSAFE.sub("", paper.client_reference)[:24]
    return Entry(
        kind=Kind.CREDIT_CARD_STATEMENT,
        company_number=paper.holder.company_number,
        natural_key=_key(paper.bank, paper.client_reference, paper.period),
        series=paper.client_reference[:SERIES],
        number=paper.period,
        dated_on=_first_day(paper.period),
        counterparty=paper.bank[:NAME],
        currency=paper.currency,
        amount=paper.total,
        attributes={
            "bankName": paper.bank,
            "billingPeriod": paper.period,
            "clientReference": paper.client_reference,
        },
        # The digest tells versions apart, and two cards with one reference.
        public_id=f"CARO-{UNSAFE.sub('', paper.period)}-{short}-{sha256[:8]}",
        words=_words(
            paper.bank,
            paper.client_reference,
            paper.period,
            *(text for e in paper.expenses for text in (e.merchant, f"{abs(e.amount):.2f}")),
        ),
    )


def _purchase(paper: Invoice, media_type: str) -> Entry:
    attributes = {"availableContentTypes": sorted({PDF, media_type})}
    return _invoice(
        paper,
        Kind.PURCHASE_INVOICE,
        ours=paper.customer.company_number,
        other=paper.supplier.name,
        attributes=attributes,
    )


def _sale(paper: Invoice, software: str) -> Entry:
    return _invoice(
        paper,
        Kind.SALES_INVOICE,
        ours=paper.supplier.company_number,
        other=paper.customer.name,
        attributes={"invoicingSoftware": software},
    )


def _invoice(
    paper: Invoice, kind: Kind, *, ours: str, other: str, attributes: dict[str, Any]
) -> Entry:
    supplier = paper.supplier.company_number or paper.supplier.name.lower()
    # A credit note may have the number of an invoice.
    which = ("credit",) if paper.is_credit_note else ()
    return Entry(
        kind=kind,
        company_number=ours,
        natural_key=_key(supplier, *which, paper.number),
        series="",
        number=paper.number[:NUMBER],
        dated_on=paper.issued_on,
        counterparty=other[:NAME],
        currency=paper.currency,
        # A credit note is money back.
        amount=-paper.payable if paper.is_credit_note else paper.payable,
        attributes=attributes,
        words=_words(
            paper.number,
            other,
            paper.supplier.company_number,
            paper.customer.company_number,
            paper.reference,
            paper.iban,
            f"{paper.payable:.2f}",
            *(line.description for line in paper.lines),
        ),
    )


def _key(*parts: str) -> str:
    """One text; a longer one than the table holds keeps its beginning and a digest of all."""
    key = "/".join(part.strip() for part in parts)
    if len(key) <= KEY:
        return key
    return f"{key[: KEY - 65]}/{hashlib.sha256(key.encode()).hexdigest()}"


def _words(*texts: str) -> str:
    """In lower case, each once, one a line, no more than the table should carry."""
    found: dict[str, None] = {}
    length = 0
    for text in texts:
        plain = " ".join(text.lower().split())
        if plain and plain not in found:
            length += len(plain) + 1
            if length > MOST_WORDS:
                break
            found[plain] = None
    return "\n".join(found)


def _first_day(period: str) -> date:
    return date.fromisoformat(f"{period}-01")
