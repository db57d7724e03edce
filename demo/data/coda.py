"""A writer of CODA, version 2.

Source: Febelfin, "Standaard CODA 2.6". A file is lines of 128 characters in Latin-1: header (0),
old balance (1), movements (2.1 to 2.3) with their information (3.1 to 3.3), new balance (8), a free
message (4), trailer (9). Amounts are written in thousandths; here they are whole cents.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date

CURRENCY = "EUR"
HIGHEST_AMOUNT = 10**14 - 1  # cents: 15 digits of thousandths
# The widths for a movement's text and a movement's information, record by record.
TEXT_WIDTHS = (53, 53, 43)
NOTE_WIDTHS = (73, 105, 90)
# Letters that Latin-1 lacks and that Unicode does not split into a letter and an accent.
SPELT = str.maketrans(
    {"Œ": "OE", "œ": "oe", "€": "EUR", "‘": "'", "’": "'", "“": '"', "”": '"', "„": '"'}
    | {"–": "-", "—": "-", "…": "...", "Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "ı": "i"}
)


@dataclass(frozen=True)
class Movement:
    """One line of an account: cents, positive when money came in."""

    cents: int
    name: str
    iban: str
    text: str
    structured: str = ""
    note: str = ""
    bic: str = ""
    code: str = ""  # family, operation and category; by the sign where it is empty


@dataclass(frozen=True)
class Statement:
    """What happened on an account between two balances, in cents."""

    iban: str
    bic: str
    holder: str
    number: int
    day: date
    previous_day: date
    opening: int
    movements: tuple[Movement, ...]

    @property
    def closing(self) -> int:
        return self.opening + sum(movement.cents for movement in self.movements)


def write(statement: Statement, enterprise_number: str) -> bytes:
    """The statement as one CODA file, lines ended by CR LF."""
    lines = [_header(statement, enterprise_number), _old_balance(statement)]
    for place, movement in enumerate(statement.movements, start=1):
        lines += _movement(statement, movement, place)
    lines.append(_new_balance(statement))
    counted = len(lines) - 1
    if statement.number % 10 == 0:
        lines[-1] = lines[-1][:-1] + "1"
        lines.append(_message(1, "Dit is een voorbeeld / ceci est un exemple"))
    lines.append(_trailer(statement, counted))
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1")


def _text(text: str, width: int) -> str:
    """The text as exactly `width` characters of Latin-1."""
    return latin(text)[:width].ljust(width)


def latin(text: str) -> str:
    """The text in printable Latin-1: it may lose accents, and unknown letters become "?"."""
    if text.isprintable() and max(text, default="") <= "ÿ":
        return text
    return "".join(_latin_letter(letter) for letter in text.translate(SPELT))


def _latin_letter(letter: str) -> str:
    if not letter.isprintable():
        return " "  # a line break inside a record would end it
    if ord(letter) < 256:
        return letter
    apart = unicodedata.normalize("NFKD", letter)
    return "".join(part for part in apart if " " <= part <= "~") or (
        "" if unicodedata.combining(letter) else "?"
    )


def _parts(text: str, widths: tuple[int, ...]) -> list[str]:
    """The text in pieces as wide as the fields of the records, filled up with blanks."""
    plain = latin(text)
    parts = []
    for width in widths:
        parts.append(plain[:width].ljust(width))
        plain = plain[width:]
    return parts


def _day(day: date) -> str:
    return day.strftime("%d%m%y")


def _amount(cents: int) -> str:
    if abs(cents) > HIGHEST_AMOUNT:
        raise ValueError(f"{cents} cents do not fit into 15 digits of thousandths")
    return f"{abs(cents) * 10:015d}"


def _signed(cents: int) -> str:
    return ("1" if cents < 0 else "0") + _amount(cents)


def _account(iban: str) -> str:
    return _text(iban, 34) + CURRENCY


def _header(statement: Statement, enterprise_number: str) -> str:
    return (
        f"00000{_day(statement.day)}{statement.iban[4:7]}05{'':8}"
        f"{statement.number:010d}{_text(statement.holder, 26)}{_text(statement.bic, 11)}"
        f"0{enterprise_number} 00000{'':16}{'':16}{'':7}2"
    )


def _old_balance(statement: Statement) -> str:
    return (
        f"12{statement.number:03d}{_account(statement.iban)}{_signed(statement.opening)}"
        f"{_day(statement.previous_day)}{_text(statement.holder, 26)}"
        f"{_text('Zichtrekening', 35)}{statement.number:03d}"
    )


def _movement(statement: Statement, movement: Movement, place: int) -> list[str]:
    """2.1, 2.2 and 2.3, each saying that the next one follows; 3.1 to 3.3 where there is a note."""
    key = f"{place:04d}0000"
    code = "0" + (movement.code or ("0150000" if movement.cents > 0 else "0101000"))
    reference = f"{statement.iban[4:14]}{statement.number:03d}{place:04d}"
    # A structured communication is of type 101 and has no room for more.
    kind, text = ("1", "101" + movement.structured) if movement.structured else ("0", movement.text)
    first, second, third = _parts(text, TEXT_WIDTHS)
    linked = "1" if movement.note else "0"
    lines = [
        f"21{key}{_text(reference, 21)}{_signed(movement.cents)}{_day(statement.day)}{code}"
        f"{kind}{first}{_day(statement.day)}{statement.number:03d}01 0",
        f"22{key}{second}{_text(f'REF{place}', 35)}{_text(movement.bic, 11)}{'':16}1 0",
        f"23{key}{_account(movement.iban)}{_text(movement.name, 35)}{third}0 {linked}",
    ]
    if movement.note:
        lines += _information(movement.note, f"{place:04d}0001", f"{_text(reference, 21)}{code}")
    return lines


def _information(note: str, key: str, about: str) -> list[str]:
    """3.1, and 3.2 and 3.3 as far as the note is long; each says whether the next one follows."""
    first, second, third = _parts(note, NOTE_WIDTHS)
    more, still_more = (int(bool(part.strip())) for part in (second + third, third))
    lines = [f"31{key}{about}0{first}{'':12}{more} 0"]
    if more:
        lines.append(f"32{key}{second}{'':10}{still_more} 0")
    if still_more:
        lines.append(f"33{key}{third}{'':25}0 0")
    return lines


def _new_balance(statement: Statement) -> str:
    return (
        f"8{statement.number:03d}{_account(statement.iban)}{_signed(statement.closing)}"
        f"{_day(statement.day)}{'':64}0"
    )


def _message(place: int, text: str) -> str:
    return f"4 {place:04d}0000{'':22}{_text(text, 80)}{'':15}0"


def _trailer(statement: Statement, counted: int) -> str:
    out = sum(-movement.cents for movement in statement.movements if movement.cents < 0)
    in_ = sum(movement.cents for movement in statement.movements if movement.cents > 0)
    return f"9{'':15}{counted:06d}{_amount(out)}{_amount(in_)}{'':75}2"
