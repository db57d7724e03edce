"""The reader of CODA: what a bank writes comes back, and an independent reader agrees."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import coda as febelfin
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from demo.data import books, numbers
from demo.data import coda as demo
from documents.formats import BankStatement, Movement, ParsedDocument, Party
from documents.formats.charsets import LATIN_1, charset_of
from documents.formats.fields import between_pluses
from documents.formats.reading import read
from tests.documents.formats.bank import Bank

TODAY = date(2026, 3, 2)
# A case that fails is small enough to read: making it smaller takes minutes.
PHASES = (Phase.explicit, Phase.generate)
LETTERS = st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_categories=["Cc"])
DAYS = st.dates(date(1969, 1, 1), date(2068, 12, 31))
AMOUNTS = st.integers(-(10**12), 10**12).map(lambda thousandths: Decimal(thousandths) / 1000)


def words(most: int, least: int = 0) -> st.SearchStrategy[str]:
    """Text as it can stand in a field: without blanks at its ends, and no UTF-8 by chance."""
    return (
        st.text(LETTERS, min_size=least, max_size=most)
        .map(lambda text: text.strip() or "x" * least)
        .filter(lambda text: text.isascii() or charset_of(text.encode("latin-1")) == LATIN_1)
    )


# Long texts are seldom drawn, so they are made on purpose.
LONG = st.integers(1, 149).map(lambda length: ("Détail n° 7 " * 13)[:length].strip())
STRUCTURED = st.integers(0, 10**10 - 1).map(
    lambda serial: between_pluses(numbers.structured_communication(serial))
)
PLAIN = st.builds(
    Movement,
    number=st.just(0),
    amount=AMOUNTS,
    booked_on=DAYS,
    value_on=DAYS | st.none(),
    name=words(35),
    iban=st.sampled_from(["", "BE11971172465673", "NL34KRED0633083542", "LU-0123/45"]),
    bic=st.sampled_from(["", "TESTBE22", "KREDNL2XXXX"]),
    communication=st.just("")
    | st.lists(LONG | words(30, 1), min_size=1, max_size=3).map("\n".join),
    structured=st.just(""),
    reference=words(35, 1),
    code=st.from_regex(r"0[0-9]{7}", fullmatch=True),
)


def of_type(movement: Movement, kind: str, *details: Movement) -> Movement:
    return replace(movement, code=kind + movement.code[1:], details=details)


@st.composite
def movements(draw: st.DrawFn) -> Movement:
    """A movement of any type, with its lines, which make the sum where they must."""
    movement = draw(PLAIN)
    kind = draw(st.sampled_from("0000123s"))
    if kind == "s":
        structured = draw(STRUCTURED)
        assert structured is not None
        return replace(movement, structured=structured, communication="")
    if kind == "0":
        return movement
    lines = draw(st.lists(PLAIN, min_size=1, max_size=3))
    if kind == "3":
        return of_type(movement, "3", *(of_type(line, "8") for line in lines))
    total = sum((line.amount for line in lines), Decimal(0))
    if kind == "2":
        below = draw(st.lists(PLAIN, max_size=2))
        lines = [of_type(line, "6") for line in lines]
        lines[0] = of_type(lines[0], "7", *(of_type(line, "9") for line in below))
    else:
        lines = [of_type(line, "5") for line in lines]
    return replace(of_type(movement, kind, *lines), amount=total)


@st.composite
def statements(draw: st.DrawFn) -> BankStatement:
    found = tuple(draw(st.lists(movements(), max_size=3)))
    opening = draw(AMOUNTS)
    return BankStatement(
        iban=draw(st.sampled_from(["BE47435000000080", "BE62971000000986"])),
        bic="KREDBEBB",
        currency=draw(st.sampled_from(["EUR", "USD"])),
        holder=Party(draw(words(26, 1)), draw(st.sampled_from(["", "0010000007"]))),
        number=draw(st.integers(0, 999)),
        dated_on=draw(DAYS),
        previous_on=draw(DAYS | st.none()),
        opening=opening,
        closing=opening + sum((movement.amount for movement in found), Decimal(0)),
        movements=found,
        messages=tuple(draw(st.lists(words(80, 1), max_size=3))),
    )


BANKS = st.builds(
    Bank,
    structure=st.sampled_from("123"),
    line_end=st.sampled_from(["\n", "\r\n"]),
    wordy=st.booleans(),
)


@settings(max_examples=40, deadline=None, phases=PHASES)
@given(statements(), BANKS)
def test_what_a_bank_writes_is_what_is_read(facts: BankStatement, bank: Bank) -> None:
    data, written = bank.write(facts)
    (parsed,) = read(data)
    assert parsed.facts == written
    assert parsed.data == data
    without_end = data.removesuffix(bank.line_end.encode())
    assert read(without_end)[0].facts == written


@settings(max_examples=10, deadline=None, phases=PHASES)
@given(st.lists(statements(), min_size=2, max_size=3), BANKS)
def test_a_file_of_several_statements_is_cut_into_its_own_bytes(
    papers: list[BankStatement], bank: Bank
) -> None:
    last = len(papers) - 1
    files = [bank.write(facts, last=place == last) for place, facts in enumerate(papers)]
    documents = read(b"".join(data for data, _written in files))
    assert [(parsed.data, parsed.facts) for parsed in documents] == files


def test_a_belgian_number_without_its_iban_becomes_one() -> None:
    facts = replace(an_account(), iban="BE47435000000080")
    data, written = Bank(structure="0").write(facts)
    assert b"435000000080 EUR" in data
    assert read(data)[0].facts == written


def an_account(*found: Movement) -> BankStatement:
    return BankStatement(
        iban="BE62971000000986", bic="DEMOBEBB", currency="EUR",
        holder=Party("Café", "0010000007"), number=7, dated_on=TODAY, previous_on=TODAY,
        opening=Decimal(0), closing=sum((m.amount for m in found), Decimal(0)), movements=found,
    )  # fmt: skip


# --- an independent reader -----------------------------------------------------------------------


def agree(parsed: ParsedDocument, other: febelfin.Statement) -> None:
    """Compare field by field what both have a word for."""
    facts = parsed.facts
    assert isinstance(facts, BankStatement)
    assert (facts.opening, facts.closing) == (other.old_balance, other.new_balance)
    assert facts.currency == other.account_currency
    assert other.account in (facts.iban, facts.iban[4:])
    assert facts.bic == other.bic
    assert (facts.holder.company_number or "0000000000") == other.company_id[1:]
    assert facts.dated_on == other.new_balance_date
    assert facts.number in (int(other.coda_sequence), int(other.old_sequence))
    assert list(facts.messages) == [free.text for free in other.free_communications]
    same_moves(facts.movements, other.moves)


def same_moves(ours: tuple[Movement, ...], others: list[febelfin.Move]) -> None:
    assert len(ours) == len(others)
    for movement, move in zip(ours, others, strict=True):
        assert movement.amount == move.amount
        assert (movement.value_on, movement.booked_on) == (move.value_date, move.entry_date)
        assert movement.code == move.transaction_code
        # The whole name, where the information has it, is told without the blanks of its fields.
        short = (move.counterparty_name or "").split()
        assert movement.name.split()[: len(short)] == short or movement.name.startswith(short[0])
        assert movement.bic == (move.counterparty_bic or "")
        account = (move.counterparty_account or "")[:34].strip()
        if account[:12].isdecimal():
            # A Belgian number is told as its IBAN, and nothing where it is nothing but zeros.
            assert movement.iban.endswith(account[:12].lstrip("0"))
        else:
            assert movement.iban == account
        assert movement.reference == (
            (move.customer_reference or "").strip() or move.bank_reference.strip()
        )
        if move.communication_type in ("101", "102"):
            assert movement.structured.strip("+").replace("/", "") == move.communication
        elif move.communication_type is None:
            # Below it, or in its place where it is blank, stands what the bank adds.
            told = move.communication.strip()
            assert movement.communication.split("\n")[0] == told or not told
        same_moves(movement.details, move.moves)


def test_an_independent_reader_agrees_on_the_demos_statements() -> None:
    seen = 0
    for office in books.offices():
        for company in office.companies[:6]:
            for told in list(books.statements(company, 32, TODAY))[::6]:
                data = demo.write(told, company.number)
                (other,) = febelfin.CODA(io.StringIO(data.decode("latin-1"))).statements
                agree(read(data)[0], other)
                seen += 1
    assert seen > 100


@settings(max_examples=25, deadline=None, phases=PHASES)
@given(statements(), BANKS)
def test_an_independent_reader_agrees_on_whatever_a_bank_writes(
    facts: BankStatement, bank: Bank
) -> None:
    told = tuple(with_days(movement) for movement in facts.movements)
    data, _written = bank.write(replace(facts, movements=told, previous_on=TODAY))
    (other,) = febelfin.CODA(io.StringIO(data.decode("latin-1"))).statements
    agree(read(data)[0], other)


def with_days(movement: Movement) -> Movement:
    """The other reader has no word for a day that is missing, and takes a nameless line apart."""
    return replace(
        movement,
        value_on=movement.value_on or TODAY,
        details=tuple(with_days(replace(line, details=())) for line in movement.details),
    )


def test_both_readers_agree_on_the_sample_of_the_other_one() -> None:
    """59 movements as a bank writes them: sums, charges, cards, cheques, foreign transfers."""
    data = (Path(febelfin.__file__).parent / "CODA.txt").read_bytes()
    (other,) = febelfin.CODA(io.StringIO(data.decode("latin-1"))).statements
    (parsed,) = read(data)
    agree(parsed, other)
    assert isinstance(parsed.facts, BankStatement)
    assert len(parsed.facts.movements) == 59


def test_the_demos_statements_follow_each_other() -> None:
    company = books.offices()[2].companies[0]
    papers: list[Any] = [
        read(demo.write(told, company.number))[0].facts
        for told in books.statements(company, 12, TODAY)
    ]
    assert all(before.closing == after.opening for before, after in pairwise(papers))
