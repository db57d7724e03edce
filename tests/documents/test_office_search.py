"""One search over all documents of an office."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection

from core.plain_text import marked, plain
from core.row_security import every_office
from documents.models import DocumentDetails, SearchEntry
from documents.office_search import found_documents
from documents.search_query import day_in
from tests import factories
from tests.conftest import Cast


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("dupont", True),
        ("Noël  DUPONT", True),
        ("noel", True),
        ("l’oeuvre", True),
        ("l'Œuvre", True),
        ("dupont müller", False),
        ("dupo", True),
        ("f-2026/17", True),
        ("2026/18", False),
        ("1.234,50", True),
        ("1 234,50", True),
        ("1.234,51", False),
        ("02/03/2026", True),
        ("2 March 2026", True),
        ("2 maart 2026 dupont", True),
        ("3 maart 2026", False),
        ("+++090/9337/55493+++", True),
        ("090933755493", True),
        ("BE68 5390 0754 7034", True),
        ("BE68 5390 0754 7035", False),
        ("&", False),
        ("", False),
    ],
)
def test_anna_finds_a_document_among_all_companies(cast: Cast, text: str, found: bool) -> None:
    invoice = factories.make_filed_document(
        cast.bakery,
        number="F-2026/17",
        amount=Decimal("-1234.5"),
        words=plain("L'Œuvre Noël Dupont\n+++090/9337/55493+++\n090933755493"),
    )
    assert found_documents(cast.janssens, text, 5) == ([invoice] if found else [])
    assert found_documents(cast.peeters, text, 5) == []


def test_the_newest_come_first_and_a_page_has_its_size(cast: Cast) -> None:
    days = [date(2025, 1, 31), date(2026, 3, 2), date(2026, 3, 1)]
    for day in days:
        factories.make_filed_document(cast.bakery, dated_on=day, words="maes")
    found = found_documents(cast.janssens, "Maes", 2)
    assert [one.dated_on for one in found] == [date(2026, 3, 2), date(2026, 3, 1)]


def test_what_left_with_its_company_is_found_by_the_new_office_alone(cast: Cast) -> None:
    filed = factories.make_filed_document(cast.bakery, words="maes")
    factories.transfer(cast.bakery, cast.anna, cast.peeters, cast.chloe)
    assert found_documents(cast.janssens, "maes", 5) == []
    assert found_documents(cast.peeters, "maes", 5) == [filed]


def test_a_deleted_document_leaves_no_words(cast: Cast) -> None:
    filed = factories.make_filed_document(cast.bakery, words="maes")
    assert SearchEntry.objects.filter(pk=filed.pk).exists()
    with every_office():
        DocumentDetails.objects.filter(pk=filed.pk).delete()
    assert not SearchEntry.objects.filter(pk=filed.pk).exists()


def test_the_search_reads_its_index_and_not_the_documents(cast: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute("set local enable_seqscan = off")
        cursor.execute(
            "explain select 1 from documents_searchentry"
            " where words && documents_search_keys(1, '2026-03-01', '{maes}')"
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "documents_search_words" in plan


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("26 November 2026", date(2026, 11, 26)),
        ("26 Nov 2026", date(2026, 11, 26)),
        ("1er décembre 2026", date(2026, 12, 1)),
        ("1. März 2026", date(2026, 3, 1)),
        ("2 mrt 2026", date(2026, 3, 2)),
        ("31 februari 2026", None),
        ("2 maes 2026", None),
    ],
)
def test_a_day_is_found_as_the_screens_show_it(text: str, day: date | None) -> None:
    assert day_in(text) == day


def test_what_was_looked_for_is_marked_in_any_spelling() -> None:
    pieces = marked("L’Œuvre de Noël", ["oeuvre", "noel"])
    assert [(piece.text, piece.marked) for piece in pieces] == [
        ("L’", False), ("Œuvre", True), (" de ", False), ("Noël", True),
    ]  # fmt: skip
    assert marked("Œ", ["o"]) == [("Œ", True)]
    assert marked("", ["x"]) == []
