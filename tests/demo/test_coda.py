"""CODA files: 128 characters a line, whatever the texts; codes that say what follows."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest
from coda import CODA
from coda import Statement as Read
from hypothesis import given
from hypothesis import strategies as st

from demo.data import books, coda
from demo.data.coda import Movement, Statement

NUMBER = "0010000007"
TODAY = date(2026, 3, 2)
MOVEMENT = Movement(cents=-1250, name="Café", iban="BE11971172465673", text="Factuur 12")
STATEMENT = Statement(
    iban="BE62971000000986",
    bic="DEMOBEBB",
    holder="Bakkerij D'Hondt & Zonen",
    number=7,
    day=date(2026, 1, 26),
    previous_day=date(2026, 1, 20),
    opening=100_000,
    movements=(MOVEMENT,),
)
# Odd letters seldom come in great number, so long texts are made on purpose.
TEXTS = st.text(max_size=60) | st.integers(0, 300).map(lambda length: ("Détail " * 43)[:length])
MOVEMENTS = st.builds(
    Movement,
    cents=st.integers(-(10**12), 10**12).filter(bool),
    name=st.text(max_size=60),
    iban=st.just(MOVEMENT.iban),
    text=TEXTS,
    structured=st.sampled_from(["", "001234567890"]),
    note=TEXTS,
    bic=st.sampled_from(["", "TESTBE22"]),
)


def lines_of(statement: Statement) -> list[str]:
    lines = coda.write(statement, NUMBER).decode("latin-1").split("\r\n")
    assert lines.pop() == ""
    return lines


def read(statement: Statement) -> Read:
    """What a reader that we did not write makes of the file."""
    text = coda.write(statement, NUMBER).decode("latin-1")
    (found,) = CODA(io.StringIO(text)).statements
    return found


def read_movement(**changes: object) -> tuple[Statement, Read]:
    statement = replace(STATEMENT, movements=(replace(MOVEMENT, **changes),))  # type: ignore[arg-type]
    return statement, read(statement)


@given(st.text(max_size=80), st.integers(1, 999), st.lists(MOVEMENTS, max_size=4))
def test_no_text_breaks_a_line_or_changes_an_amount(
    holder: str, number: int, movements: list[Movement]
) -> None:
    statement = replace(STATEMENT, holder=holder, number=number, movements=tuple(movements))
    assert {len(line) for line in lines_of(statement)} == {128}
    found = read(statement)
    assert found.new_balance * 100 == statement.closing
    assert [move.amount * 100 for move in found.moves] == [m.cents for m in movements]


@given(st.lists(MOVEMENTS, min_size=1, max_size=4), st.sampled_from([7, 10]))
def test_each_line_says_truly_what_follows_it(movements: list[Movement], number: int) -> None:
    lines = lines_of(replace(STATEMENT, number=number, movements=tuple(movements)))
    for line, after in pairwise(lines):
        if line[0] in "23":
            same_record = after[0] == line[0] and after[2:10] == line[2:10]
            assert (line[125] == "1") == same_record
        if line[:2] == "23":
            assert (line[127] == "1") == (after[:2] == "31")
        if line[0] == "8":
            assert (line[127] == "1") == (after[0] == "4")
    assert lines[-1][127] == "2"


def test_movements_are_numbered_without_a_gap() -> None:
    lines = lines_of(replace(STATEMENT, movements=(MOVEMENT,) * 5))
    starts = [line[2:10] for line in lines if line[:2] == "21"]
    assert starts == [f"{place:04d}0000" for place in range(1, 6)]


def test_a_long_text_runs_on_over_the_records_of_its_movement() -> None:
    text = " ".join(f"woord{place}" for place in range(18))
    assert 106 < len(text) <= 149
    _, found = read_movement(text=text)
    assert found.moves[0].communication == text


def test_a_long_note_runs_on_over_three_records() -> None:
    note = " ".join(f"regel{place}" for place in range(32))
    statement, found = read_movement(note=note)
    records = [line for line in lines_of(statement) if line[0] == "3"]
    assert [line[:2] for line in records] == ["31", "32", "33"]
    # The reader joins the records, but has no word for a free note: its places are read here.
    first, second, third = records
    assert (first[40:113] + second[10:115] + third[10:100]).rstrip() == note
    assert len(found.informations) == 1


def test_a_structured_communication_is_told_as_type_101() -> None:
    _, found = read_movement(structured="072572629941")
    assert found.moves[0].communication_type == "101"
    assert found.moves[0].communication == "072572629941"


def test_money_in_and_money_out_carry_the_codes_of_transfers_unless_told_otherwise() -> None:
    for cents, given_code, code in [
        (-1, "", "00101000"),
        (1, "", "00150000"),
        (-1, "0501000", "00501000"),
    ]:
        _, found = read_movement(cents=cents, code=given_code)
        assert found.moves[0].transaction_code == code


def test_the_bank_of_the_counterparty_is_told() -> None:
    _, found = read_movement(bic="TESTBE22")
    assert found.moves[0].counterparty_bic == "TESTBE22"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Boulangerie Œuvrard", "Boulangerie OEuvrard"),
        ("Ķekava Timber", "Kekava Timber"),
        ("Šimek & Łukasz", "Simek & Lukasz"),
        ("L’Étoile – “Nord”", 'L\'Étoile - "Nord"'),
        ("Straße 5 €", "Straße 5 EUR"),
        ("Twee\r\nregels", "Twee  regels"),
        ("Ελ", "??"),
    ],
)
def test_letters_that_latin_1_lacks_are_spelt_with_those_it_has(name: str, written: str) -> None:
    _, found = read_movement(name=name)
    assert found.moves[0].counterparty_name == written


def test_an_amount_with_too_many_digits_is_refused() -> None:
    with pytest.raises(ValueError, match="15 digits"):
        coda.write(replace(STATEMENT, opening=10**14), NUMBER)


def test_the_header_tells_the_holder_and_its_enterprise_number() -> None:
    found = read(STATEMENT)
    assert found.company_id == f"0{NUMBER}"
    assert found.bic == STATEMENT.bic
    assert found.account_currency == "EUR"
    assert found.version == 2
    assert lines_of(STATEMENT)[0][14:16] == "05"


def test_the_demo_uses_every_kind_of_record() -> None:
    kinds = set()
    for company in books.offices()[0].companies[:20]:
        for statement in books.statements(company, 32, TODAY):
            kinds |= {line[:2] if line[0] in "23" else line[0] for line in lines_of(statement)}
    assert kinds == {"0", "1", "21", "22", "23", "31", "32", "33", "4", "8", "9"}


@pytest.mark.parametrize("office", books.offices(), ids=lambda office: office.slug)
def test_an_independent_reader_accepts_statements_of_every_company(
    office: books.OfficeBooks,
) -> None:
    for company in office.companies:
        for statement in list(books.statements(company, office.statements_each, TODAY))[::8]:
            text = coda.write(statement, company.number).decode("latin-1")
            (found,) = CODA(io.StringIO(text)).statements
            assert found.new_balance * 100 == statement.closing
