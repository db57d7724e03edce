"""A statement as a page that a person reads."""

from __future__ import annotations

import io
from collections import defaultdict
from typing import NamedTuple

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from demo.data.coda import Movement, Statement, latin
from demo.data.numbers import between_pluses, in_fours

LEFT, RIGHT, TOP, BOTTOM = 50, 545, 790, 48
# The second column begins behind a date: all digits are equally wide, so it is always the same.
GAP = "   "
WORDS = LEFT + 8 + stringWidth(f"00/00/0000{GAP}", "Helvetica", 10)
TABLE_TOP, ROW = 640, 32
ROWS_A_PAGE = 16
INK, FAINT, RULE, BAND = (HexColor(code) for code in (0x14213D, 0x5C677D, 0xCBD2DC, 0xEDF2F7))
# Widths are counted letter by letter: only for texts this long can it matter.
SURELY_FITS = 45


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

    def right(self, style: Style, x: int, y: int, text: str) -> None:
        """The text ends at `x`."""
        self.texts[style].append((x - stringWidth(text, style.font, style.size), y, text))

    def draw(self, canvas: Canvas) -> None:
        canvas.setFillColor(BAND)
        for y in self.bands:
            canvas.rect(LEFT, y - 8, RIGHT - LEFT, 24, stroke=0, fill=1)
        canvas.setStrokeColor(RULE)
        canvas.lines(self.rules)
        drawn = canvas.beginText()
        for style, texts in self.texts.items():
            drawn.setFont(style.font, style.size)
            drawn.setFillColor(style.colour)
            for x, y, text in texts:
                drawn.setTextOrigin(x, y)
                drawn.textOut(text)
        canvas.drawText(drawn)
        canvas.showPage()


def euros(cents: int) -> str:
    """1234567 → 12 345,67, as Belgian banks print it."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole:,}".replace(",", " ") + f",{rest:02d}"


def render(statement: Statement) -> bytes:
    """The PDF; the same statement gives the same bytes."""
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4, invariant=1, pageCompression=0)
    canvas.setTitle(f"{statement.iban} {statement.number}")
    day = f"{statement.day:%d/%m/%Y}"
    starts = range(0, max(len(statement.movements), 1), ROWS_A_PAGE)
    for place, start in enumerate(starts, start=1):
        page, y = Page(), TABLE_TOP
        _head(page, statement, day)
        if start == 0:
            y = _balance(page, y, "Vorig saldo · Solde précédent", statement.opening)
        for movement in statement.movements[start : start + ROWS_A_PAGE]:
            y = _row(page, y, day, movement)
        if place == len(starts):
            _balance(page, y, "Nieuw saldo · Nouveau solde", statement.closing)
        page.left(SMALL, LEFT, BOTTOM, f"{statement.iban} · Voorbeeld · Exemple · Muster")
        page.right(SMALL, RIGHT, BOTTOM, f"{place} / {len(starts)}")
        page.draw(canvas)
    canvas.save()
    return target.getvalue()


def _head(page: Page, statement: Statement, day: str) -> None:
    """Whose account, which statement; then the names of the columns."""
    page.left(TITLE, LEFT, TOP - 12, "Rekeninguittreksel · Extrait de compte")
    page.left(HOLDER, LEFT, TOP - 50, _fit(statement.holder, HOLDER, RIGHT - LEFT))
    page.left(PLAIN, LEFT, TOP - 66, f"IBAN {in_fours(statement.iban)}")
    page.left(PLAIN, LEFT, TOP - 80, f"BIC {statement.bic}")
    page.right(PLAIN, RIGHT, TOP - 66, f"Nr. {statement.number} / {statement.day.year}")
    page.right(PLAIN, RIGHT, TOP - 80, day)
    page.left(SMALL, LEFT + 8, TABLE_TOP + 24, "Datum · Date")
    page.left(SMALL, WORDS, TABLE_TOP + 24, "Omschrijving · Description")
    page.right(SMALL, RIGHT - 8, TABLE_TOP + 24, "EUR")


def _balance(page: Page, y: int, words: str, cents: int) -> int:
    page.bands.append(y)
    page.left(BOLD, LEFT + 8, y, words)
    page.right(BOLD, RIGHT - 8, y, f"{euros(cents)} EUR")
    return y - ROW + 4


def _row(page: Page, y: int, day: str, movement: Movement) -> int:
    """Two lines: who, and below it what for."""
    what = between_pluses(movement.structured) if movement.structured else movement.text
    name = _fit(movement.name, PLAIN, RIGHT - WORDS - 95)
    page.left(PLAIN, LEFT + 8, y, f"{day}{GAP}{name}")
    page.right(PLAIN, RIGHT - 8, y, euros(movement.cents))
    about = f"{in_fours(movement.iban)} · {what}"
    page.left(SMALL, WORDS, y - 11, _fit(about, SMALL, RIGHT - WORDS - 8))
    page.rules.append((LEFT, y - 18, RIGHT, y - 18))
    return y - ROW


def _fit(text: str, style: Style, width: float) -> str:
    """The text as the page's fonts hold it, cut with dots where it is too wide."""
    plain = latin(text)
    if len(plain) <= SURELY_FITS or stringWidth(plain, style.font, style.size) <= width:
        return plain
    while plain and stringWidth(f"{plain}...", style.font, style.size) > width:
        plain = plain[:-1]
    return f"{plain}..."
