"""Statements that are missing: their numbers jump, or the balances do not follow each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby, pairwise
from typing import NamedTuple

from django.db import connection
from django.utils.translation import gettext as _

from clients.models import Client
from documents.models import Filing, Kind
from documents.writing import money

# The statements of each account on a page, and some more: the one before may have versions, or
# share its day with others.
BEFORE = 12
STATEMENTS = """
    select s.* from unnest(%s::text[], %s::date[], %s::int[]) wanted (series, until, enough)
    cross join lateral (
        select f.document_id, f.series, f.number, f.natural_key, f.version, f.dated_on,
            f.opening, f.amount, f.currency
        from documents_filing f
        where f.client_id = %s and f.kind = %s and f.series = wanted.series
          and f.dated_on <= wanted.until
        order by f.dated_on desc, f.document_id desc limit wanted.enough
    ) s
"""


class Statement(NamedTuple):
    key: int
    series: str
    number: str
    natural_key: str
    version: int
    dated_on: date
    opening: Decimal | None
    closing: Decimal
    currency: str

    @property
    def serial(self) -> int:
        """The number that counts up in a year: the last digits of what the bank writes."""
        digits = re.search(r"\d{1,9}$", self.number)
        return int(digits[0]) if digits else 0


def gaps_before(client: Client, page: Sequence[Filing]) -> dict[int, list[str]]:
    """What is missing before each bank statement of a page, in words, by the key of its document.

    One query whatever the page holds; ask for it in the office's scope, and of a page that no
    search has thinned out.
    """
    shown = [filing for filing in page if filing.kind == Kind.BANK_ACCOUNT_STATEMENT]
    if not shown:
        return {}
    accounts: dict[str, list[Filing]] = {}
    for filing in shown:
        accounts.setdefault(filing.series, []).append(filing)
    found = {}
    for newer, older in _pairs(_statements(client, accounts)):
        found[newer.key] = [*_missing_numbers(newer, older), *_broken_balance(newer, older)]
    return {filing.pk: found[filing.pk] for filing in shown if found.get(filing.pk)}


def _statements(client: Client, accounts: dict[str, list[Filing]]) -> list[Statement]:
    until = [max(filing.dated_on for filing in filings) for filings in accounts.values()]
    enough = [len(filings) + BEFORE for filings in accounts.values()]
    kind = Kind.BANK_ACCOUNT_STATEMENT.value
    with connection.cursor() as cursor:
        cursor.execute(STATEMENTS, [list(accounts), until, enough, client.pk, kind])
        return [Statement(*row) for row in cursor.fetchall()]


def _pairs(statements: list[Statement]) -> Iterator[tuple[Statement, Statement]]:
    """Each statement with the one before it on its account; of each the newest version."""
    by_version = sorted(statements, key=lambda statement: statement.version)
    newest = {(one.series, one.natural_key): one for one in by_version}.values()
    ordered = sorted(newest, key=lambda one: (one.series, one.dated_on, one.serial))
    for _series, account in groupby(ordered, key=lambda one: one.series):
        for older, newer in pairwise(account):
            yield newer, older


def _missing_numbers(newer: Statement, older: Statement) -> Iterable[str]:
    """Numbers begin again at 1 each year."""
    same_year = newer.dated_on.year == older.dated_on.year
    first, last = (older.serial if same_year else 0) + 1, newer.serial - 1
    words = {"first": first, "last": last, "year": newer.dated_on.year}
    if first == last:
        yield _("Statement %(first)s of %(year)s is missing.") % words
    elif first < last:
        yield _("Statements %(first)s to %(last)s of %(year)s are missing.") % words


def _broken_balance(newer: Statement, older: Statement) -> Iterable[str]:
    if newer.opening is not None and newer.opening != older.closing:
        words = {
            "opening": money(newer.opening, newer.currency),
            "closing": money(older.closing, older.currency),
        }
        yield (
            _("It opens with %(opening)s, but the statement before closed with %(closing)s.")
            % words
        )
