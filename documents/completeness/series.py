"""What arrived in each series of documents, month by month, and what is missing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from core.document_kinds import Kind
from documents.completeness.rhythm import (
    YEAR,
    empty_months,
    expected_in,
    first_day,
    month_between,
    month_of,
)
from documents.formats.continuity import gap_between
from documents.missing_statements import StatementRow
from documents.models.access_log import BEFORE_ARRIVAL

# A month is over when so many days of the next one have passed: its last documents come late.
LATE = timedelta(days=10)
# How many invoices a month a company must usually have for an empty month to mean something.
LEAST_INVOICES = 5
INVOICES = {Kind.PURCHASE_INVOICE, Kind.SALES_INVOICE}
# A later version is no further document. Each fetch is looked up by its document, in the months
# since it arrived: with `exists` the database read the fetches of all offices for a page.
ARRIVED = """
    select d.client_id, d.kind, d.series,
        (extract(year from d.dated_on) * 12 + extract(month from d.dated_on) - 1)::int as month,
        count(*),
        count(*) filter (where d.dated_on >= %(shown)s and (
            select true from documents_document arrived
            cross join lateral (
                select from documents_documentread
                where document_id = arrived.id and outcome = 'served'
                  and at >= arrived.available_at - %(earlier)s limit 1
            ) fetched
            where arrived.id = d.document_id
        ))
    from documents_documentdetails d
    where d.client_id = any(%(clients)s) and d.kind = any(%(kinds)s) and d.dated_on >= %(since)s
      and d.version = 1
    group by 1, 2, 3, 4
"""
# Statements whose number is not the next one; of each the newest version.
JUMPS = """
    with newest as (
        select distinct on (client_id, natural_key) client_id, document_id, series, number,
            natural_key, version, dated_on, opening, amount, currency,
            coalesce(substring(number from '[0-9]{1,9}$')::bigint, 0) as serial
        from documents_documentdetails
        where client_id = any(%(clients)s) and kind = %(kind)s and dated_on >= %(since)s
        order by client_id, natural_key, version desc
    ), pairs as (
        select *, lag(serial) over w as older_serial, lag(number) over w as older_number,
            lag(dated_on) over w as older_dated_on, lag(amount) over w as older_amount
        from newest
        window w as (partition by client_id, series, currency order by dated_on, serial)
    )
    select client_id, series, number, dated_on, currency, older_number, older_dated_on
    from pairs
    where serial <> 0 and older_serial <> 0 and serial <> older_serial + 1
"""


class Arrived(NamedTuple):
    """How many documents a month has, and how many of them software has fetched."""

    documents: int = 0
    fetched: int = 0


class Missing(NamedTuple):
    """How many documents are missing; `first` and `last` are their numbers, where these jump."""

    documents: int
    first: int = 0
    last: int = 0


@dataclass
class Series:
    """What one account, agency or card sends to a company, or all its invoices of a kind."""

    client_id: int
    kind: Kind
    name: str
    arrived: dict[int, Arrived] = field(default_factory=dict)
    missing: dict[int, Missing] = field(default_factory=dict)

    def expected(self, month: int) -> int:
        """About how many documents a month in progress will have."""
        return expected_in(self.counts, month)

    @property
    def counts(self) -> dict[int, int]:
        return {month: arrived.documents for month, arrived in self.arrived.items()}


def last_month_over(today: date) -> int:
    return month_of(today - LATE) - 1


def series_of(
    clients: Collection[int], kinds: Iterable[Kind], today: date, months: int = YEAR
) -> list[Series]:
    """All series of the companies, with what is missing in these months before today.

    Two queries, whatever the companies have; ask in the scope of the office.
    """
    shown = month_of(today) - months + 1
    bank, numbers = Kind.BANK_ACCOUNT_STATEMENT.value, [kind.value for kind in kinds]
    wanted: dict[str, Any] = {
        "clients": list(clients),
        "kinds": numbers,
        "kind": bank,
        "shown": first_day(shown),
        "since": first_day(shown - YEAR),
        "earlier": BEFORE_ARRIVAL,
    }
    found: dict[tuple[int, int, str], Series] = {}
    with connection.cursor() as cursor:
        cursor.execute(ARRIVED, wanted)
        for client, kind, name, month, documents, fetched in cursor.fetchall():
            series = found.setdefault((client, kind, name), Series(client, Kind(kind), name))
            series.arrived[month] = Arrived(documents, fetched)
        for series in found.values():
            least = LEAST_INVOICES if series.kind in INVOICES else 1
            empty = empty_months(series.counts, last_month_over(today), least=least)
            series.missing = {month: Missing(1) for month in empty if month >= shown}
        if bank in numbers:
            cursor.execute(JUMPS, wanted)
            for client, name, month, missing in _jumps(cursor.fetchall()):
                if month >= shown and (one := found.get((client, bank, name))):
                    one.missing[month] = _both(one.missing.get(month), missing)
    return sorted(found.values(), key=lambda one: (one.client_id, one.kind, one.name))


def _jumps(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, str, int, Missing]]:
    """The numbers that are missing, each with its account and its month."""
    for client, name, number, day, currency, older_number, older_day in rows:
        newer = _row(name, number, day, currency)
        older = _row(name, older_number, older_day, currency)
        gap = gap_between(older.as_statement(), newer.as_statement())
        if gap and gap.first:
            # In a new year some banks begin again and others go on: the fewer are missing.
            first = max(gap.first, older.serial + 1) if newer.serial > older.serial else gap.first
            missing = Missing(gap.last - first + 1, first, gap.last)
            yield client, name, month_between(older.dated_on, newer.dated_on), missing


def _row(name: str, number: str, day: date, currency: str) -> StatementRow:
    nothing = Decimal(0)
    return StatementRow(0, name, number, "", 1, day, nothing, nothing, currency)


def _both(one: Missing | None, other: Missing) -> Missing:
    """An account may have two jumps in a month; an empty month is part of its jump."""
    if one is None or not one.first:
        return other
    return Missing(
        one.documents + other.documents,
        min(one.first, other.first),
        max(one.last, other.last),
    )


def summed(series: Iterable[Series], months: Iterable[int]) -> Mapping[int, Arrived]:
    """What arrived in all of them, month by month."""
    series = list(series)
    return {
        month: Arrived(
            sum(one.arrived.get(month, Arrived()).documents for one in series),
            sum(one.arrived.get(month, Arrived()).fetched for one in series),
        )
        for month in months
    }
