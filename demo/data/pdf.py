"""A statement as a page that a person reads."""

from __future__ import annotations

import io

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from demo.data.coda import Statement

LEFT, RIGHT, TOP = 50, 545, 780
ROWS_A_PAGE = 38


def euros(cents: int) -> str:
    """1234567 → 12 345,67, as Belgian banks print it."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole:,}".replace(",", " ") + f",{rest:02d}"


def render(statement: Statement) -> bytes:
    """The PDF; the same statement gives the same bytes."""
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4, invariant=1, pageCompression=0)
    canvas.setTitle(f"{statement.iban} {statement.number}")
    rows = list(statement.movements)
    for start in range(0, max(len(rows), 1), ROWS_A_PAGE):
        _page(canvas, statement, start)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def _page(canvas: Canvas, statement: Statement, start: int) -> None:
    canvas.setFont("Helvetica-Bold", 15)
    canvas.drawString(LEFT, TOP, "Rekeninguittreksel · Extrait de compte")
    canvas.setFont("Helvetica", 10)
    canvas.drawString(LEFT, TOP - 22, _plain(statement.holder))
    canvas.drawString(LEFT, TOP - 36, f"{statement.iban}   {statement.bic}")
    canvas.drawRightString(RIGHT, TOP - 22, f"Nr. {statement.number}")
    canvas.drawRightString(RIGHT, TOP - 36, statement.day.strftime("%d/%m/%Y"))
    y: float = TOP - 64
    y = _line(canvas, y, "Vorig saldo · Solde précédent", statement.opening, bold=True)
    for movement in statement.movements[start : start + ROWS_A_PAGE]:
        about = movement.structured or movement.text
        y = _line(canvas, y, f"{movement.name} · {about}", movement.cents)
    if start + ROWS_A_PAGE >= len(statement.movements):
        _line(canvas, y - 6, "Nieuw saldo · Nouveau solde", statement.closing, bold=True)


def _line(canvas: Canvas, y: float, text: str, cents: int, *, bold: bool = False) -> float:
    canvas.setFont("Helvetica-Bold" if bold else "Helvetica", 10)
    canvas.drawString(LEFT, y, _plain(text)[:80])
    canvas.drawRightString(RIGHT, y, f"{euros(cents)} EUR")
    canvas.setLineWidth(0.3)
    canvas.line(LEFT, y - 5, RIGHT, y - 5)
    return y - 17


def _plain(text: str) -> str:
    return text.replace("Œ", "OE").replace("œ", "oe")
