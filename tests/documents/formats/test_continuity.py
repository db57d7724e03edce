"""Statements of one account in a row: what is missing between two is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from demo.data import books, coda
from documents.formats import BankStatement
from documents.formats.continuity import gap_between
from documents.formats.reading import read

COMPANY = books.offices()[0].companies[0]
STATEMENTS = [
    parsed.facts
    for told in books.statements(COMPANY, 32, date(2026, 3, 2))
    for parsed in read(coda.write(told, COMPANY.number))
    if isinstance(parsed.facts, BankStatement)
]


def statement(number: int, day: date, opening: str, closing: str) -> BankStatement:
    return replace(
        STATEMENTS[0],
        number=number,
        dated_on=day,
        opening=Decimal(opening),
        closing=Decimal(closing),
    )


BEFORE = statement(7, date(2025, 12, 30), "10.00", "25.00")


def test_the_demo_has_no_gap() -> None:
    assert len({paper.dated_on.year for paper in STATEMENTS}) == 3
    assert [gap_between(one, other) for one, other in pairwise(STATEMENTS)] == [None] * 31


def test_every_statement_left_out_of_the_demo_is_missed() -> None:
    for before, left_out, after in zip(STATEMENTS, STATEMENTS[1:], STATEMENTS[2:], strict=False):
        gap = gap_between(before, after)
        assert gap
        assert gap.moved == left_out.closing - left_out.opening
        if before.dated_on.year == after.dated_on.year:
            assert gap.first == gap.last == left_out.number


@pytest.mark.parametrize(
    ("number", "day", "opening", "told"),
    [
        (8, date(2025, 12, 31), "25.00", ""),
        (1, date(2026, 1, 2), "25.00", ""),
        (8, date(2026, 1, 2), "25.00", ""),
        (0, date(2026, 1, 2), "25.00", ""),
        (9, date(2025, 12, 31), "25.00", "number 8 of 2025 is missing"),
        (
            12,
            date(2025, 12, 31),
            "20.00",
            "numbers 8 to 11 of 2025 are missing; the balance moved by -5.00 in between",
        ),
        (3, date(2026, 1, 9), "25.00", "numbers 1 to 2 of 2026 are missing"),
        (8, date(2025, 12, 31), "25.01", "the balance moved by 0.01 in between"),
        (0, date(2026, 1, 2), "30.00", "the balance moved by 5.00 in between"),
    ],
)
def test_a_gap_is_named(number: int, day: date, opening: str, told: str) -> None:
    gap = gap_between(BEFORE, statement(number, day, opening, "0.00"))
    assert str(gap or "") == told


def test_statements_of_two_accounts_or_in_the_wrong_order_are_not_compared() -> None:
    with pytest.raises(ValueError, match="two accounts"):
        gap_between(BEFORE, replace(BEFORE, iban="BE62971000000986"))
    with pytest.raises(ValueError, match="is after"):
        gap_between(BEFORE, replace(BEFORE, dated_on=date(2025, 1, 1)))
