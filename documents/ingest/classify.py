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

from core.document_kinds import PDF, Kind
from core.plain_text import plain
from documents.formats import (
    BankStatement,
    CardStatement,
    Invoice,
    Movement,
    ParsedDocument,
    Party,
    PayrollStatement,
    Reason,
    Refused,
)

# Which software made a sales invoice is told by whoever delivers it; UBL has no place for it.
SOFTWARE = "Peppol"
# What a column of the table can hold.
KEY, SERIES, NUMBER, NAME = 200, 64, 100, 200
MOST_WORDS = 8_000
HIGHEST = Decimal(10) ** 15
# The index of the search carries the attributes, and an index holds no long rows.
MOST_ATTRIBUTES = 1_000
# They are attributes too.
MOST_TYPES_INSIDE = 5
ACCOUNT = re.compile(r"[A-Z0-9]{5,34}")
UNSAFE = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True)
class Classification:
    """A document as it will be filed; `company_number` says whose it is, "" when nobody's.

    `account` is a bank statement's alone: who is registered for it comes before the number.
    `other_numbers` are further numbers by which the document names the company. Documents of one
    `natural_key` are versions of one document.
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
    # The bank, agency, card issuer, supplier or software that the file comes from.
    sender: str = ""
    other_numbers: tuple[str, ...] = ()
    # Marked by its sender as a copy of a document that came before.
    is_copy: bool = False


def classify(parsed: ParsedDocument, sha256: str, software: str = SOFTWARE) -> list[Classification]:
    """What the parsed would be filed as: an invoice is its buyer's and its supplier's document.

    Raises Refused when it is beyond what the portal can hold.
    """
    facts = parsed.facts
    if isinstance(facts, BankStatement):
        found = [_bank(facts)]
    elif isinstance(facts, PayrollStatement):
        found = [_payroll(facts)]
    elif isinstance(facts, CardStatement):
        found = [_card(facts, sha256)]
    else:
        found = [_purchase(facts, parsed.media_type), _sale(facts, software)]
    for classification in found:
        if max(abs(classification.amount), abs(classification.opening or Decimal(0))) >= HIGHEST:
            raise Refused(Reason.FIELD, "an amount has more than fifteen digits")
        if len(orjson.dumps(classification.attributes)) > MOST_ATTRIBUTES:
            raise Refused(Reason.FIELD, "a name or a reference is too long")
    return found


def _bank(facts: BankStatement) -> Classification:
    account = UNSAFE.sub("", facts.iban).upper()
    if not ACCOUNT.fullmatch(account):
        raise Refused(Reason.UNKNOWN_ACCOUNT, f"{facts.iban!r} cannot be registered")
    # Some banks give one number to all statements of a month, or none: day and balance decide.
    name = (str(facts.dated_on), f"{facts.number:03d}", f"{facts.opening:.3f}")
    return Classification(
        kind=Kind.BANK_ACCOUNT_STATEMENT,
        company_number=facts.holder.company_number,
        account=account,
        natural_key=_key(account, facts.currency, *name),
        series=account,
        number=f"{facts.number:03d}",
        dated_on=facts.dated_on,
        currency=facts.currency,
        amount=facts.closing,
        opening=facts.opening,
        attributes={
            "iban": account,
            "number": f"{facts.number:03d}",
            "day": str(facts.dated_on),
            "currency": facts.currency,
            "openingBalance": _amount(facts.opening),
            "closingBalance": _amount(facts.closing),
        },
        words=_words(account, *_of_movements(facts.movements)),
        sender=facts.bic,
        is_copy=facts.is_copy,
    )


def _of_movements(movements: Iterable[Movement]) -> Iterator[str]:
    for movement in movements:
        yield from (movement.name, movement.iban, movement.communication, movement.reference)
        if movement.structured:
            yield movement.structured
            yield "".join(filter(str.isdigit, movement.structured))
        yield f"{abs(movement.amount):.2f}"
        yield from _of_movements(movement.details)


def _payroll(facts: PayrollStatement) -> Classification:
    return Classification(
        kind=Kind.PAYROLL_STATEMENT,
        company_number=facts.employer.company_number,
        natural_key=_key(facts.social_office, facts.period, *filter(None, [facts.run])),
        series=facts.social_office[:SERIES],
        number=facts.period,
        dated_on=_first_day(facts.period),
        currency=facts.currency,
        amount=sum((booking.debit for booking in facts.bookings), Decimal(0)),
        attributes={"socialOfficeId": facts.social_office},
        sender=facts.social_office,
        words=_words(facts.social_office, facts.period, *(b.label for b in facts.bookings)),
    )


def _card(facts: CardStatement, sha256: str) -> Classification:
    short = UNSAFE.sub("", facts.client_reference)[:24]
    return Classification(
        kind=Kind.CREDIT_CARD_STATEMENT,
        company_number=facts.holder.company_number,
        natural_key=_key(facts.bank, facts.client_reference, facts.period),
        series=facts.client_reference[:SERIES],
        number=facts.period,
        dated_on=_first_day(facts.period),
        counterparty=facts.bank[:NAME],
        sender=facts.bank[:NAME],
        currency=facts.currency,
        amount=facts.total,
        attributes={
            "bankName": facts.bank,
            "billingPeriod": facts.period,
            "clientReference": facts.client_reference,
        },
        # The digest tells versions apart, and two cards with one reference.
        public_id=f"CARO-{UNSAFE.sub('', facts.period)}-{short}-{sha256[:8]}",
        words=_words(
            facts.bank,
            facts.client_reference,
            facts.period,
            *(text for e in facts.expenses for text in (e.merchant, f"{abs(e.amount):.2f}")),
        ),
    )


def _purchase(facts: Invoice, media_type: str) -> Classification:
    inside = sorted({attachment.media_type for attachment in facts.attachments})
    attributes = {"availableContentTypes": sorted({PDF, media_type, *inside[:MOST_TYPES_INSIDE]})}
    return _invoice(
        facts,
        Kind.PURCHASE_INVOICE,
        ours=facts.customer,
        other=facts.supplier.name,
        attributes=attributes,
    )


def _sale(facts: Invoice, software: str) -> Classification:
    return _invoice(
        facts,
        Kind.SALES_INVOICE,
        ours=facts.supplier,
        other=facts.customer.name,
        attributes={"invoicingSoftware": software},
    )


def _invoice(
    facts: Invoice, kind: Kind, *, ours: Party, other: str, attributes: dict[str, Any]
) -> Classification:
    supplier = facts.supplier.company_number or facts.supplier.name.lower()
    # A credit note may have the number of an invoice.
    which = ("credit",) if facts.is_credit_note else ()
    return Classification(
        kind=kind,
        company_number=ours.company_number,
        other_numbers=ours.other_numbers,
        sender=facts.supplier.name[:NAME],
        # Some suppliers begin again with the same numbers.
        natural_key=_key(supplier, *which, facts.number, str(facts.issued_on)),
        series="",
        number=facts.number[:NUMBER],
        dated_on=facts.issued_on,
        counterparty=other[:NAME],
        currency=facts.currency,
        # A credit note is money back.
        amount=-facts.payable if facts.is_credit_note else facts.payable,
        attributes=attributes,
        words=_words(
            facts.number,
            other,
            facts.supplier.company_number,
            facts.customer.company_number,
            facts.reference,
            facts.iban,
            f"{facts.payable:.2f}",
            *(line.description for line in facts.lines),
        ),
    )


def _key(*parts: str) -> str:
    """One text; a longer one than the table holds keeps its beginning and a digest of all."""
    key = "/".join(part.strip() for part in parts)
    if len(key) <= KEY:
        return key
    return f"{key[: KEY - 65]}/{hashlib.sha256(key.encode()).hexdigest()}"


def _words(*texts: str) -> str:
    """As people look for them, each once, one a line, no more than the table should carry."""
    found: dict[str, None] = {}
    length = 0
    for text in texts:
        line = " ".join(plain(text).split())
        if line and line not in found:
            length += len(line) + 1
            if length > MOST_WORDS:
                break
            found[line] = None
    return "\n".join(found)


def _amount(amount: Decimal) -> str:
    """Text, so that no reader rounds it; three decimals only where the file needs them."""
    return f"{amount:.3f}".removesuffix("0")


def _first_day(period: str) -> date:
    return date.fromisoformat(f"{period}-01")
