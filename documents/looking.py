"""What people type to find a document, as a condition on filings.

Every word must be found, each as whatever it can be: a part of a name, number or communication,
an amount in any of the spellings of Belgium, a date with the day first.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from django.db.models import Q

MOST_WORDS = 8
CENTS = Decimal("0.01")
DATES = [
    re.compile(r"(?P<day>\d{1,2})(?P<mark>[/.-])(?P<month>\d{1,2})(?P=mark)(?P<year>\d{4})"),
    re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})"),
]
# Beside an amount: a sign, the currency, and the blanks that French puts between thousands.
BESIDE = re.compile(r"[\s\u00a0\u202f€+−-]|EUR", re.IGNORECASE)
GROUPED = re.compile(
    r"\d{1,3}(?P<mark>[.,])\d{3}(?:(?P=mark)\d{3}){0,3}(?:(?!(?P=mark))[.,]\d{1,3})?"
)
PLAIN = re.compile(r"\d{1,15}(?:[.,]\d{1,3})?")
STRUCTURED = re.compile(r"[+*]*(\d{3})/?(\d{4})/?(\d{5})[+*]*")


def saying(text: str) -> Q:
    """The condition for filings in which all of this is found; everything for an empty text."""
    text = text.strip()
    if amounts_in(text) or day_in(text):
        return _one(text)
    condition = Q()
    for word in text.split()[:MOST_WORDS]:
        condition &= _one(word)
    return condition


def _one(word: str) -> Q:
    condition = Q(words__contains=word.lower()) | Q(series__icontains=word)
    condition |= Q(number__icontains=word) | Q(counterparty__icontains=word)
    for amount in amounts_in(word):
        condition |= Q(amount__in=[amount, -amount])
        # Movements and expenses stand among the words, each on a line of its own.
        if amount == amount.quantize(CENTS):
            condition |= Q(words__regex=rf"(^|\s){amount:.2f}(\s|$)".replace(".", r"\."))
    if day := day_in(word):
        condition |= Q(dated_on=day)
    if structured := STRUCTURED.fullmatch(word):
        condition |= Q(words__contains="+++{}/{}/{}+++".format(*structured.groups()))
        condition |= Q(words__contains="".join(structured.groups()))
    return condition


def amounts_in(text: str) -> set[Decimal]:
    """The amounts, without sign, that a text can mean: none, one, or two for "1.234"."""
    bare = BESIDE.sub("", text)
    found = set()
    if grouped := GROUPED.fullmatch(bare):
        found.add(Decimal(bare.replace(grouped["mark"], "").replace(",", ".")))
    if PLAIN.fullmatch(bare):
        found.add(Decimal(bare.replace(",", ".")))
    return found


def day_in(text: str) -> date | None:
    """The day that a text means, with the day first or as ISO 8601 has it."""
    for pattern in DATES:
        if found := pattern.fullmatch(text):
            try:
                return date(int(found["year"]), int(found["month"]), int(found["day"]))
            except ValueError:
                return None
    return None
