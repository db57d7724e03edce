"""Text on A4 pages: columns, bands and rules, as many pages as it needs.

The letters are those of Helvetica, which every PDF reader has; what it lacks is spelt with those it
has. The same text gives the same bytes.
"""

from __future__ import annotations

import io
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

LEFT, RIGHT, TOP, BOTTOM = 50, 545, 778, 70
FOOT = 40
INK, FAINT, RULE, BAND = (HexColor(code) for code in (0x14213D, 0x5C677D, 0xCBD2DC, 0xEDF2F7))
# No letter is wider than its size, and most are half of it: a text this short always fits.
WIDEST = 1.02
# Beyond this a text is no longer read on paper; the structured file has all of it.
LONGEST = 2000
# Letters that the fonts lack and that do not come apart into a letter and its accent.
SPELT = str.maketrans({"Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "ı": "i", "‐": "-", "‑": "-"})
# The letters of the fonts by their place in them (WinAnsi), and how a file writes those that are
# not plain.
LETTERS = {
    letter: place
    for place in range(32, 256)
    if (letter := bytes([place]).decode("cp1252", "ignore")) and place != 127
}
ESCAPED = str.maketrans(
    {letter: f"\\{place:03o}" for letter, place in LETTERS.items() if place > 126}
    | {"\\": "\\\\", "(": "\\(", ")": "\\)"}
)
# Between thousands and before cents, as each language writes them.
MARKS = {"en": (",", "."), "nl": (".", ","), "fr": (" ", ","), "de": (".", ",")}


class Style(NamedTuple):
    font: str
    size: int
    colour: HexColor


TITLE, HOLDER = Style("Helvetica-Bold", 17, INK), Style("Helvetica-Bold", 11, INK)
BOLD, PLAIN = Style("Helvetica-Bold", 10, INK), Style("Helvetica", 10, INK)
SMALL = Style("Helvetica", 8, FAINT)


class Page:
    """What stands on a page, by style: thousands are drawn, and a change of style costs time."""

    def __init__(self) -> None:
        self.texts: dict[Style, list[tuple[float, int, str]]] = defaultdict(list)
        self.bands: list[int] = []
        self.rules: list[tuple[int, int, int, int]] = []

    def left(self, style: Style, x: float, y: int, text: str) -> None:
        self.texts[style].append((x, y, text))

    def right(self, style: Style, x: float, y: int, text: str) -> None:
        """The text ends at `x`."""
        self.texts[style].append((x - width(text, style), y, text))

    def draw(self, canvas: Canvas) -> None:
        if self.bands:
            canvas.setFillColor(BAND)
            for y in self.bands:
                canvas.rect(LEFT, y - 8, RIGHT - LEFT, 24, stroke=0, fill=1)
        if self.rules:
            canvas.setStrokeColor(RULE)
            canvas.lines(self.rules)
        for style, texts in self.texts.items():
            canvas.setFont(style.font, style.size)
            canvas.setFillColor(style.colour)
            # Written as they stand in the file: reportlab's own text objects take far longer.
            drawn = (
                f"1 0 0 1 {x:.2f} {y} Tm ({text.translate(ESCAPED)}) Tj" for x, y, text in texts
            )
            canvas.addLiteral("BT\n" + "\n".join(drawn) + "\nET")
        canvas.showPage()


class Printout:
    """Pages that are written from top to bottom; `head` writes the head of each."""

    def __init__(self, title: str, head: Callable[[Page], int]) -> None:
        self.title, self.head = title, head
        self.pages: list[Page] = []
        self.y = 0
        self._turn()

    @property
    def page(self) -> Page:
        return self.pages[-1]

    def _turn(self) -> None:
        self.pages.append(Page())
        self.y = self.head(self.page)

    def room(self, height: int) -> None:
        """Go to a new page where so much does not fit on this one any more."""
        if self.y - height < BOTTOM and self.y < TOP - 200:
            self._turn()

    def band(self, words: str, figure: str) -> None:
        """A line that stands out."""
        self.room(28)
        self.page.bands.append(self.y)
        self.page.left(BOLD, LEFT + 8, self.y, words)
        self.page.right(BOLD, RIGHT - 8, self.y, figure)
        self.y -= 28

    def rule(self) -> None:
        self.page.rules.append((LEFT, self.y + 4, RIGHT, self.y + 4))
        self.y -= 12

    def small(self, x: int, text: str, figure: str = "", *, wide: float = RIGHT - 8) -> None:
        """Small print from `x` on, on as many lines as it needs."""
        for place, line in enumerate(wrapped(text, SMALL, wide - x)):
            self.room(11)
            self.page.left(SMALL, x, self.y, line)
            if figure and not place:
                self.page.right(SMALL, RIGHT - 8, self.y, figure)
            self.y -= 11

    def finish(self, foot: str) -> bytes:
        """The PDF."""
        target = io.BytesIO()
        canvas = Canvas(target, pagesize=A4, invariant=1, pageCompression=0)
        canvas.setTitle(self.title)
        for place, page in enumerate(self.pages, start=1):
            page.left(SMALL, LEFT, FOOT, foot)
            page.right(SMALL, RIGHT, FOOT, f"{place} / {len(self.pages)}")
            page.draw(canvas)
        canvas.save()
        return target.getvalue()


def width(text: str, style: Style) -> float:
    return style.size * sum(map(_widths(style.font).__getitem__, text))


@cache
def _widths(font: str) -> dict[str, float]:
    """How wide each letter of the fonts is, at size 1."""
    return {letter: stringWidth(letter, font, 1) for letter in LETTERS}


def printable(text: str) -> str:
    """The text in letters that the fonts have: accents may fall away, other letters become "?"."""
    text = text[:LONGEST]
    if text.isprintable() and text.isascii():
        return text
    return "".join(map(_letter, text.translate(SPELT)))


def _letter(letter: str) -> str:
    if letter in LETTERS:
        return letter
    if not letter.isprintable():
        return " "
    apart = unicodedata.normalize("NFKD", letter)
    return "".join(part for part in apart if " " <= part <= "~") or (
        "" if unicodedata.combining(letter) else "?"
    )


def fitting(text: str, style: Style, room: float) -> str:
    """The text, cut with dots where it is too wide."""
    plain = printable(text)
    if _fits(plain, style, room):
        return plain
    while plain and not _fits(f"{plain}...", style, room):
        plain = plain[:-1]
    return f"{plain}..."


def wrapped(text: str, style: Style, room: float) -> Iterator[str]:
    """The text in lines, broken between words where it can be."""
    line = ""
    for word in printable(text).split():
        longer = f"{line} {word}" if line else word
        if _fits(longer, style, room):
            line = longer
            continue
        if line:
            yield line
        while not _fits(word, style, room):
            fits = int(room // (style.size * WIDEST))
            yield word[:fits]
            word = word[fits:]
        line = word
    if line:
        yield line


def _fits(text: str, style: Style, room: float) -> bool:
    return len(text) * style.size * WIDEST <= room or width(text, style) <= room


def figure(amount: Decimal, language: str) -> str:
    """1234567.5 as 1.234.567,50: two decimals, more where the amount has more."""
    thousands, cents = MARKS[language]
    places = max(2, -int(amount.as_tuple().exponent))
    return f"{amount:,.{places}f}".replace(",", "_").replace(".", cents).replace("_", thousands)


def in_fours(iban: str) -> str:
    """An IBAN as people read it, in groups of four."""
    return " ".join(iban[at : at + 4] for at in range(0, len(iban), 4))
