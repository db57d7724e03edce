"""The lines of a CODA file, 128 characters each, and the fields that stand in them.

How the lines are packed is not what they say: any line end, blank lines, an end mark of DOS, blanks
beyond the last column or none before it, and the charset are undone here, with a warning. Places
are counted from 0 here and named from 1, as the standard counts them.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from documents.formats import Reason, Refused
from documents.formats.charsets import CODECS, LATIN_1, UTF_8, charset_of
from documents.formats.fields import belgian_iban, is_iban
from documents.formats.file_warnings import Code, WarningList

WIDTH = 128
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# What may stand around the lines: end mark of DOS, filling of the last block, byte order mark.
AROUND = b"\x1a\0\xef\xbb\xbf"
# A page break behind the last line is no line of its own.
END_MARKS = b"\x1a\0"
BLANKS = b" \t\v\f\r\n"
RECORDS = b"0123489"
# Keeps the columns right where a letter has several bytes and the columns count bytes.
FILLING = "\x7f"
NO_DATE = ("000000", "      ")
# As POSIX reads two digits: 69 is 1969, 68 is 2068.
CENTURY = 69
CURRENCY = re.compile(r"[A-Z]{3}")
LIKE_AN_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}")
SEPARATORS = re.compile(r"[\s./-]")


class Line(NamedTuple):
    """A line's 128 characters and its 1-based number."""

    text: str
    number: int


class Part(NamedTuple):
    """The raw lines of one statement of a file, and its bytes."""

    raw: list[bytes]
    first: int
    data: bytes


def is_coda(data: bytes) -> bool:
    """Tell whether the file begins with the header of a statement."""
    return data[:1] == b"0" or data[:1000].lstrip(AROUND + BLANKS)[:1] == b"0"


def parts_of(data: bytes) -> list[Part]:
    """The statements of a file: each begins with a header and ends before the next one."""
    raw = _raw_lines(data)
    starts = [at for at, line in enumerate(raw) if _is_header(line)]
    if len(starts) < 2:
        return [Part(raw, 1, data)]
    starts[0] = 0
    ends = [*starts[1:], len(raw)]
    whole = _raw_lines(data, keep_ends=True)
    found, at = [], 0
    for start, end in zip(starts, ends, strict=True):
        size = sum(map(len, whole[start:end]))
        found.append(Part(raw[start:end], start + 1, data[at : at + size]))
        at += size
    return found


def _raw_lines(data: bytes, *, keep_ends: bool = False) -> list[bytes]:
    lines = data.splitlines(keep_ends)
    if max(map(len, lines), default=0) <= WIDTH + 2:
        return lines
    return [record for line in lines for record in _records_of(line)]


def _records_of(line: bytes) -> list[bytes]:
    """The records of a line: several where the line ends between them are missing."""
    start = len(line) - len(line.lstrip(AROUND))
    second = start + WIDTH
    length = len(line.rstrip(AROUND + BLANKS)) - start
    starts = range(second, start + length, WIDTH)
    if length % WIDTH == 0 and all(line[at] in RECORDS for at in starts):
        # Records of a fixed width, with nothing between them.
        ends = [*starts, len(line)]
        return [line[at:end] for at, end in zip([0, *starts], ends, strict=True)]
    if line[start:second][:1] == b"9" and line[second:].lstrip(AROUND + BLANKS)[:1] == b"0":
        # A gateway joined two files, and the first had no line end at its end.
        header = second + len(line[second:]) - len(line[second:].lstrip(END_MARKS + BLANKS))
        return [line[:header], *_records_of(line[header:])]
    return [line]


def _is_header(raw: bytes) -> bool:
    return raw[:1] == b"0" or (raw[:1] in AROUND and raw.lstrip(AROUND)[:1] == b"0")


def check_end(data: bytes) -> None:
    """Refuse a file whose last line breaks off."""
    if data[-1:] in (b"\n", b"\r", b"\x1a", b"\0"):
        return
    lines = _raw_lines(data)
    last = lines[-1]
    if last.strip(AROUND + BLANKS) and len(last) < WIDTH:
        detail = f"the file ends after {len(last)} characters of its last line"
        raise Refused(Reason.CUT_OFF, detail, len(lines))


def lines_of(part: Part, warnings: WarningList) -> list[Line]:
    """The lines of a statement, each exactly 128 characters."""
    joined = b"\n".join(part.raw)
    charset = charset_of(joined)
    if charset != LATIN_1:
        warnings.add(Code.CHARSET, _first_above_ascii(part), charset)
    lines: list[Line] = []
    for number, text in enumerate(joined.decode(CODECS[charset]).split("\n"), part.first):
        if len(text) == WIDTH and text.isprintable() and not text.isspace():
            lines.append(Line(text, number))
        elif found := _unpacked(text, number, charset, warnings):
            lines.append(Line(found, number))
    return lines


def _first_above_ascii(part: Part) -> int:
    return part.first + next(at for at, raw in enumerate(part.raw) if not raw.isascii())


