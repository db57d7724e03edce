"""The rhythm of a series of documents: in which months some should have arrived and did not.

A series is what one bank account, payroll agency or card sends, or all invoices of a kind. A month
is a number, so that months can be counted: twelve times the year, plus the month from 0 to 11.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from itertools import pairwise
from statistics import median

# The rhythm is that of so many months before.
YEAR = 12
# So many months with documents show a rhythm.
ENOUGH = 4
# After so many empty turns the series has ended, or sleeps: nothing is expected any more.
MOST_EMPTY = 3
RHYTHMS = (1, 2, 3, 6)
# How many of the steps between two months with documents follow the rhythm.
USUAL = 2 / 3


def month_of(day: date) -> int:
    return day.year * YEAR + day.month - 1


def first_day(month: int) -> date:
    return date(month // YEAR, month % YEAR + 1, 1)


def empty_months(arrived: Mapping[int, int], until: int, *, least: int = 1) -> set[int]:
    """The months up to `until` in which the series should have had documents and has none.

    `arrived` says how many each month had; a series whose months usually have fewer than `least`
    is too thin to have a rhythm.
    """
    months = sorted(month for month, count in arrived.items() if count)
    possible = range(months[0], until + 1) if months else ()
    expected = [month for month in possible if _expects(arrived, month, least)]
    runs = _runs(expected, months)
    return {month for run in runs if len(run) <= MOST_EMPTY for month in run}


def expected_in(arrived: Mapping[int, int], month: int) -> int:
    """About how many documents the month should have: the median of the year before."""
    counts = [count for at in range(month - YEAR, month) if (count := arrived.get(at, 0))]
    return round(median(counts)) if len(counts) >= ENOUGH else 0


def _expects(arrived: Mapping[int, int], month: int, least: int) -> bool:
    """Tell whether an empty month breaks the rhythm of the year before it."""
    if arrived.get(month):
        return False
    before = [at for at in range(month - YEAR, month) if arrived.get(at)]
    if len(before) < ENOUGH or median(arrived[at] for at in before) < least:
        return False
    steps = Counter(later - earlier for earlier, later in pairwise(before))
    step, times = steps.most_common(1)[0]
    is_rhythm = step in RHYTHMS and times >= USUAL * steps.total()
    return is_rhythm and (month - before[-1]) % step == 0


def _runs(expected: list[int], months: list[int]) -> Iterator[list[int]]:
    """The expected months, parted where documents arrived in between."""
    run: list[int] = []
    for month in expected:
        if run and any(run[-1] < at < month for at in months):
            yield run
            run = []
        run.append(month)
    if run:
        yield run


def month_between(older: date, newer: date) -> int:
    """The month in which most days lie between two statements; of equals the earlier one."""
    day, days = older + timedelta(days=1), Counter[int]()
    while day < newer:
        days[month_of(day)] += 1
        day += timedelta(days=1)
    return min(days, key=lambda month: (-days[month], month)) if days else month_of(newer)
