"""A reader of CARO: the expenses of a credit card in a month.

CARO has no public schema. This is the one of this portal: root `Caro` of version 1 with a header
(bank, holder, reference, period, currency), the expenses and their total.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from lxml import etree

from core.document_kinds import CARO
from documents.formats import CardStatement, Expense, ParsedDocument, Reason, xml
from documents.formats.fields import PERIOD
from documents.formats.file_warnings import Code, WarningList
from documents.formats.parties import company

REFERENCE = re.compile(r"[A-Za-z0-9. _/*-]{1,35}")
HEADER = {"Bank", "Holder", "ClientReference", "BillingPeriod", "Currency"}


def read(root: etree._Element, data: bytes, warnings: WarningList) -> ParsedDocument:
    """The one document of the file."""
    xml.check_version_1(root, warnings)
    parts = xml.Parts(root, {"Header", "Expenses", "Total"}, warnings)
    header = xml.Parts(parts.one("Header"), HEADER, warnings)
    total = xml.amount_of(parts.one("Total"))
    # Nothing was spent in some months.
    listed = xml.many(parts.one("Expenses"), "Expense", warnings, least=1 if total else 0)
    if not listed:
        warnings.add(Code.MISSING_PART, parts.one("Expenses").sourceline, "Expense")
    expenses = tuple(_expense(line, warnings) for line in listed)
    spent = sum((expense.amount for expense in expenses), Decimal(0))
    if total != spent:
        detail = f"total of {total}, the expenses make {spent}"
        raise xml.wrong(parts.one("Total"), detail, Reason.TOTALS)
    facts = CardStatement(
        bank=xml.text_of(header.one("Bank")),
        holder=company(header.one("Holder"), warnings),
        client_reference=xml.matching(header.one("ClientReference"), REFERENCE),
        period=xml.matching(header.one("BillingPeriod"), PERIOD),
        currency=xml.currency_of(header.one("Currency"), warnings),
        expenses=expenses,
        total=total,
    )
    return ParsedDocument(CARO, data, facts, warnings.found(), xml.fingerprint_of(root))


def _expense(line: etree._Element, warnings: WarningList) -> Expense:
    """The day is the one thing that may be missing."""
    parts = xml.Parts(line, {"Merchant", "Date", "Amount"}, warnings)
    day = parts.filled("Date")
    spent_on: date | None = None if day is None else xml.day_of(day)
    return Expense(parts.words("Merchant", warnings), xml.amount_of(parts.one("Amount")), spent_on)
