"""The facts of a structured file: opens everywhere and says all that the file says."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from core.pdf import MARKS, figure, in_fours, printable
from demo.data import books, coda, other_documents
from demo.data.names import AWKWARD
from documents.formats import (
    BankStatement,
    Expense,
    Facts,
    Invoice,
    Movement,
    Party,
    PayrollStatement,
)
from documents.formats.reading import read
from documents.rendering import pdf
from documents.rendering.pdf import render

TODAY = date(2026, 3, 2)
COMPANY = books.offices()[1].companies[2]
MOVEMENT = Movement(
    number=1,
    amount=Decimal("-1234567.89"),
    booked_on=date(2026, 1, 26),
    value_on=date(2026, 1, 27),
    name="Telecom Vlaanderen NV",
    iban="BE11971172465673",
    communication="Abonnement 7",
)
STATEMENT = BankStatement(
    iban="BE62971000000986",
    bic="DEMOBEBB",
    currency="EUR",
    holder=Party("L'Étoile du Nord SRL", "0010000007"),
    number=7,
    dated_on=date(2026, 1, 26),
    previous_on=date(2026, 1, 20),
    opening=Decimal("9876.54"),
    closing=Decimal("-1224691.35"),
    movements=(MOVEMENT,),
)


def others() -> list[Facts]:
    files = [
        data
        for facts in other_documents.other_documents(COMPANY, TODAY)
        for data in facts.files.values()
    ]
    return [sheet.facts for data in files for sheet in read(data)]


def pages_of(facts: Facts, language: str = "en") -> list[str]:
    reader = PdfReader(io.BytesIO(render(facts, language)), strict=True)
    return [page.extract_text() for page in reader.pages]


def text_of(facts: Facts, language: str = "en") -> str:
    return "\n".join(pages_of(facts, language))


def test_a_statement_tells_accounts_days_counterparties_and_amounts() -> None:
    (text,) = pages_of(STATEMENT)
    for part in [
        "BE62 9710 0000 0986", "DEMOBEBB", "0010000007", "26/01/2026", "27/01/2026", "20/01/2026",
        "No. 7 / 2026", "L'Étoile du Nord SRL", "Telecom Vlaanderen NV", "BE11 9711 7246 5673",
        "Abonnement 7", "-1,234,567.89", "9,876.54 EUR", "-1,224,691.35 EUR", "1 / 1",
    ]:  # fmt: skip
        assert part in text


def test_a_structured_communication_and_the_lines_of_a_sum_are_told() -> None:
    line = replace(MOVEMENT, amount=Decimal("-12.30"), name="Loon Émile", communication="januari")
    below = replace(line, amount=Decimal("-2.10"), name="", iban="", communication="kosten")
    movement = replace(
        MOVEMENT,
        structured="+++090/9337/55493+++",
        details=(replace(line, details=(below,)),),
    )
    text = text_of(replace(STATEMENT, movements=(movement,), messages=("Nieuwe tarieven",)))
    for part in ["+++090/9337/55493+++", "Loon Émile", "januari", "-12.30", "kosten", "-2.10"]:
        assert part in text
    assert "Nieuwe tarieven" in text


def test_the_demos_statements_show_every_movement_and_both_balances() -> None:
    for told in list(books.statements(COMPANY, 32, TODAY))[::4]:
        (sheet,) = read(coda.write(told, COMPANY.number))
        text = text_of(sheet.facts, "nl")
        assert isinstance(sheet.facts, BankStatement)
        amounts = [movement.amount for movement in sheet.facts.movements]
        for amount in [sheet.facts.opening, *amounts, sheet.facts.closing]:
            assert figure(amount, "nl") in text
        for movement in sheet.facts.movements:
            assert movement.name in text
            words = " ".join(text.split())
            assert all(word in words for word in movement.communication.split())


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (10, 1), (40, 3), (400, 17)])
def test_balances_stand_once_and_every_movement_once(count: int, pages: int) -> None:
    movements = tuple(
        replace(MOVEMENT, communication=f"Nummer {place:03d}.") for place in range(count)
    )
    texts = pages_of(replace(STATEMENT, movements=movements))
    assert abs(len(texts) - pages) <= 1
    assert [place for place, text in enumerate(texts) if "Opening balance" in text] == [0]
    assert [place for place, text in enumerate(texts) if "Closing balance" in text] == [
        len(texts) - 1
    ]
    whole = "".join(texts)
    assert all(whole.count(f"Nummer {place:03d}.") == 1 for place in range(count))
    assert f"{len(texts)} / {len(texts)}" in texts[-1]


@pytest.mark.parametrize(
    ("most", "more"), [(12, ""), (11, "1 more line"), (2, "10 more lines"), (0, "12 more lines")]
)
def test_a_table_that_is_too_long_says_how_many_lines_are_left_out(
    monkeypatch: pytest.MonkeyPatch, most: int, more: str
) -> None:
    monkeypatch.setattr(pdf, "MOST_ROWS", most)
    movements = tuple(
        replace(MOVEMENT, communication=f"Nummer {place:03d}.") for place in range(12)
    )
    text = text_of(replace(STATEMENT, movements=movements))
    assert text.count("Nummer") == most
    assert ("more line" in text) is bool(more)
    assert more in text
    assert text.count("Closing balance") == 1


def test_an_invoice_tells_parties_lines_vat_and_what_to_pay() -> None:
    invoices = [facts for facts in others() if isinstance(facts, Invoice)]
    assert len(invoices) == 6
    for facts in invoices:
        text = text_of(facts)
        for part in [facts.number, facts.supplier.company_number, facts.customer.company_number]:
            assert part in text
        assert printable(facts.customer.name)[:20] in text
        for amount in [facts.net, facts.vat, facts.payable]:
            assert figure(amount, "en") in text
        for line in facts.lines:
            assert line.description in text
        assert "21 %" in text
        assert "Credit note" not in text
        assert "Credit note" in text_of(replace(facts, is_credit_note=True))


def test_allowances_and_what_is_paid_already_are_shown_as_what_lies_between() -> None:
    facts = next(facts for facts in others() if isinstance(facts, Invoice))
    net, vat, (line,) = facts.net, facts.vat, facts.lines
    text = text_of(
        replace(facts, lines=(replace(line, net=net + 5),), payable=net + vat - Decimal("7.25"))
    )
    assert "-5.00" in text
    assert "-7.25" in text


def test_wages_and_cards_tell_each_line_and_the_total() -> None:
    seen = set()
    for facts in others():
        if isinstance(facts, Invoice | BankStatement):
            continue
        text = text_of(facts)
        assert facts.period in text
        if isinstance(facts, PayrollStatement):
            for line in facts.bookings:
                assert f"{line.account} {line.label}" in text
                assert figure(line.debit or line.credit, "en") in text
        else:
            for expense in facts.expenses:
                assert printable(expense.merchant) in text
                assert figure(expense.amount, "en") in text
            assert figure(facts.total, "en") in text
            dated = replace(facts.expenses[0], spent_on=date(2026, 2, 3))
            assert "03/02/2026" in text_of(replace(facts, expenses=(dated,)))
        seen.add(type(facts))
    assert len(seen) == 2


@pytest.mark.parametrize("name", sorted({name for names in AWKWARD.values() for name in names}))
def test_a_pdf_opens_with_every_awkward_name(name: str) -> None:
    text = text_of(replace(STATEMENT, holder=Party(name)))
    assert "?" not in text
    assert printable(name).replace(" ", "") in "".join(text.split())


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=120), st.text(max_size=400), st.sampled_from([*MARKS, "xx"]))
def test_no_text_keeps_a_pdf_from_opening(name: str, words: str, language: str) -> None:
    movement = replace(MOVEMENT, name=name, communication=words, iban=name, structured=words)
    facts = replace(STATEMENT, holder=Party(name), movements=(movement,) * 2, messages=(words,))
    assert figure(STATEMENT.opening, language if language in MARKS else "en") in text_of(
        facts, language
    )


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("Boulangerie Œuvrard 5 €", "Boulangerie Œuvrard 5 €"),
        ("Ķekava Šimek & Łukasz", "Ķekava Šimek & Łukasz"),
        ("L’Étoile – “Nord” (1\\2)", "L’Étoile – “Nord” (1\\2)"),
        ("Twee\r\nregels", "Twee regels"),
        ("Ελ София 東京 ﬁ", "Ελ София ?? fi"),
    ],
)
def test_letters_that_the_fonts_lack_are_spelt_with_those_they_have(
    name: str, printed: str
) -> None:
    text = text_of(replace(STATEMENT, movements=(replace(MOVEMENT, communication=name),)))
    assert printed in text


def test_a_name_wider_than_the_page_goes_on_below_whole() -> None:
    (text,) = pages_of(replace(STATEMENT, holder=Party("W" * 120)))
    lines = [line for line in text.splitlines() if line.startswith("WWW")]
    assert "".join(lines) == "W" * 120
    assert all(len(line) < 60 for line in lines)


def test_markup_and_code_in_a_name_stay_text() -> None:
    name = '#read("typeset.py") *b* $x$ = [y] \\ @z <w> // `v`'
    (text,) = pages_of(replace(STATEMENT, holder=Party(name)))
    assert name in text


def test_the_same_paper_gives_the_same_bytes() -> None:
    assert render(STATEMENT, "fr") == render(STATEMENT, "fr")
    assert render(STATEMENT, "fr") != render(STATEMENT, "de")
    assert render(STATEMENT, "pt") == render(STATEMENT, "en")


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", "-1,234,567.89"),
        ("nl", "-1.234.567,89"),
        ("fr", "-1 234 567,89"),
        ("de", "-1.234.567,89"),
    ],
)
def test_figures_are_written_as_the_language_does(language: str, written: str) -> None:
    assert figure(Decimal("-1234567.89"), language) == written
    assert written in text_of(STATEMENT, language)
    assert re.search(r"0[.,]125$", figure(Decimal("0.125"), language))


def test_an_iban_is_shown_in_groups_of_four() -> None:
    assert in_fours("BE62971000000986") == "BE62 9710 0000 0986"


def test_what_is_no_paper_is_not_rendered() -> None:
    with pytest.raises(TypeError):
        render(Expense("Café", Decimal(1)), "en")  # type: ignore[arg-type]
