"""A reader of CARO: the expenses of a credit card in a month.

CARO has no public schema. This is the one of this portal: root `Caro` of version 1 with a header
(bank, holder, reference, period, currency), the expenses and their total.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from lxml import etree

from documents.formats import CardStatement, Expense, Reason, Sheet, xml
from documents.formats.fields import CURRENCY, PERIOD
from documents.formats.parties import company

MEDIA_TYPE = "application/vnd.caro.v1+xml"
REFERENCE = re.compile(r"[A-Za-z0-9._/-]{1,35}")


def read(root: etree._Element, data: bytes) -> Sheet:
    """The one document of the file."""
    header, listed, total = xml.version_1(root, "Header", "Expenses", "Total")
    bank, holder, reference, period, currency = xml.parts(
        header, "Bank", "Holder", "ClientReference", "BillingPeriod", "Currency"
    )
    expenses = tuple(_expense(line) for line in xml.many(listed, "Expense"))
    told = xml.amount_of(total)
    spent = sum((expense.amount for expense in expenses), Decimal(0))
    if told != spent:
        raise xml.wrong(total, f"total of {told}, the expenses make {spent}", Reason.TOTALS)
    paper = CardStatement(
        bank=xml.text_of(bank),
        holder=company(holder),
        client_reference=xml.matching(reference, REFERENCE),
        period=xml.matching(period, PERIOD),
        currency=xml.matching(currency, CURRENCY),
        expenses=expenses,
        total=told,
    )
    return Sheet(MEDIA_TYPE, data, paper)


def _expense(line: etree._Element) -> Expense:
    """The day is the one thing that may be missing."""
    dated = len(line) > 2
    names = ("Merchant", "Date", "Amount") if dated else ("Merchant", "Amount")
    merchant, *day, amount = xml.parts(line, *names)
    spent_on: date | None = xml.day_of(day[0]) if day else None
    return Expense(xml.text_of(merchant), xml.amount_of(amount), spent_on)