def _unpacked(text: str, number: int, charset: str, warnings: WarningList) -> str:
    """The 128 characters of a line that is packed in another way; empty for a blank line."""
    text = text.strip("\x1a\0\ufeff")
    if not text.strip():
        warnings.add(Code.BLANK_LINE, number)
        return ""
    if charset == UTF_8 and len(text) < WIDTH and len(text.encode()) == WIDTH:
        # The columns count bytes.
        text = "".join(letter + FILLING * (len(letter.encode()) - 1) for letter in text)
    elif len(text) != WIDTH:
        # Some systems write an accent behind its letter.
        text = unicodedata.normalize("NFC", text)
        if text[WIDTH:].strip():
            detail = f"{len(text)} characters, not {WIDTH}"
            raise Refused(Reason.STRUCTURE, detail, number)
        warnings.add(Code.LINE_WIDTH, number)
        text = text[:WIDTH].ljust(WIDTH)
    if CONTROLS.search(text.replace(FILLING, "")):
        warnings.add(Code.CONTROL_CHARACTER, number)
        text = CONTROLS.sub(lambda found: found[0] if found[0] == FILLING else " ", text)
    return text


# --- fields --------------------------------------------------------------------------------------


def is_decimal(text: str) -> bool:
    """Tell whether all are digits 0 to 9: there are others, which `int` would take."""
    return text.isascii() and text.isdecimal()


def wrong(line: Line, place: int, detail: str) -> Refused:
    """The refusal of a field; `place` is counted from 1."""
    return Refused(Reason.FIELD, f"{detail} (position {place})", line.number)


def number_at(line: Line, at: int, width: int) -> int:
    text = line.text[at : at + width]
    if not is_decimal(text):
        raise wrong(line, at + 1, f"{text!r} is no number")
    return int(text)


def thousandths_at(line: Line, at: int) -> int:
    """Fifteen digits, the last three behind the point."""
    text = line.text[at : at + 15]
    if not is_decimal(text):
        raise wrong(line, at + 1, f"{text!r} is no amount")
    return int(text)


def amount_at(line: Line, at: int) -> int:
    """Thousandths behind a sign, 0 for credit and 1 for debit."""
    sign = line.text[at]
    if sign == "0":
        return thousandths_at(line, at + 1)
    if sign == "1":
        return -thousandths_at(line, at + 1)
    raise wrong(line, at + 1, f"{sign!r} is neither 0 nor 1")


def units(thousandths: int) -> Decimal:
    """Thousandths in units of the currency; the third decimal only where it is not zero."""
    if thousandths % 10:
        return Decimal(thousandths).scaleb(-3)
    return Decimal(thousandths // 10).scaleb(-2)


@lru_cache(maxsize=4096)
def _day(text: str) -> date | None:
    if text in NO_DATE:
        return None
    if not is_decimal(text):
        raise ValueError(text)
    year = int(text[4:])
    return date(year + (2000 if year < CENTURY else 1900), int(text[2:4]), int(text[:2]))


def day_at(line: Line, at: int) -> date | None:
    """DDMMYY; None where it is 000000 or blank."""
    text = line.text[at : at + 6]
    try:
        return _day(text)
    except ValueError:
        raise wrong(line, at + 1, f"{text!r} is no day") from None


class Account(NamedTuple):
    """An account as the portal knows it: an IBAN, or a foreign number as it is written."""

    number: str
    currency: str


def account_of(line: Line, warnings: WarningList) -> Account:
    """The account and currency of record 1; the structure before them says how they are written.

    0 is a Belgian number, 1 a foreign one, 2 a Belgian IBAN, 3 a foreign one. Where the structure
    is blank or wrong, the account shows by its form what it is. A Belgian number becomes its IBAN,
    which is nothing but the number and its check digits.
    """
    structure, field = line.text[1], line.text[5:42]
    found, form = _account(structure, field)
    if not found:
        raise wrong(line, 6, f"{field[:34].strip()!r} is no account")
    written = field[13:16] if form == "0" else field[34:37]
    account = Account(found, written.upper())
    if written != account.currency:
        warnings.add(Code.SPELLING, line.number, written)
    if not CURRENCY.fullmatch(account.currency):
        place = 19 if form == "0" else 40
        raise wrong(line, place, f"{account.currency!r} is no currency")
    if structure != form or (form in "23" and field[:34].rstrip() != found):
        warnings.add(Code.ACCOUNT, line.number, f"{structure.strip()} {field[:34].strip()}")
    return account


def _account(structure: str, field: str) -> tuple[str | None, str]:
    """The number and its true structure; None where it cannot be one."""
    if structure not in "123" and _is_belgian_number(field):
        return belgian_iban(field[:12]), "0"
    written = field[:34].strip()
    plain = SEPARATORS.sub("", written).upper()
    if LIKE_AN_IBAN.fullmatch(plain):
        if is_iban(plain):
            if structure == "1":
                return plain, "1"
            return plain, "2" if plain.startswith("BE") else "3"
        return (written, "1") if structure == "1" else (None, "2")
    if structure != "1" and len(plain) == 12 and is_decimal(plain):
        # A Belgian number in the field of an IBAN.
        return belgian_iban(plain), "2"
    return written or None, "1"


def _is_belgian_number(field: str) -> bool:
    return (
        is_decimal(field[:12])
        and field[12] == " "
        and bool(CURRENCY.fullmatch(field[13:16].upper()))
    )


def counterparty_of(text: str) -> str:
    """The account of the other side; nothing says how it is written, so it is taken as it is."""
    if not text.strip(" 0"):
        return ""
    if is_decimal(text[:12]) and not text[12:13].strip():
        return belgian_iban(text[:12]) or text[:12]
    return text[:34].strip()
