"""The one way to make a PDF: headings, paragraphs, lists, facts and tables on A4.

Every PDF is tagged (PDF/UA-1), so a screen reader finds its parts and speaks its language. The
typeface is embedded; letters that it lacks are replaced by letters that it has. The same blocks
give the same bytes.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, NamedTuple

PROGRAM = Path(__file__).parent / "typesetting" / "typeset.py"
# The letters of both weights of the typeface.
LETTERS = frozenset((PROGRAM.parent / "fonts" / "letters.txt").read_text(encoding="utf-8")[:-1])
# Nobody reads a longer text on paper; the structured file has all of it.
LONGEST = 2000
# A longer word may be broken at the end of a line, between so many letters, at this mark.
LONG_WORD = re.compile(r"\S{29,}")
MAY_BREAK, EVERY = "\u200b", 4
# Between thousands and before cents, as each language writes them.
MARKS = {"en": (",", "."), "nl": (".", ","), "fr": (" ", ","), "de": (".", ",")}
# Seconds. A table of 4,000 rows takes three.
SLOWEST = 60
# One at a time: it takes a core and 130 MB, or 400 MB for a table of 4,000 rows.
_turn = threading.Lock()

# How a row stands in its table: on a line, `below` the one before, or on a coloured `band`.
Look = Literal["line", "below", "band"]


class Cell(NamedTuple):
    """A cell of a table; the lines `below` are small, and `indent` counts steps to the right."""

    text: str = ""
    below: Sequence[str] = ()
    small: bool = False
    indent: int = 0
    span: int = 1
    end: bool = False

    def block(self) -> dict[str, Any]:
        """What differs from an empty cell: a long table has thousands."""
        different = {
            name: value for name, value in self._asdict().items()
            if value != self._field_defaults[name]
        }  # fmt: skip
        if self.text:
            different["text"] = _short(self.text)
        if self.below:
            different["below"] = _lines(self.below)
        return different


class Row(NamedTuple):
    cells: Sequence[Cell]
    look: Look = "line"

    def block(self) -> dict[str, Any]:
        return {"look": self.look, "cells": [cell.block() for cell in self.cells]}


class Column(NamedTuple):
    """The name of a column. Its width in points; 0 fits its contents, None takes what is left."""

    name: str
    width: float | None = 0
    end: bool = False


class PdfDocument:
    """Blocks that are written from top to bottom.

    `title` is not empty. `language` is a code such as nl, by which a screen reader chooses its
    voice.
    """

    def __init__(self, title: str, language: str) -> None:
        self.title, self.language = _short(title), language
        self.blocks: list[dict[str, Any]] = []

    def head(self, holder: str, left: Iterable[str], right: Iterable[str]) -> None:
        """Whose document it is, and the lines below it on both sides."""
        two = {"left": _lines(left), "right": _lines(right)}
        self.blocks.append({"kind": "head", "holder": _short(holder), **two})

    def chapter(self, text: str) -> None:
        self._write("chapter", text)

    def section(self, text: str) -> None:
        self._write("section", text)

    def paragraph(self, text: str) -> None:
        self._write("paragraph", text)

    def small(self, text: str) -> None:
        self._write("small", text[:LONGEST])

    def _write(self, kind: str, text: str) -> None:
        self.blocks.append({"kind": kind, "text": _whole(text)})

    def points(self, points: Iterable[str]) -> None:
        """A list; the texts come without the marks before them."""
        self.blocks.append({"kind": "points", "points": [_whole(point) for point in points]})

    def facts(self, facts: Iterable[tuple[str, str]]) -> None:
        """Names with their full values."""
        pairs = [(_whole(name), _whole(value)) for name, value in facts]
        self.blocks.append({"kind": "facts", "facts": pairs})

    def table(self, columns: Sequence[Column], rows: Iterable[Row]) -> None:
        """Rows below the names of the columns, which come back on each page."""
        self.blocks.append({
            "kind": "table",
            "header": [_short(column.name) for column in columns],
            "columns": [column.width for column in columns],
            "ends": [column.end for column in columns],
            "rows": [row.block() for row in rows],
        })  # fmt: skip

    def finish(self, foot: str, made: datetime | None = None) -> bytes:
        """Return the bytes of the PDF; `made` is the date of the file, which else has none.

        It takes about a tenth of a second, and more for long tables. Raises
        subprocess.CalledProcessError or subprocess.TimeoutExpired when the program fails.
        """
        document = {
            "title": self.title,
            "language": self.language,
            "foot": _short(foot),
            "made": made and int(made.timestamp()),
            "blocks": self.blocks,
        }
        with _turn:
            done = subprocess.run(  # noqa: S603 - our own program, with no argument of others
                [sys.executable, "-I", str(PROGRAM)],
                input=json.dumps(document).encode(),
                stdout=subprocess.PIPE,
                env={"RAYON_NUM_THREADS": "1"},
                timeout=SLOWEST,
                check=True,
            )
        return done.stdout


def printable(text: str, longest: int = LONGEST) -> str:
    """The text in letters of the typeface: it may lose accents, and unknown letters become "?"."""
    text = text[:longest]
    if text.isprintable() and text.isascii():
        return text
    return "".join(map(_letter, unicodedata.normalize("NFC", text)))


def _letter(letter: str) -> str:
    if letter in LETTERS:
        return letter
    if not letter.isprintable():
        return " "
    apart = unicodedata.normalize("NFKD", letter)
    plain = "".join(part for part in apart if part in LETTERS and not unicodedata.combining(part))
    return plain or ("" if unicodedata.combining(letter) else "?")


def _whole(text: str) -> str:
    text = " ".join(text.split())
    return LONG_WORD.sub(_breakable, printable(text, len(text)))


def _short(text: str) -> str:
    return _whole(text[:LONGEST])


def _lines(texts: Iterable[str]) -> list[str]:
    return [_short(text) for text in texts if text]


def _breakable(word: re.Match[str]) -> str:
    letters = word.group()
    return MAY_BREAK.join(letters[at : at + EVERY] for at in range(0, len(letters), EVERY))


def figure(amount: Decimal, language: str) -> str:
    """1234567.5 as 1.234.567,50: two decimals, more where the amount has more."""
    thousands, cents = MARKS[language]
    places = max(2, -int(amount.as_tuple().exponent))
    return f"{amount:,.{places}f}".replace(",", "_").replace(".", cents).replace("_", thousands)


def in_fours(iban: str) -> str:
    """An IBAN as people read it, in groups of four."""
    return " ".join(iban[at : at + 4] for at in range(0, len(iban), 4))
