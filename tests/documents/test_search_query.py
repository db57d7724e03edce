"""What people type to find a document: a number, a name, an amount, a date, in any spelling."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from core.document_kinds import Kind
from core.row_security import office_scope
from documents.models import DocumentDetails
from documents.search_query import amounts_in, day_in
from tests import factories
from tests.conftest import Cast


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("1.234,56", {"1234.56"}),
        ("1,234.56", {"1234.56"}),
        ("1234.56", {"1234.56"}),
        ("1234,56", {"1234.56"}),
        ("€ 1 234,56", {"1234.56"}),
        ("1\u00a0234,56 EUR", {"1234.56"}),
        ("-12,5", {"12.5"}),
        ("−12,50", {"12.50"}),
        ("1.234.567", {"1234567"}),
        # A point before three digits is a thousand in Dutch and a thousandth in English.
        ("1.234", {"1234", "1.234"}),
        ("1234", {"1234"}),
        ("12/03/2026", set()),
        ("1.23.4", set()),
        ("12a", set()),
        ("9" * 40, set()),
        ("", set()),
    ],
)
def test_anna_writes_an_amount_as_she_is_used_to(text: str, amounts: set[str]) -> None:
    assert amounts_in(text) == {Decimal(amount) for amount in amounts}


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("02/03/2026", date(2026, 3, 2)),
        ("2/3/2026", date(2026, 3, 2)),
        ("02-03-2026", date(2026, 3, 2)),
        ("02.03.2026", date(2026, 3, 2)),
        ("2026-03-02", date(2026, 3, 2)),
        ("31/02/2026", None),
        ("2026", None),
        ("02/03-2026", None),
    ],
)
def test_anna_writes_a_date_with_the_day_first(text: str, day: date | None) -> None:
    assert day_in(text) == day


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("dupont", True),
        ("DUPONT plombier", True),
        ("dupont müller", False),
        ("F-2026/17", True),
        ("1.234,50", True),
        ("1,234.50", True),
        ("1 234,50", True),
        ("1234.5", True),
        ("02/03/2026", True),
        ("02-03-2026 dupont", True),
        ("03-03-2026 dupont", False),
        ("+++090/9337/55493+++", True),
        ("090933755493", True),
        ("be68 5390", False),
        ("100%", False),
        ("_", False),
        ("", True),
    ],
)
def test_anna_finds_an_invoice_by_what_stands_on_it(cast: Cast, text: str, found: bool) -> None:
    invoice = factories.make_filed_document(
        cast.bakery,
        kind=Kind.PURCHASE_INVOICE,
        number="F-2026/17",
        counterparty="Plomberie Dupont",
        amount=Decimal("1234.5"),
        words="f-2026/17 plomberie dupont plombier +++090/9337/55493+++",
    )
    with office_scope(cast.janssens.pk):
        assert (
            invoice in DocumentDetails.objects.filter(client=cast.bakery).matching(text)
        ) is found


@pytest.mark.parametrize(
    ("text", "found"),
    [("65,20", True), ("65.2", True), ("1.765,20", True), ("5,20", False), ("65,21", False)],
)
def test_anna_finds_a_statement_by_the_amount_of_a_movement(
    cast: Cast, text: str, found: bool
) -> None:
    filing = factories.make_filed_document(cast.bakery, words="be68\nmaes\n65.20\nde beer\n1765.20")
    with office_scope(cast.janssens.pk):
        assert (
            filing in DocumentDetails.objects.filter(client=cast.bakery).matching(text)
        ) is found


def test_anna_finds_a_statement_by_its_account_in_groups_of_four(cast: Cast) -> None:
    filing = factories.make_filed_document(cast.bakery, series="BE68539007547034")
    with office_scope(cast.janssens.pk):
        mine = DocumentDetails.objects.filter(client=cast.bakery)
        assert filing in mine.matching("BE68 5390 0754 7034")
        assert filing not in mine.matching("BE68 5390 0754 7035")
