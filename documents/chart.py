"""The balance of an account as a drawing: a line that steps at every movement."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

WIDTH, HEIGHT, MARGIN = 600, 120, 6


class Chart(NamedTuple):
    """Paths in the units of the drawing, as text: a template would write 1.5 as 1,5 in Dutch."""

    line: str
    area: str
    # Where zero lies, when the balance crosses it.
    zero: str
    lowest: Decimal
    highest: Decimal

    @property
    def box(self) -> str:
        return f"0 0 {WIDTH} {HEIGHT}"

    @property
    def width(self) -> int:
        return WIDTH


def of_balances(balances: Sequence[Decimal]) -> Chart:
    """The opening balance, and the balance after each movement; at least one of them."""
    lowest, highest = min(balances), max(balances)
    span = highest - lowest

    def y(balance: Decimal) -> str:
        part = (highest - balance) / span if span else Decimal("0.5")
        return f"{MARGIN + part * (HEIGHT - 2 * MARGIN):.1f}"

    step = WIDTH / len(balances)
    line = f"M0 {y(balances[0])}"
    for place, balance in enumerate(balances[1:], start=1):
        line += f"H{place * step:.1f}V{y(balance)}"
    line += f"H{WIDTH}"
    crosses = lowest < 0 < highest
    ground = y(Decimal(0)) if crosses else str(HEIGHT if highest > 0 else 0)
    area = f"{line}V{ground}H0Z"
    return Chart(line, area, y(Decimal(0)) if crosses else "", lowest, highest)
