"""The balance of an account as a drawing: a line over real time that steps at every movement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

WIDTH, HEIGHT, MARGIN = 600, 120, 6


class Balance(NamedTuple):
    """The balance after a movement, and the day of the movement."""

    day: date
    amount: Decimal


class Chart(NamedTuple):
    """Paths in the units of the drawing, as text: a template would write 1.5 as 1,5 in Dutch."""

    line: str
    area: str
    # Where zero lies: always on the scale, or a small change would look like a large one.
    zero: str
    lowest: Decimal
    highest: Decimal
    first: date
    last: date

    @property
    def box(self) -> str:
        return f"0 0 {WIDTH} {HEIGHT}"

    @property
    def width(self) -> int:
        return WIDTH


def of_balances(opening: Balance, after: Sequence[Balance], until: date) -> Chart:
    """The opening balance, the balance after each movement, and the day on which it all ends."""
    amounts = [opening.amount, *(balance.amount for balance in after)]
    bottom, top = min(*amounts, Decimal(0)), max(*amounts, Decimal(0))
    first = min([opening.day, *(balance.day for balance in after)])
    last = max([until, *(balance.day for balance in after)])

    def y(amount: Decimal) -> str:
        part = (top - amount) / (top - bottom) if top != bottom else Decimal("0.5")
        return f"{MARGIN + part * (HEIGHT - 2 * MARGIN):.1f}"

    line = f"M0 {y(opening.amount)}"
    for x, balance in zip(_places(after, first, last), after, strict=True):
        line += f"H{x:.1f}V{y(balance.amount)}"
    line += f"H{WIDTH}"
    zero = y(Decimal(0))
    return Chart(line, f"{line}V{zero}H0Z", zero, min(amounts), max(amounts), first, last)


def _places(after: Sequence[Balance], first: date, last: date) -> list[float]:
    """Where each movement stands: every day has the same room, shared by its movements."""
    days = (last - first).days + 1
    of_a_day, before = Counter(balance.day for balance in after), Counter[date]()
    places = []
    for balance in after:
        before[balance.day] += 1
        part = before[balance.day] / (of_a_day[balance.day] + 1)
        places.append(((balance.day - first).days + part) / days * WIDTH)
    return sorted(places)
