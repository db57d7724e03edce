"""Ledgerly's logo: an open ledger on a teal ground, drawn here so that it needs no licence."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw

GROUND, PAPER, INK = "#0a7568", "#ffffff", "#9fd6cc"
SIDE = 384


def ledgerly_logo() -> bytes:
    """A PNG of 384 by 384 pixels."""
    logo = Image.new("RGB", (SIDE, SIDE), GROUND)
    pen = ImageDraw.Draw(logo)
    for left, right, fold in ((72, 186, 1), (198, 312, 0)):
        low, high = (96, 112) if fold else (112, 96)
        pen.polygon([(left, low), (right, high), (right, high + 184), (left, low + 184)], PAPER)
        for line in range(4):
            y = 144 + 36 * line
            pen.line([(left + 20, y), (right - 20, y)], fill=INK, width=12)
    drawn = io.BytesIO()
    logo.save(drawn, "PNG")
    return drawn.getvalue()
