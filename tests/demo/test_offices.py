"""The cast of the demo: who is where, and that no two things share a name they must not share."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest

from demo.data import books

OFFICES = books.offices()
EVERYWHERE = books.offices(large=True)


def test_the_offices_speak_four_languages() -> None:
    assert {office.language for office in OFFICES} == {"nl", "fr", "de", "en"}


def test_eva_works_in_three_offices_and_one_office_has_a_single_admin() -> None:
    assert sum(books.EVA in office.people for office in OFFICES) == 3
    admins = [sum(p.role == "admin" for p in office.people) for office in OFFICES]
    assert admins.count(1) == 1
    assert min(admins) == 1


def test_offices_slugs_and_codes_are_not_shared() -> None:
    assert len({office.slug for office in EVERYWHERE}) == len(EVERYWHERE)
    numbers = [office.number for office in EVERYWHERE]
    numbers += [company.number for office in EVERYWHERE for company in office.companies]
    numbers += [software.number for software in books.all_software("http://localhost:8001")]
    assert len(set(numbers)) == len(numbers)
    for office in EVERYWHERE:
        assert len({company.code for company in office.companies}) == len(office.companies)


@pytest.mark.parametrize("office", OFFICES, ids=lambda office: office.slug)
def test_each_office_has_awkward_companies(office: books.OfficeBooks) -> None:
    names = [company.name for company in office.companies]
    assert len(set(names)) < len(names)
    assert max(len(name) for name in names) > 75
    assert not all(name.isascii() for name in names)
    assert [company.email for company in office.companies].count("") == 1


def test_the_large_demo_adds_one_office_of_5000_companies() -> None:
    assert EVERYWHERE[:-1] == OFFICES
    assert len(EVERYWHERE[-1].companies) == 5000


def test_the_first_partner_sends_people_back_to_the_demo_software() -> None:
    first, *others = books.all_software("http://localhost:8123")
    assert first.redirects == (
        "http://localhost:8123/callback",
        "https://software.example/callback",
    )
    assert not {uri for other in others for uri in other.redirects} & set(first.redirects)


@pytest.mark.parametrize("until", [date(2026, 3, 2), date(2024, 2, 29), date(2025, 12, 31)])
def test_statements_fall_on_working_days_of_the_last_24_months(until: date) -> None:
    for company in OFFICES[2].companies:
        days = [statement.day for statement in books.statements(company, 32, until)]
        assert all(earlier < later for earlier, later in pairwise(days))
        assert all(day.weekday() < 5 for day in days)
        assert until - timedelta(days=731) < days[0]
        assert days[-1] < until


def test_an_older_account_does_not_begin_with_number_one() -> None:
    until = date(2026, 3, 2)
    firsts = [next(books.statements(company, 32, until)) for company in OFFICES[0].companies]
    assert max(first.number for first in firsts) > 1
    assert all(1 <= first.number <= 17 for first in firsts)
