"""The lines of a CODA file, 128 characters of Latin-1 each, and the fields that stand in them.

Places are counted from 0 here and told from 1, as the standard counts them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from documents.formats import Reason, Refused
from documents.formats.fields import CURRENCY, belgian_iban, is_iban

WIDTH = 128
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
NO_DATE = "000000"
CENTURY = 80


class Line(NamedTuple):
    """A line's 128 characters, its 1-based number, and where its bytes begin and end."""

    text: str
    number: int
    starts: int
    ends: int


def lines_of(data: bytes) -> Iterator[Line]:
    starts = 0
    for number, raw in enumerate(data.split(b"\n"), start=1):
        ends = starts + len(raw) + 1
        if ends > len(data):
            if not raw:
                return  # behind the last line's end
            ends = len(data)
        text = raw.removesuffix(b"\r").decode("latin-1")
        if len(text) != WIDTH:
            raise _wrong_width(raw, text, number, is_last=ends == len(data))
        if found := CONTROL.search(text):
            code = f"0x{ord(found[0]):02x}"
            raise Refused(Reason.CHARSET, f"{code} is no letter of Latin-1", number)
        yield Line(text, number, starts, ends)
        starts = ends


def _wrong_width(raw: bytes, text: str, number: int, *, is_last: bool) -> Refused:
    """Why a line is not 128 characters long."""
    try:
        is_utf_8 = len(raw.removesuffix(b"\r").decode()) == WIDTH
    except UnicodeDecodeError:
        is_utf_8 = False
    if is_utf_8:
        return Refused(Reason.CHARSET, "the line is UTF-8, not Latin-1", number)
    if is_last and len(text) < WIDTH:
        return Refused(Reason.CUT_OFF, f"the file ends after {len(text)} characters", number)
    return Refused(Reason.STRUCTURE, f"{len(text)} characters, not {WIDTH}", number)


def is_decimal(text: str) -> bool:
    """Tell whether all are digits 0 to 9: Latin-1 has others, which `int` would take."""
    return text.isascii() and text.isdecimal()


def wrong(line: Line, place: int, detail: str) -> Refused:
    """The refusal of a field; `place` is counted from 1."""
    return Refused(Reason.FIELD, f"{detail} (position {place})", line.number)


def number_at(line: Line, at: int, width: int) -> int:
    text = line.text[at : at + width]
    if not is_decimal(text):
        raise wrong(line, at + 1, f"{text!r} is no number")
    return int(text)


def flag_at(line: Line, at: int) -> str:
    """A 0 or a 1, which says what follows or how something is written."""
    if line.text[at] not in "01":
        raise wrong(line, at + 1, f"{line.text[at]!r} is neither 0 nor 1")
    return line.text[at]


def thousandths_at(line: Line, at: int) -> Decimal:
    """Fifteen digits, the last three behind the point; the third only where it is not zero."""
    text = line.text[at : at + 15]
    if not is_decimal(text):
        raise wrong(line, at + 1, f"{text!r} is no amount")
    return Decimal(f"{text[:12]}.{text[12:14] if text[14] == '0' else text[12:]}")


def amount_at(line: Line, at: int) -> Decimal:
    """A sign, 0 for credit and 1 for debit, and fifteen digits."""
    found = thousandths_at(line, at + 1)
    return -found if flag_at(line, at) == "1" and found else found


def day_at(line: Line, at: int) -> date | None:
    """DDMMYY; None where it is 000000."""
    text = line.text[at : at + 6]
    if text == NO_DATE:
        return None
    try:
        year = int(text[4:])
        return date(year + (2000 if year < CENTURY else 1900), int(text[2:4]), int(text[:2]))
    except ValueError:
        raise wrong(line, at + 1, f"{text!r} is no day") from None


def account_of(line: Line) -> tuple[str, str]:
    """Account and currency of record 1; the structure before them says how they are written.

    0 is a Belgian number, 1 a foreign one, 2 a Belgian IBAN, 3 a foreign one. A Belgian number
    becomes its IBAN, which is nothing but the number and its check digits.
    """
    structure, text = line.text[1], line.text[5:42]
    if structure == "0":
        found = belgian_iban(text[:12]) if is_decimal(text[:12]) else None
        currency = text[13:16]
    elif structure in "123":
        found = text[:34].strip()
        currency = text[34:]
        if structure != "1" and not is_iban(found):
            found = None
        if structure == "2" and found and not found.startswith("BE"):
            found = None
    else:
        raise wrong(line, 2, f"{structure!r} is no structure of an account")
    if not found:
        raise wrong(line, 6, f"{text[:34].strip()!r} is no account of structure {structure}")
    if not CURRENCY.fullmatch(currency):
        raise wrong(line, 19 if structure == "0" else 40, f"{currency!r} is no currency")
    return found, currency


def counterparty_of(text: str) -> str:
    """The account of the other side; nothing says how it is written, so it is taken as it is."""
    if is_decimal(text[:12]) and not text[12:13].strip():
        return belgian_iban(text[:12]) or text[:12]
    return text[:34].strip()
