"""However a good CODA file is packed it says the same; whatever is wrong with it is refused.

Each example draws some of the packings that banks and gateways are known for, all at once.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from documents.formats import BankStatement, Movement, Refused
from documents.formats.charsets import CODECS, DOS, LATIN_1, UTF_8, WINDOWS
from documents.formats.reading import read
from tests.documents.formats.bank import Bank
from tests.documents.formats.test_coda import PHASES, statements
from tests.documents.formats.test_damaged_coda import STATEMENT

pytestmark = pytest.mark.requirement(118)


Lines = list[str]
Packing = Callable[[Lines], Lines]


def put(line: str, place: int, text: str) -> str:
    """Overwrite what stands in a line; places are counted from 1."""
    return line[: place - 1] + text + line[place - 1 + len(text) :]


def on(kind: str, place: int, text: str) -> Packing:
    """The same on every line of a kind."""
    return lambda lines: [
        put(line, place, text) if line.startswith(kind) else line for line in lines
    ]


def in_fours(lines: Lines) -> Lines:
    """The IBAN of both balances as people write it."""

    def divided(line: str, at: int) -> str:
        iban = line[at : at + 34].strip()
        grouped = " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))
        return put(line, at + 1, f"{grouped:34}")

    places = {"1": 5, "8": 4}
    return [divided(line, places[line[0]]) if line[0] in places else line for line in lines]


def behind_all(lines: Lines) -> Lines:
    """All records that only add to a movement stand behind the movements."""
    moved = [line for line in lines if line[:2] in ("22", "23", "31", "32", "33")]
    rest = [line for line in lines if line not in moved]
    at = max((at for at, line in enumerate(rest) if line[:2] == "21"), default=1) + 1
    return [*rest[:at], *reversed(moved), *rest[at:]]


def wrapping(lines: Lines) -> Lines:
    """The numbers of the movements begin at 9998, and go on at 0000 behind 9999."""
    return [
        put(line, 3, f"{(int(line[2:6]) + 9997) % 10_000:04d}") if line[0] in "23" else line
        for line in lines
    ]


CONTENT: dict[str, Packing] = {
    "trailer code 1": on("9", 128, "1"),
    "a trailer code that no one knows": on("9", 128, "7"),
    "no enterprise number": on("0", 72, "0" * 11),
    "a blank enterprise number": on("0", 72, " " * 11),
    "an enterprise number on the left": on("0", 72, "0010000007 "),
    "an enterprise number that fails its check": on("0", 72, "00010000008"),
    "a blank structure": on("1", 2, " "),
    "an unknown structure": on("1", 2, "9"),
    "IBAN in fours": in_fours,
    "no day of the new balance": on("8", 58, "000000"),
    "a blank globalisation": on("21", 125, " "),
    "an unknown mark of a copy": on("0", 17, "X"),
    "a separate application": on("0", 84, "00001"),
    "another application": on("0", 15, "00"),
    "link codes that no one set": lambda lines: [
        put(line, 126, "   ") if line[0] in "234" else line for line in lines
    ],
    "details behind all": behind_all,
    "numbers that wrap": wrapping,
}
SAMES = ("iban", "currency", "number", "dated_on", "opening", "closing", "messages")


def assert_same(found: BankStatement, written: BankStatement) -> None:
    for name in SAMES:
        assert getattr(found, name) == getattr(written, name), name
    assert found.holder.name == written.holder.name
    assert found.holder.company_number in ("", "0010000007")
    assert [unnumbered(m) for m in found.movements] == [unnumbered(m) for m in written.movements]


def unnumbered(movement: Movement) -> Movement:
    return replace(movement, number=0, details=tuple(map(unnumbered, movement.details)))


def lines_of(statement: BankStatement) -> tuple[Lines, BankStatement]:
    data, written = Bank().write(statement)
    return data.decode("latin-1").split("\r\n")[:-1], written


def taken(data: bytes, written: BankStatement) -> None:
    (parsed,) = read(data)
    assert parsed.data == data
    assert isinstance(parsed.facts, BankStatement)
    assert_same(parsed.facts, written)


@pytest.mark.parametrize("name", CONTENT)
def test_each_flaw_alone_is_taken_with_a_warning(name: str) -> None:
    lines, written = lines_of(STATEMENT)
    odd = CONTENT[name](lines)
    assert odd != lines
    data = "".join(f"{line}\r\n" for line in odd).encode("latin-1")
    taken(data, written)
    quiet = name in ("no enterprise number", "a blank enterprise number")
    assert bool(read(data)[0].warnings) != quiet


@settings(max_examples=60, deadline=None, phases=PHASES)
@given(
    statements(),
    st.lists(st.sampled_from(sorted(CONTENT)), max_size=4, unique=True),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from([LATIN_1, UTF_8]),
    st.sampled_from([b"", b"\x1a", b"\r\n", b"\n\n\n", b"   \r\n", b"\0\0\0"]),
    st.data(),
)
def test_a_good_file_packed_in_any_way_says_the_same(
    statement: BankStatement,
    flaws: list[str],
    line_end: str,
    charset: str,
    behind: bytes,
    data: st.DataObject,
) -> None:
    lines, written = lines_of(statement)
    note(f"{flaws} {line_end!r} {charset} {behind!r}")
    for flaw in flaws:
        lines = CONTENT[flaw](lines)
    blanks = data.draw(st.lists(st.integers(-1, 40), min_size=len(lines), max_size=len(lines)))
    padded = [
        line.rstrip(" ") if blank < 0 else line + " " * blank
        for line, blank in zip(lines, blanks, strict=True)
    ]
    text = "".join(f"{line}{line_end}" for line in padded)
    taken(text.encode(CODECS[charset]) + behind, written)


@settings(max_examples=20, deadline=None, phases=PHASES)
@given(st.lists(statements(), min_size=2, max_size=4), st.data())
def test_files_that_a_gateway_joined_are_all_read(
    several: list[BankStatement], data: st.DataObject
) -> None:
    files, written = [], []
    for statement in several:
        file, facts = Bank().write(statement, last=data.draw(st.booleans()))
        files.append(file + data.draw(st.sampled_from([b"", b"\x1a", b"\r\n", b"\x1a\r\n"])))
        written.append(facts)
    joined = b"".join(files)
    parsed = read(joined)
    assert b"".join(each.data for each in parsed) == joined
    for each, facts in zip(parsed, written, strict=True):
        assert isinstance(each.facts, BankStatement)
        assert_same(each.facts, facts)


@pytest.mark.parametrize("charset", [DOS, UTF_8, WINDOWS])
def test_names_come_out_right_of_every_charset(charset: str) -> None:
    name = "Crèmerie L’Étoile" if charset == WINDOWS else "Crèmerie de l'Évêque"
    movement = replace(STATEMENT.movements[0], name=name, communication="Café für Élise")
    statement = replace(
        STATEMENT, movements=(movement,), closing=STATEMENT.opening + movement.amount
    )
    lines, written = lines_of(replace(statement, movements=(replace(movement, name="#" * 17),)))
    text = "".join(f"{line}\r\n" for line in lines).replace("#" * 17, f"{name:17}"[:17])
    (parsed,) = read(text.encode(CODECS[charset]))
    assert isinstance(parsed.facts, BankStatement)
    found = parsed.facts.movements[0]
    assert (found.name, found.communication) == (name[:17], "Café für Élise")
    assert parsed.facts.closing == written.closing
    assert [warning.detail for warning in parsed.warnings] == [charset]


WHOLE_FILES: dict[str, Callable[[Lines], str]] = {
    "no line ends": "".join,
    "no line ends but the last": lambda lines: "".join(lines) + "\r\n",
    "no line ends and an end mark": lambda lines: "".join(lines) + "\x1a",
    "no line ends and a full block": lambda lines: "".join(lines) + "\0" * 57,
    "no line ends behind an end mark": lambda lines: "\x1a" + "".join(lines) + "  \n",
    "a page break behind": lambda lines: "\r\n".join(lines) + "\r\n\f",
    "a blank line of full width": lambda lines: "\r\n".join([*lines, " " * 128, ""]),
    "no last line end": "\r\n".join,
    "two CR": lambda lines: "\r\r\n".join([*lines, ""]),
    "blank lines before": lambda lines: "\r\n\n  \r\n" + "\r\n".join(lines),
    "a small currency": lambda lines: "\n".join([*lines, ""]).replace("EUR", "eur"),
}


@pytest.mark.parametrize("name", WHOLE_FILES)
def test_a_file_without_its_usual_lines_says_the_same(name: str) -> None:
    lines, written = lines_of(STATEMENT)
    taken(WHOLE_FILES[name](lines).encode("latin-1"), written)


@pytest.mark.parametrize("between", ["", "\x1a", "\0\0", " "])
def test_files_joined_without_a_line_end_are_all_read(between: str) -> None:
    lines, written = lines_of(STATEMENT)
    one = "\r\n".join(lines)
    data = between.join([one, one, one]).encode("latin-1")
    parsed = read(data)
    assert b"".join(each.data for each in parsed) == data
    assert {each.fingerprint for each in parsed} == {read(one.encode("latin-1"))[0].fingerprint}
    for each in parsed:
        assert isinstance(each.facts, BankStatement)
        assert_same(each.facts, written)


def test_accents_that_stand_behind_their_letters_are_read() -> None:
    lines, written = lines_of(STATEMENT)
    text = unicodedata.normalize("NFD", "".join(f"{line}\n" for line in lines))
    assert len(text) > 129 * len(lines)
    taken(text.encode(), written)


def test_columns_that_count_the_bytes_of_utf_8_are_read() -> None:
    lines, written = lines_of(STATEMENT)
    narrow = [_narrowed(line) for line in lines]
    assert {len(line.encode()) for line in narrow} == {128}
    data = "".join(f"{line}\r\n" for line in narrow).encode()
    taken(data, written)
    good = "".join(f"{line}\r\n" for line in lines).encode("latin-1")
    assert read(data)[0].fingerprint == read(good)[0].fingerprint


def _narrowed(line: str) -> str:
    """As many bytes as columns: a blank behind each accented word makes room for its letter."""
    for letter in [letter for letter in line if not letter.isascii()]:
        at = line.index("  ", line.index(letter))
        line = line[:at] + line[at + 1 :]
    return line


def test_a_copy_is_the_same_document_however_it_is_packed() -> None:
    lines, _written = lines_of(STATEMENT)
    good = "".join(f"{line}\r\n" for line in lines)
    marked = "".join(f"{line}\n" for line in on("0", 17, "D")(on("0", 6, "270126")(lines)))
    (first,), (utf_8,), (copy,) = (
        read(data) for data in (good.encode("latin-1"), good.encode(), marked.encode("latin-1"))
    )
    assert first.fingerprint == utf_8.fingerprint == copy.fingerprint
    assert isinstance(copy.facts, BankStatement)
    assert copy.facts.is_copy
    lines[2] = put(lines[2], 63, "Factuur 13")
    (other,) = read("".join(f"{line}\r\n" for line in lines).encode("latin-1"))
    assert other.fingerprint != first.fingerprint


# --- what is wrong -------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, phases=PHASES)
@given(statements(), st.data())
def test_a_file_that_is_wrong_is_refused(statement: BankStatement, data: st.DataObject) -> None:
    """A digit of an amount, a line that is lost or doubled, an impossible day, a cut."""
    lines, _written = lines_of(statement)
    ways = ["balance", "count", "lost", "doubled", "day", "cut", "account", "record"]
    match data.draw(st.sampled_from(ways)):
        case "balance":
            line, place = data.draw(st.sampled_from([("1", 44), ("8", 43), ("9", 23), ("9", 38)]))
            at = next(at for at, text in enumerate(lines) if text[0] == line)
            place += data.draw(st.integers(0, 14))
            digit = int(lines[at][place - 1])
            lines[at] = put(lines[at], place, str((digit + data.draw(st.integers(1, 9))) % 10))
        case "count":
            lines[-1] = put(lines[-1], 17, f"{len(lines) + 1:06d}")
        case "lost":
            at = data.draw(st.integers(1, len(lines) - 1))
            if lines[at][0] == "4":
                at = len(lines) - 1  # messages are not counted
            del lines[at]
        case "doubled":
            at = data.draw(st.integers(1, len(lines) - 1))
            if lines[at][0] == "4":
                at = 1
            lines.insert(at, lines[at])
        case "day":
            lines[0] = put(lines[0], 6, "310226")
        case "account":
            at = next(at for at, text in enumerate(lines) if text[0] == "8")
            lines[at] = put(lines[at], 5, "BE56103000009945")
        case "record":
            lines.insert(data.draw(st.integers(1, len(lines) - 1)), "7".ljust(128))
        case "cut":
            whole = "\r\n".join(lines).encode("latin-1")
            size = data.draw(st.integers(1, len(whole) - 1))
            with pytest.raises(Refused):
                read(whole[:size])
            return
    with pytest.raises(Refused):
        read("".join(f"{line}\r\n" for line in lines).encode("latin-1"))
