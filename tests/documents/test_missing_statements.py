"""Missing statements are named: numbers that jump, and balances that do not follow."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from core.row_security import office_scope
from documents.missing_statements import missing_before
from documents.models import DocumentDetails
from tests import factories
from tests.conftest import Cast

Line = tuple[str, date, int, int]


def told(cast: Cast, *lines: Line, newest: int = 50) -> list[list[str]]:
    """What stands under each statement, oldest first; a line is number, day, opening, closing."""
    for number, day, opening, closing in lines:
        statement(cast, number, day, opening, closing)
    with office_scope(cast.janssens.pk):
        page = list(DocumentDetails.objects.filter(client=cast.bakery).newest_first()[:newest])
        found = missing_before(cast.bakery, page)
    return [found.get(filing.pk, []) for filing in reversed(page)]


def statement(
    cast: Cast, number: str, day: date, opening: int, closing: int, **fields: Any
) -> DocumentDetails:
    fields.setdefault("natural_key", f"BE68539007547034/{day.year}/{number}")
    return factories.make_filed_document(
        cast.bakery,
        number=number,
        dated_on=day,
        opening=Decimal(opening),
        amount=Decimal(closing),
        **fields,
    )


def test_statements_that_follow_have_no_gap(cast: Cast) -> None:
    # An account that is older than its first statement here does not begin at 1.
    lines = [("7", date(2025, 12, 30), 0, 10), ("1", date(2026, 1, 3), 10, 30)]
    assert told(cast, *lines, ("2", date(2026, 1, 4), 30, 5)) == [[], [], []]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("3", ["Statement 2 of 2026 is missing."]),
        ("5", ["Statements 2 to 4 of 2026 are missing."]),
    ],
)
def test_numbers_that_jump_are_named(cast: Cast, number: str, words: list[str]) -> None:
    lines = [("1", date(2026, 1, 3), 0, 10), (number, date(2026, 1, 9), 10, 30)]
    assert told(cast, *lines) == [[], words]


def test_numbers_that_go_on_over_the_new_year_have_no_gap(cast: Cast) -> None:
    lines = [("250", date(2025, 12, 30), 0, 10), ("251", date(2026, 1, 9), 10, 30)]
    assert told(cast, *lines) == [[], []]


def test_a_statement_without_a_number_is_placed_by_its_balance(cast: Cast) -> None:
    lines = [("4", date(2026, 1, 3), 0, 10), ("0", date(2026, 1, 9), 10, 30)]
    assert told(cast, *lines) == [[], []]


def test_a_year_that_does_not_begin_at_one_misses_its_first_statements(cast: Cast) -> None:
    lines = [("250", date(2025, 12, 30), 0, 10), ("3", date(2026, 1, 9), 10, 30)]
    assert told(cast, *lines) == [[], ["Statements 1 to 2 of 2026 are missing."]]


def test_an_opening_that_is_not_the_closing_before_is_named(cast: Cast) -> None:
    lines = [("1", date(2026, 1, 3), 0, 1234), ("2", date(2026, 1, 9), 10, 30)]
    words = (
        "The opening balance is 10.00\u00a0EUR, "
        "but the previous statement closed at 1,234.00\u00a0EUR."
    )
    assert told(cast, *lines) == [[], [words]]


def test_both_are_named_together(cast: Cast) -> None:
    lines = [("1", date(2026, 1, 3), 0, 20), ("3", date(2026, 1, 9), 10, 30)]
    assert [len(words) for words in told(cast, *lines)] == [0, 2]


def test_statements_of_one_day_may_have_come_in_any_order(cast: Cast) -> None:
    day = date(2026, 1, 3)
    assert told(cast, ("3", day, 20, 30), ("1", day, 0, 10), ("2", day, 10, 20)) == [[], [], []]


def test_another_account_is_another_row_of_numbers(cast: Cast) -> None:
    statement(cast, "90", date(2026, 1, 2), 7, 8, series="BE00999", natural_key="other")
    lines = [("1", date(2026, 1, 1), 0, 10), ("2", date(2026, 1, 3), 10, 30)]
    assert told(cast, *lines) == [[], [], []]


def test_only_the_newest_version_counts(cast: Cast) -> None:
    statement(cast, "2", date(2026, 1, 4), 10, 99, version=1)
    statement(cast, "2", date(2026, 1, 4), 10, 20, version=2)
    lines = [("1", date(2026, 1, 3), 0, 10), ("3", date(2026, 1, 5), 20, 30)]
    assert told(cast, *lines) == [[], [], [], []]


def test_the_oldest_of_a_page_is_compared_with_what_the_next_page_shows(cast: Cast) -> None:
    lines = [("1", date(2026, 1, 3), 0, 10), ("4", date(2026, 1, 9), 10, 30)]
    words = "Statements 2 to 3 of 2026 are missing."
    assert told(cast, *lines, ("5", date(2026, 1, 10), 30, 1), newest=2) == [[words], []]


def test_a_page_asks_once_however_many_statements_it_has(
    cast: Cast, django_assert_num_queries: Any
) -> None:
    for place in range(20):
        statement(cast, str(place + 1), date(2026, 1, place + 1), 0, 0, series=f"BE{place % 4}")
    with office_scope(cast.janssens.pk):
        page = list(DocumentDetails.objects.filter(client=cast.bakery).newest_first())
        with django_assert_num_queries(1, connection=connection):
            missing_before(cast.bakery, page)
        with django_assert_num_queries(0, connection=connection):
            assert missing_before(cast.bakery, []) == {}
