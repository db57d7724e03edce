"""The one way to make a PDF: text on A4 pages, in columns, bands, rules and paragraphs.

The typeface is embedded, so a PDF looks the same everywhere. Letters that the typeface lacks are
replaced by letters that it has. The same text gives the same bytes.
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
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

LEFT, RIGHT, TOP, BOTTOM = 50, 545, 778, 70
FOOT = 40
INK, FAINT, RULE, BAND = (HexColor(code) for code in (0x14213D, 0x5C677D, 0xCBD2DC, 0xEDF2F7))
# No letter is wider than this times its size, and most are half as wide. If a text fits by this
# measure, it always fits.
WIDEST = 1.45
# Nobody reads a longer text on paper; the structured file has all of it.
LONGEST = 2000
# Letters that the typeface lacks and that Unicode does not split into a letter and an accent.
SPELT = str.maketrans({"‐": "-", "‑": "-"})
REGULAR, STRONG = "Vera", "VeraBd"
for _font in (REGULAR, STRONG):
    pdfmetrics.registerFont(TTFont(_font, f"{_font}.ttf"))
# The letters of the typeface. Both weights have the same letters.
LETTERS = {
    letter for letter in map(chr, pdfmetrics.getFont(REGULAR).face.charToGlyph)
    if letter.isprintable()
}  # fmt: skip
# Between thousands and before cents, as each language writes them.
MARKS = {"en": (",", "."), "nl": (".", ","), "fr": (" ", ","), "de": (".", ",")}


class Style(NamedTuple):
    font: str
    size: int
    colour: HexColor


TITLE, HOLDER = Style(STRONG, 15, INK), Style(STRONG, 10, INK)
BOLD, PLAIN = Style(STRONG, 9, INK), Style(REGULAR, 9, INK)
SMALL = Style(REGULAR, 7, FAINT)


class Page:
    """The texts of a page by style: there are thousands, and changing the style takes time."""

    def __init__(self) -> None:
        self.texts: dict[Style, list[tuple[float, int, str]]] = defaultdict(list)
        self.bands: list[int] = []
        self.rules: list[tuple[int, int, int, int]] = []

    def left(self, style: Style, x: float, y: int, text: str) -> None:
        self.texts[style].append((x, y, text))

    def right(self, style: Style, x: float, y: int, text: str) -> None:
        """Write the text so that it ends at `x`."""
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
            drawn = canvas.beginText()
            drawn.setFont(style.font, style.size)
            drawn.setFillColor(style.colour)
            for x, y, text in texts:
                drawn.setTextOrigin(x, y)
                drawn.textOut(text)
            canvas.drawText(drawn)
        canvas.showPage()


class PdfDocument:
    """Pages that are written from top to bottom; `head` writes the head of each.

    `language` is a code such as nl, by which a screen reader chooses its voice.
    """

    def __init__(
        self, title: str, head: Callable[[Page], int], language: str | None = None
    ) -> None:
        self.title, self.head, self.language = title, head, language
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
        """Begin a new page if this height does not fit on the current one."""
        if self.y - height < BOTTOM and self.y < TOP - 200:
            self._turn()

    def band(self, words: str, figure: str) -> None:
        """Write a line on a coloured band."""
        self.room(28)
        self.page.bands.append(self.y)
        self.page.left(BOLD, LEFT + 8, self.y, words)
        self.page.right(BOLD, RIGHT - 8, self.y, figure)
        self.y -= 28

    def rule(self) -> None:
        self.page.rules.append((LEFT, self.y + 4, RIGHT, self.y + 4))
        self.y -= 12

    def small(self, x: int, text: str, figure: str = "", *, wide: float = RIGHT - 8) -> None:
        """Write small print from `x` on, on as many lines as it needs."""
        for place, line in enumerate(wrapped(text, SMALL, wide - x)):
            self.room(11)
            self.page.left(SMALL, x, self.y, line)
            if figure and not place:
                self.page.right(SMALL, RIGHT - 8, self.y, figure)
            self.y -= 11

    def chapter(self, words: str) -> None:
        """Write the title of a chapter, on the same page as its first lines."""
        self.room(60)
        self.y -= 12
        self.page.left(HOLDER, LEFT, self.y, fitting(words, HOLDER, RIGHT - LEFT))
        self.y -= 20

    def fact(self, name: str, text: str) -> None:
        """Write the name of a fact, and its full value below it."""
        self.room(34)
        self._lines(name, BOLD)
        self._lines(text, PLAIN)
        self.y -= 6

    def paragraph(self, text: str) -> None:
        """Write a whole paragraph."""
        self._lines(text, PLAIN)
        self.y -= 6

    def _lines(self, text: str, style: Style) -> None:
        for line in wrapped(text, style, RIGHT - LEFT, longest=len(text)):
            self.room(13)
            self.page.left(style, LEFT, self.y, line)
            self.y -= 13

    def finish(self, foot: str) -> bytes:
        """Return the bytes of the PDF."""
        target = io.BytesIO()
        canvas = Canvas(target, pagesize=A4, invariant=1, lang=self.language)
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
    """The width of each letter of the typeface, at size 1."""
    return {letter: pdfmetrics.stringWidth(letter, font, 1) for letter in LETTERS}


def printable(text: str, longest: int = LONGEST) -> str:
    """The text in letters of the typeface: it may lose accents, and unknown letters become "?"."""
    text = text[:longest]
    if text.isprintable() and text.isascii():
        return text
    return "".join(map(_letter, text.translate(SPELT)))


def _letter(letter: str) -> str:
    if letter in LETTERS:
        return letter
    if not letter.isprintable():
        return " "
    apart = unicodedata.normalize("NFKD", letter)
    plain = "".join(part for part in apart if part in LETTERS and not unicodedata.combining(part))
    return plain or ("" if unicodedata.combining(letter) else "?")


def fitting(text: str, style: Style, room: float) -> str:
    """The text; if it is too wide, it is cut and ends with dots."""
    plain = printable(text)
    if _fits(plain, style, room):
        return plain
    while plain and not _fits(f"{plain}...", style, room):
        plain = plain[:-1]
    return f"{plain}..."


def wrapped(text: str, style: Style, room: float, *, longest: int = LONGEST) -> Iterator[str]:
    """The text in lines, broken between words where possible."""
    line = ""
    for word in printable(text, longest).split():
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
