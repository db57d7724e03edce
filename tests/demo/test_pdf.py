"""The printed statement: opens everywhere, says everything, on as many pages as it needs."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date

import pytest
from pypdf import PdfReader

from demo.data import books, numbers, pdf
from demo.data.coda import Movement, Statement
from demo.data.names import AWKWARD

MOVEMENT = Movement(
    cents=-123_456_789, name="Telecom Vlaanderen NV", iban="BE11971172465673", text="Abonnement 7"
)
STATEMENT = Statement(
    iban="BE62971000000986",
    bic="DEMOBEBB",
    holder="L'Étoile du Nord SRL",
    number=7,
    day=date(2026, 1, 26),
    previous_day=date(2026, 1, 20),
    opening=987_654,
    movements=(MOVEMENT,),
)
OPENING, CLOSING = "Vorig saldo", "Nieuw saldo"


def pages_of(statement: Statement) -> list[str]:
    reader = PdfReader(io.BytesIO(pdf.render(statement)), strict=True)
    return [page.extract_text() for page in reader.pages]


@pytest.mark.parametrize("name", sorted({name for names in AWKWARD.values() for name in names}))
def test_a_pdf_opens_with_every_awkward_name(name: str) -> None:
    (text,) = pages_of(replace(STATEMENT, holder=name))
    assert "?" not in text
    assert OPENING in text
    assert CLOSING in text


def test_a_page_tells_account_day_counterparty_and_amounts() -> None:
    (text,) = pages_of(STATEMENT)
    for part in [
        "BE62 9710 0000 0986", "DEMOBEBB", "26/01/2026", "Nr. 7 / 2026", "L'Étoile du Nord SRL",
        "Telecom Vlaanderen NV", "Abonnement 7", "-1 234 567,89", "9 876,54", "-1 224 691,35",
        "1 / 1",
    ]:  # fmt: skip
        assert part in text


def test_a_structured_communication_is_printed_between_pluses() -> None:
    digits = numbers.structured_communication(725_726_299)
    (text,) = pages_of(replace(STATEMENT, movements=(replace(MOVEMENT, structured=digits),)))
    assert numbers.between_pluses(digits) in text


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (16, 1), (17, 2), (40, 3)])
def test_balances_stand_once_and_every_movement_once(count: int, pages: int) -> None:
    movements = tuple(replace(MOVEMENT, text=f"Nummer {place:03d}.") for place in range(count))
    texts = pages_of(replace(STATEMENT, movements=movements))
    assert len(texts) == pages
    assert [OPENING in text for text in texts] == [True] + [False] * (pages - 1)
    assert [CLOSING in text for text in texts] == [False] * (pages - 1) + [True]
    whole = "".join(texts)
    assert all(whole.count(f"Nummer {place:03d}.") == 1 for place in range(count))


def test_a_name_wider_than_the_page_is_cut_with_dots() -> None:
    (text,) = pages_of(replace(STATEMENT, holder="W" * 120))
    (line,) = [line for line in text.splitlines() if line.startswith("WWW")]
    assert line.endswith("...")
    assert len(line) < 60


def test_a_pdf_of_the_demo_shows_the_balances_of_its_statement() -> None:
    office = books.offices()[2]
    for statement in books.statements(office.companies[1], 12, date(2026, 3, 2)):
        whole = "".join(pages_of(statement))
        assert pdf.euros(statement.opening) in whole
        assert pdf.euros(statement.closing) in whole
