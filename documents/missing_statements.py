"""Statements that are missing: their numbers jump, or the balances do not follow each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby, pairwise
from typing import NamedTuple

from django.db import connection
from django.utils.translation import gettext as _

from clients.models import Client
from core.document_kinds import Kind
from documents.formats import BankStatement, Party
from documents.formats.continuity import Gap, gap_between
from documents.models import DocumentDetails
from documents.rendering.formatting import money

# The statements of each account on a page, and some more: the one before may have versions, or
# share its day with others.
BEFORE = 12
STATEMENTS = """
    select s.* from unnest(%s::text[], %s::date[], %s::int[]) wanted (series, until, enough)
    cross join lateral (
        select f.document_id, f.series, f.number, f.natural_key, f.version, f.dated_on,
            f.opening, f.amount, f.currency
        from documents_documentdetails f
        where f.client_id = %s and f.kind = %s and f.series = wanted.series
          and f.dated_on <= wanted.until
        order by f.dated_on desc, f.document_id desc limit wanted.enough
    ) s
"""


class StatementRow(NamedTuple):
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
    def account(self) -> tuple[str, str]:
        return self.series, self.currency

    @property
    def serial(self) -> int:
        """The number that counts up in a year: the last digits of what the bank writes."""
        digits = re.search(r"\d{1,9}$", self.number)
        return int(digits[0]) if digits else 0

    def as_statement(self) -> BankStatement:
        """As much of the statement as its place between the others needs."""
        opening = self.closing if self.opening is None else self.opening
        nobody = Party("")
        day = self.dated_on
        return BankStatement(
            self.series,
            "",
            self.currency,
            nobody,
            self.serial,
            day,
            None,
            opening,
            self.closing,
            (),
        )


def missing_before(client: Client, page: Sequence[DocumentDetails]) -> dict[int, list[str]]:
    """What is missing before each bank statement of a page, in words, by the key of its document.

    One query whatever the page holds; ask for it in the office's scope, and of a page that no
    search has thinned out.
    """
    shown = [statement for statement in page if statement.kind == Kind.BANK_ACCOUNT_STATEMENT]
    if not shown:
        return {}
    accounts: dict[str, list[DocumentDetails]] = {}
    for statement in shown:
        accounts.setdefault(statement.series, []).append(statement)
    found = {}
    for newer, older in _pairs(_rows(client, accounts)):
        gap = gap_between(older.as_statement(), newer.as_statement())
        found[newer.key] = list(_in_words(gap, newer, older)) if gap else []
    return {statement.pk: found[statement.pk] for statement in shown if found.get(statement.pk)}


def _rows(client: Client, accounts: dict[str, list[DocumentDetails]]) -> list[StatementRow]:
    until = [
        max(statement.dated_on for statement in statements) for statements in accounts.values()
    ]
    enough = [len(statements) + BEFORE for statements in accounts.values()]
    kind = Kind.BANK_ACCOUNT_STATEMENT.value
    with connection.cursor() as cursor:
        cursor.execute(STATEMENTS, [list(accounts), until, enough, client.pk, kind])
        return [StatementRow(*row) for row in cursor.fetchall()]


def _pairs(rows: list[StatementRow]) -> Iterator[tuple[StatementRow, StatementRow]]:
    """Each statement with the one before it on its account; of each the newest version."""
    by_version = sorted(rows, key=lambda row: row.version)
    newest = {(row.series, row.natural_key): row for row in by_version}.values()
    ordered = sorted(newest, key=lambda row: (row.account, row.dated_on, row.serial))
    for _account, following in groupby(ordered, key=lambda row: row.account):
        for older, newer in pairwise(following):
            yield newer, older


def _in_words(gap: Gap, newer: StatementRow, older: StatementRow) -> Iterator[str]:
    numbers = {"first": gap.first, "last": gap.last, "year": gap.year}
    if gap.first and gap.first == gap.last:
        yield _("Statement %(first)s of %(year)s is missing.") % numbers
    elif gap.first:
        yield _("Statements %(first)s to %(last)s of %(year)s are missing.") % numbers
    if gap.moved and newer.opening is not None:
        balances = {
            "opening": money(newer.opening, newer.currency),
            "closing": money(older.closing, older.currency),
        }
        words = _(
            "The opening balance is %(opening)s, but the previous statement closed at %(closing)s."
        )
        yield words % balances
