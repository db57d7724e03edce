"""Damaged CODA: what is wrong with its money or cut off is refused, what is odd is a warning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal

import pytest

from documents.formats import BankStatement, Movement, Party, Reason, Refused
from documents.formats.file_warnings import Code
from documents.formats.reading import read
from tests.documents.formats.bank import Bank

DAY = date(2026, 1, 26)
PLAIN = Movement(
    number=1, amount=Decimal("-1250.75"), booked_on=DAY, value_on=DAY, name="Café De Zwaan",
    iban="BE11971172465673", bic="TESTBE22", communication="Factuur 12\nDetail bij de bank",
    reference="REF1", code="00101000",
)  # fmt: skip
STRUCTURED = replace(
    PLAIN, amount=Decimal("300.00"), structured="+++090/9337/55493+++", communication=""
)
LINES = tuple(
    replace(PLAIN, amount=Decimal(amount), code="60105000", communication="loon")
    for amount in (-100, -200)
)
SUM = replace(
    PLAIN, amount=Decimal(-300), code="20105000", communication="lonen", details=LINES, name=""
)
FOUND = (PLAIN, STRUCTURED, SUM)
STATEMENT = BankStatement(
    iban="BE62971000000986", bic="DEMOBEBB", currency="EUR", holder=Party("Café", "0010000007"),
    number=7, dated_on=DAY, previous_on=DAY, opening=Decimal("9876.54"),
    closing=Decimal("9876.54") + sum(movement.amount for movement in FOUND),
    movements=FOUND, messages=("Nieuwe tarieven", "Tarifs nouveaux"),
)  # fmt: skip
WHOLE, _ = Bank().write(STATEMENT)
ALL = WHOLE.decode("latin-1").split("\r\n")[:-1]
# Where each record stands: header, old balance, movements, new balance, messages, trailer.
HEADER, OLD, FIRST, SECOND, THIRD, NOTE, CODED = 1, 2, 3, 4, 5, 6, 7
SUM_AT = next(at for at, line in enumerate(ALL, 1) if line[:10] == "2100030000")
LINE_AT = next(at for at, line in enumerate(ALL, 1) if line[:10] == "2100030001")
NEW, MESSAGE, TRAILER = len(ALL) - 3, len(ALL) - 2, len(ALL)

Damage = Callable[[list[str]], list[str] | bytes]


def put(line: int, place: int, text: str) -> Damage:
    """Overwrite what stands in a line; both are counted from 1."""

    def damage(lines: list[str]) -> list[str]:
        whole = lines[line - 1]
        lines[line - 1] = whole[: place - 1] + text + whole[place - 1 + len(text) :]
        return lines

    return damage


def changed(damage: Damage, lines: list[str]) -> list[str]:
    """The lines after a damage that leaves lines."""
    after = damage(lines)
    assert isinstance(after, list)
    return after


def drop(*numbers: int) -> Damage:
    return lambda lines: [line for at, line in enumerate(lines, 1) if at not in numbers]


def add(after: int, line: str) -> Damage:
    return lambda lines: [*lines[:after], line, *lines[after:]]


def cut(size: int) -> Damage:
    return lambda lines: whole(lines)[:size]


def whole(lines: list[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1")


def swap(one: int, other: int) -> Damage:
    def damage(lines: list[str]) -> list[str]:
        lines[one - 1], lines[other - 1] = lines[other - 1], lines[one - 1]
        return lines

    return damage


DAMAGES: dict[str, tuple[Damage, Reason, int | None]] = {
    "cut inside a line": (cut(700), Reason.CUT_OFF, 6),
    "cut one letter before the end": (lambda lines: whole(lines)[:-3], Reason.CUT_OFF, TRAILER),
    "cut behind a movement": (cut(130 * NOTE), Reason.CUT_OFF, NOTE),
    "cut inside a movement": (cut(130 * FIRST), Reason.CUT_OFF, FIRST),
    "cut before the information": (cut(130 * THIRD), Reason.CUT_OFF, THIRD),
    "cut behind the header": (cut(130), Reason.CUT_OFF, HEADER),
    "no trailer": (drop(TRAILER), Reason.CUT_OFF, TRAILER - 1),
    "a header behind the last trailer": (add(TRAILER, ALL[0]), Reason.CUT_OFF, TRAILER + 1),
    "lines behind the last trailer": (add(TRAILER, ALL[NEW - 1]), Reason.STRUCTURE, TRAILER + 1),
    "a record that no one knows": (put(NEW, 1, "5"), Reason.STRUCTURE, NEW),
    "no header": (drop(HEADER), Reason.UNKNOWN_FORMAT, None),
    "two headers": (add(HEADER, ALL[0]), Reason.STRUCTURE, OLD),
    "no old balance": (drop(OLD), Reason.STRUCTURE, OLD),
    "no new balance": (drop(NEW), Reason.STRUCTURE, TRAILER - 1),
    "balances in the wrong places": (swap(OLD, NEW), Reason.STRUCTURE, OLD),
    "a line of another system": (put(THIRD, 60, "\r"), Reason.STRUCTURE, THIRD + 1),
    "version 1": (put(HEADER, 128, "1"), Reason.FIELD, HEADER),
    "an IBAN with wrong check digits": (put(OLD, 8, "63"), Reason.FIELD, OLD),
    "a foreign IBAN called Belgian": (put(OLD, 6, "NL"), Reason.FIELD, OLD),
    "no currency": (put(OLD, 40, "   "), Reason.FIELD, OLD),
    "a sign that is none": (put(FIRST, 32, "2"), Reason.FIELD, FIRST),
    "letters in an amount": (put(FIRST, 40, "O"), Reason.FIELD, FIRST),
    "a small two in an amount": (put(FIRST, 40, "²"), Reason.FIELD, FIRST),
    "an amount in blanks": (put(FIRST, 33, " " * 15), Reason.FIELD, FIRST),
    "the 31st of February": (put(FIRST, 48, "310226"), Reason.FIELD, FIRST),
    "a line under no sum": (put(LINE_AT, 54, "8"), Reason.TOTALS, SUM_AT),
    "a line that calls itself a movement": (put(LINE_AT, 54, "0"), Reason.TOTALS, LINE_AT),
    "a new balance of another account": (put(NEW, 7, "99"), Reason.FIELD, NEW),
    "a new balance in another currency": (put(NEW, 39, "USD"), Reason.FIELD, NEW),
    "records of a movement that is not there": (put(CODED, 3, "0003"), Reason.SEQUENCE, CODED + 1),
    "a sequence number twice": (put(CODED, 3, "0001"), Reason.SEQUENCE, CODED + 1),
    "a detail number left out": (put(LINE_AT, 7, "0002"), Reason.SEQUENCE, LINE_AT + 1),
    "records of two movements": (put(SECOND, 3, "0009"), Reason.SEQUENCE, SECOND),
    "record 2.2 missing": (drop(SECOND, THIRD), Reason.TOTALS, TRAILER - 2),
    "information missing": (drop(NOTE), Reason.TOTALS, TRAILER - 1),
    "a trailer that counts wrongly": (put(TRAILER, 22, "0"), Reason.TOTALS, TRAILER),
    "a record lost that nothing else misses": (
        lambda lines: drop(NOTE)(changed(put(THIRD, 128, "0"), lines)), Reason.TOTALS, TRAILER - 1,
    ),
    "a wrong sum of debit": (put(TRAILER, 37, "1"), Reason.TOTALS, TRAILER),
    "a wrong sum of credit": (put(TRAILER, 52, "1"), Reason.TOTALS, TRAILER),
    "a wrong new balance": (put(NEW, 57, "1"), Reason.TOTALS, NEW),
    "a wrong old balance": (put(OLD, 58, "1"), Reason.TOTALS, NEW),
    "a debit turned into credit": (put(FIRST, 32, "0"), Reason.TOTALS, TRAILER),
    "lines that do not make their sum": (put(LINE_AT, 47, "1"), Reason.TOTALS, SUM_AT),
}  # fmt: skip
# What is odd and read all the same: its warning, the line, and which facts are other ones then.
ODD: dict[str, tuple[Damage, Code, int, str]] = {
    "another statement promised": (put(TRAILER, 128, "1"), Code.TRAILER_CODE, TRAILER, ""),
    "one blank too few": (lambda ls: [*ls[:3], ls[3][:-1], *ls[4:]], Code.LINE_WIDTH, 4, ""),
    "one blank too many": (lambda ls: [*ls[:3], ls[3] + " ", *ls[4:]], Code.LINE_WIDTH, 4, ""),
    "an empty line": (add(OLD, ""), Code.BLANK_LINE, FIRST, ""),
    "an empty line at the end": (add(TRAILER, ""), Code.BLANK_LINE, TRAILER + 1, ""),
    "part of a statement": (put(HEADER, 84, "00001"), Code.UNKNOWN_CODE, HEADER, ""),
    "UTF-8": (lambda lines: whole(lines).decode("latin-1").encode(), Code.CHARSET, HEADER, ""),
    "a tabulator": (put(SECOND, 20, "\t"), Code.CONTROL_CHARACTER, SECOND, ""),
    "a NUL": (put(NOTE, 50, "\0"), Code.CONTROL_CHARACTER, NOTE, "movements"),
    "the euro of Windows": (put(NOTE, 50, "\x80"), Code.CHARSET, HEADER, "movements"),
    "another application": (put(HEADER, 15, "04"), Code.UNKNOWN_CODE, HEADER, ""),
    "an odd mark of a duplicate": (put(HEADER, 17, "X"), Code.UNKNOWN_CODE, HEADER, ""),
    "a wrong enterprise number": (put(HEADER, 82, "8"), Code.ENTERPRISE_NUMBER, HEADER, "holder"),
    "no day of the file": (put(HEADER, 6, "000000"), Code.DAY, HEADER, ""),
    "a structure of account that no one knows": (put(OLD, 2, "4"), Code.ACCOUNT, OLD, ""),
    "a transaction code in letters": (put(FIRST, 54, "ABC"), Code.UNKNOWN_CODE, FIRST, "movements"),
    "a type that no one knows": (put(FIRST, 54, "4"), Code.UNKNOWN_CODE, FIRST, "movements"),
    "a movement that calls itself a line": (put(CODED, 54, "6"), Code.RECORD_ORDER, CODED, "movements"),
    "a wrong structured communication": (put(CODED, 77, "4"), Code.COMMUNICATION, CODED, "movements"),
    "a type of communication in letters": (put(CODED, 63, "1X1"), Code.UNKNOWN_CODE, CODED, "movements"),
    "a next code that is none": (put(FIRST, 126, " "), Code.RECORD_ORDER, SECOND, ""),
    "no day of the new balance": (put(NEW, 58, "000000"), Code.DAY, NEW, ""),
    "a trailer that does not say what follows": (put(TRAILER, 128, " "), Code.TRAILER_CODE, TRAILER, ""),
    "movements in the wrong order": (swap(SUM_AT, CODED), Code.COUNTER, CODED, "movements"),
    "record 2.3 not promised": (put(SECOND, 126, "0"), Code.RECORD_ORDER, THIRD, ""),
    "information not promised": (put(THIRD, 128, "0"), Code.RECORD_ORDER, NOTE, ""),
    "information of another movement": (put(NOTE, 3, "00020000"), Code.RECORD_ORDER, NOTE, "movements"),
    "a message not promised": (put(NEW, 128, "0"), Code.RECORD_ORDER, MESSAGE, ""),
    "a message missing": (drop(MESSAGE + 1), Code.RECORD_ORDER, MESSAGE + 1, "messages"),
}  # fmt: skip


def test_the_file_is_whole_before_it_is_damaged() -> None:
    (parsed,) = read(WHOLE)
    assert isinstance(parsed.facts, BankStatement)
    assert parsed.facts.closing == STATEMENT.closing
    assert parsed.warnings == ()
    assert ALL[SUM_AT][:2] == "22"
    assert [ALL[at - 1][0] for at in (HEADER, OLD, NEW, MESSAGE, TRAILER)] == list("01849")


@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_is_read_with_a_warning(name: str) -> None:
    damage, code, line, other = ODD[name]
    damaged = damage(list(ALL))
    data = damaged if isinstance(damaged, bytes) else whole(damaged)
    (parsed,) = read(data)
    assert parsed.data == data
    assert line in [warning.line for warning in parsed.warnings if warning.code == code]
    facts, good = parsed.facts, read(WHOLE)[0].facts
    assert isinstance(facts, BankStatement)
    assert isinstance(good, BankStatement)
    assert {f.name for f in fields(good) if getattr(good, f.name) != getattr(facts, f.name)} == (
        {other} if other else set()
    )
    assert sorted(m.amount for m in facts.movements) == sorted(m.amount for m in good.movements)


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file_is_refused_for_the_right_reason(name: str) -> None:
    damage, reason, line = DAMAGES[name]
    damaged = damage(list(ALL))
    with pytest.raises(Refused) as refused:
        read(damaged if isinstance(damaged, bytes) else whole(damaged))
    assert (refused.value.reason, refused.value.line) == (reason, line), refused.value


def test_no_change_of_an_amount_goes_unnoticed() -> None:
    """Every digit of every amount of the file, one at a time."""
    places = [(OLD, 44, 15), (NEW, 43, 15), (TRAILER, 23, 30), (TRAILER, 17, 6)]
    places += [(at, 33, 15) for at, line in enumerate(ALL, 1) if line[:2] == "21"]
    for line, start, width in places:
        for place in range(start, start + width):
            digit = ALL[line - 1][place - 1]
            with pytest.raises(Refused) as refused:
                read(whole(changed(put(line, place, str((int(digit) + 1) % 10)), list(ALL))))
            assert refused.value.reason == Reason.TOTALS


def test_a_cut_at_any_place_is_noticed() -> None:
    for size in range(1, len(WHOLE) - 2, 7):
        with pytest.raises(Refused) as refused:
            read(WHOLE[:size])
        assert refused.value.reason == Reason.CUT_OFF, size
