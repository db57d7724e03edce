"""In which months a series should have had documents: what is missing is found, nothing invented."""

from __future__ import annotations

from datetime import date

import pytest

from documents.completeness.rhythm import (
    empty_months,
    expected_in,
    first_day,
    month_between,
    month_of,
)

LAST = month_of(date(2026, 10, 31))


def series(*counts: int) -> dict[int, int]:
    """So many documents in each month, the last of them October 2026."""
    return {LAST - place: count for place, count in enumerate(reversed(counts)) if count}


def empty(*counts: int, least: int = 1) -> list[int]:
    """How many months before October the empty ones lie."""
    return sorted(LAST - month for month in empty_months(series(*counts), LAST, least=least))


@pytest.mark.parametrize(
    ("counts", "found"),
    {
        "every month": ((1,) * 24, []),
        "one is missing": ((1,) * 10 + (0,) + (1,) * 5, [5]),
        "the last is missing": ((1,) * 12 + (0,), [0]),
        "three at the end": ((1,) * 12 + (0,) * 3, [0, 1, 2]),
        "an account that was closed": ((1,) * 12 + (0,) * 4, []),
        "a company that slept": ((1,) * 12 + (0,) * 5 + (1,) * 5, []),
        "two gaps": ((20,) * 8 + (0,) + (19,) * 4 + (0, 0) + (21,) * 2, [2, 3, 8]),
        "a series that is young": ((1, 1, 1, 0, 1), []),
        "every third month": ((1, 0, 0) * 6 + (1,), []),
        "a quarter is missing": ((1, 0, 0) * 5 + (0, 0, 0) + (1, 0, 0, 1), [6]),
        "no rhythm": ((1, 0, 0, 1, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0), []),
        "nothing at all": ((), []),
    }.values(),
)
def test_a_month_that_breaks_the_rhythm_is_found(counts: tuple[int, ...], found: list[int]) -> None:
    assert empty(*counts) == found


def test_few_invoices_have_no_rhythm() -> None:
    assert empty(*(2, 1, 3, 2, 1, 2, 0, 2), least=5) == []
    assert empty(*(9, 7, 8, 6, 9, 7, 0, 8), least=5) == [1]


def test_the_rhythm_is_that_of_the_year_before() -> None:
    """Monthly until a year ago, then every third month."""
    counts = (1,) * 12 + (1, 0, 0) * 6
    assert [month for month in empty(*counts) if month < 3] == []


def test_a_month_in_progress_will_have_about_as_many_as_those_before() -> None:
    assert expected_in(series(20, 22, 21, 19, 20), LAST + 1) == 20
    assert expected_in(series(20, 22), LAST + 1) == 0


def test_months_are_counted() -> None:
    assert first_day(month_of(date(2026, 12, 31))) == date(2026, 12, 1)
    assert month_of(date(2027, 1, 1)) - month_of(date(2026, 12, 31)) == 1


@pytest.mark.parametrize(
    ("older", "newer", "month"),
    [
        ((2026, 10, 5), (2026, 10, 20), (2026, 10, 1)),
        ((2026, 9, 28), (2026, 11, 2), (2026, 10, 1)),
        ((2026, 10, 26), (2026, 11, 2), (2026, 10, 1)),
        ((2026, 10, 31), (2026, 11, 1), (2026, 11, 1)),
    ],
)
def test_what_lies_between_two_statements_belongs_to_the_month_with_most_days(
    older: tuple[int, int, int], newer: tuple[int, int, int], month: tuple[int, int, int]
) -> None:
    assert first_day(month_between(date(*older), date(*newer))) == date(*month)
