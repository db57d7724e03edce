"""Demo data look real, add up, and cannot be real."""

from __future__ import annotations

import io
import itertools
from datetime import date

import pytest
from coda import CODA
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban as ibans
from stdnum.be import iban as belgian_ibans
from stdnum.be import vat

from demo.data import books, coda, numbers
from demo.data.books import Company

TODAY = date(2026, 3, 2)
COMPANIES = [company for office in books.offices() for company in office.companies]


def some_statements(company: Company, count: int = 32) -> list[coda.Statement]:
    return list(books.statements(company, count, TODAY))


@given(st.integers(min_value=0, max_value=9999))
def test_an_enterprise_number_is_correct_and_too_low_to_be_real(serial: int) -> None:
    number = numbers.company_number(serial)
    assert number.startswith("0010")
    assert vat.is_valid(number)


@given(st.integers(min_value=0, max_value=2_000_000))
def test_an_iban_passes_the_international_check_and_fails_the_belgian_one(serial: int) -> None:
    number = numbers.iban(serial)
    assert ibans.is_valid(number, check_country=False)
    assert not belgian_ibans.is_valid(number)


def test_there_are_enough_offices_people_companies_and_statements() -> None:
    offices = books.offices()
    people = {person.email for office in offices for person in office.people}
    assert len(offices) >= 4
    assert len(people) >= 12
    assert len(COMPANIES) >= 200
    assert sum(len(o.companies) * o.statements_each for o in offices) >= 6000
    assert len(books.all_software("http://localhost:8001")) >= 3


def test_awkward_names_are_there_twice_and_with_accents() -> None:
    names = [company.name for company in COMPANIES]
    assert len(set(names)) < len(names)
    assert any("'" in name for name in names)
    assert any("é" in name.lower() for name in names)
    assert any(company.email == "" for company in COMPANIES)


def test_numbers_and_accounts_are_unique() -> None:
    everything = [c for office in books.offices(large=True) for c in office.companies]
    assert len({company.number for company in everything}) == len(everything)
    assert len({company.iban for company in everything}) == len(everything)


@pytest.mark.parametrize("place", [0, 3, 7, 9, 100, 150])
def test_balances_run_on_from_one_statement_to_the_next(place: int) -> None:
    row = some_statements(COMPANIES[place])
    assert len(row) == 32
    assert (row[-1].day - row[0].day).days > 500
    for earlier, later in itertools.pairwise(row):
        assert later.opening == earlier.closing
        assert later.previous_day == earlier.day
        assert later.number == (earlier.number + 1 if later.day.year == earlier.day.year else 1)


@pytest.mark.parametrize("place", [0, 1, 2, 7, 9, 60, 150])
def test_an_independent_reader_reads_what_was_written(place: int) -> None:
    for statement in some_statements(COMPANIES[place])[:8]:
        data = coda.write(statement, COMPANIES[place].number)
        (read,) = CODA(io.StringIO(data.decode("latin-1"))).statements
        assert read.old_balance * 100 == statement.opening
        assert read.new_balance * 100 == statement.closing
        assert read.old_balance_date == statement.previous_day
        assert read.account.strip() == statement.iban
        assert [move.amount * 100 for move in read.moves] == [m.cents for m in statement.movements]
        assert [move.counterparty_account[:34].strip() for move in read.moves] == [
            m.iban for m in statement.movements
        ]


@pytest.mark.parametrize("company", COMPANIES[::23], ids=lambda c: c.number)
def test_every_line_has_128_characters_of_latin_1(company: Company) -> None:
    for statement in some_statements(company):
        data = coda.write(statement, company.number)
        lines = data.decode("latin-1").split("\r\n")
        assert lines.pop() == ""
        assert {len(line) for line in lines} == {128}
        assert [lines[0][0], lines[1][0], lines[-1][0]] == ["0", "1", "9"]
        counted = sum(line[0] in "1238" for line in lines)
        assert int(lines[-1][16:22]) == counted
        debit, credit = int(lines[-1][22:37]), int(lines[-1][37:52])
        assert (credit - debit) == (statement.closing - statement.opening) * 10


def test_the_same_statement_gives_the_same_bytes() -> None:
    statement = some_statements(COMPANIES[0])[0]
    assert coda.write(statement, "0010000034") == coda.write(statement, "0010000034")
