"""What people type to find a document, taken apart, as a condition on the details of documents.

Every term must be found, each as whatever it can be: a part of a name, number or communication,
an amount in any of the spellings of Belgium, a date with the day first or as the screens show it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from django.conf import settings
from django.db.models import Q
from django.utils import dates, translation

from core.plain_text import plain

MOST_TERMS = 8
CENTS = Decimal("0.01")
DATES = [
    re.compile(r"(?P<day>\d{1,2})(?P<mark>[/.-])(?P<month>\d{1,2})(?P=mark)(?P<year>\d{4})"),
    re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})"),
]
# As the screens show it: 26 November 2026, 1er décembre 2026, 26. November 2026.
IN_WORDS = re.compile(r"\b(\d{1,2})(?:er|\.)?\s+([^\W\d_]{3,})\.?\s+(\d{4})\b")
# Beside an amount: a sign, the currency, and the blanks that French puts between thousands.
BESIDE = re.compile(r"[\s\u00a0\u202f€+−-]|EUR", re.IGNORECASE)
GROUPED = re.compile(
    r"\d{1,3}(?P<mark>[.,])\d{3}(?:(?P=mark)\d{3}){0,3}(?:(?!(?P=mark))[.,]\d{1,3})?"
)
PLAIN = re.compile(r"\d{1,15}(?:[.,]\d{1,3})?")
STRUCTURED = re.compile(r"[+*]*(\d{3})/?(\d{4})/?(\d{5})[+*]*")
ACCOUNT = re.compile(r"[a-z]{2}\d{2}[a-z0-9]{8,30}")


class Term(NamedTuple):
    """One thing that is looked for: plain text, and the amounts and the day that it can mean."""

    text: str
    amounts: frozenset[Decimal] = frozenset()
    day: date | None = None

    @classmethod
    def of(cls, text: str) -> Term:
        return cls(plain(text), frozenset(amounts_in(text)), day_in(text))

    @property
    def spellings(self) -> list[str]:
        """The same as it stands among the words of a document."""
        found = [self.text]
        found += [f"{amount:.2f}" for amount in self.amounts if amount == amount.quantize(CENTS)]
        if structured := STRUCTURED.fullmatch(self.text):
            found.append("".join(structured.groups()))
        return found


def terms_of(text: str) -> list[Term]:
    """What a person looks for, term by term; nothing for an empty text."""
    text = " ".join(text.split())
    if not text:
        return []
    together = text.replace(" ", "")
    if amounts_in(text) or day_in(text) or ACCOUNT.fullmatch(plain(together)):
        return [Term.of(together if ACCOUNT.fullmatch(plain(together)) else text)]
    days = [found[0] for found in IN_WORDS.finditer(text) if day_in(found[0])]
    for day in days:
        text = text.replace(day, " ", 1)
    return [Term.of(word) for word in (*days, *text.split())][:MOST_TERMS]


def matching(text: str) -> Q:
    """The condition for documents in which all of this is found; everything for an empty text."""
    condition = Q()
    for term in terms_of(text):
        condition &= _one(term)
    return condition


def _one(term: Term) -> Q:
    word = term.text
    condition = Q(words__contains=word) | Q(series__icontains=word) | Q(number__icontains=word)
    for amount in term.amounts:
        condition |= Q(amount__in=[amount, -amount])
        # Movements and expenses stand among the words, each on a line of its own.
        if amount == amount.quantize(CENTS):
            condition |= Q(words__regex=rf"(^|\s){amount:.2f}(\s|$)".replace(".", r"\."))
    if term.day:
        condition |= Q(dated_on=term.day)
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
    """The day that a text means: the day first, as ISO 8601 has it, or with the month in words."""
    found = next(filter(None, (pattern.fullmatch(text) for pattern in DATES)), None)
    try:
        if found:
            return date(int(found["year"]), int(found["month"]), int(found["day"]))
        if in_words := IN_WORDS.fullmatch(text):
            month = _months().get(plain(in_words[2]))
            return date(int(in_words[3]), month, int(in_words[1])) if month else None
    except ValueError:
        return None
    return None


@cache
def _months() -> dict[str, int]:
    """The names of the months in the languages of the portal, whole and as they are shortened."""
    return {name: number for name, number in _named_months() if name}


def _named_months() -> Iterator[tuple[str, int]]:
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            for names in (dates.MONTHS, dates.MONTHS_ALT, dates.MONTHS_3, dates.MONTHS_AP):
                for number, name in names.items():
                    yield plain(str(name)).rstrip("."), number
