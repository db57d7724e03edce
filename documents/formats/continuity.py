"""Whether one statement of an account goes on where the one before it ended."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from documents.formats import BankStatement


@dataclass(frozen=True)
class Gap:
    """What lies between two statements: numbers that are missing, money that moved unseen.

    `first` and `last` are the numbers missing in `year`, both 0 where none is; `moved` is by how
    much the balance changed in between.
    """

    year: int
    first: int
    last: int
    moved: Decimal

    def __str__(self) -> str:
        words = []
        if self.first == self.last != 0:
            words.append(f"number {self.first} of {self.year} is missing")
        elif self.first:
            words.append(f"numbers {self.first} to {self.last} of {self.year} are missing")
        if self.moved:
            words.append(f"the balance moved by {self.moved} in between")
        return "; ".join(words)


def gap_between(previous: BankStatement, this: BankStatement) -> Gap | None:
    """The gap between two statements of one account, None where the second follows the first.

    Numbers go up by one and begin again at 1 each year; 0 is a statement without a number, which
    only its balance can place. Raises ValueError where the two are not of one account or not in
    their order.
    """
    if (previous.iban, previous.currency) != (this.iban, this.currency):
        raise ValueError(f"{previous.iban} and {this.iban} are two accounts")
    if previous.dated_on > this.dated_on:
        raise ValueError(f"{previous.dated_on} is after {this.dated_on}")
    first, last = _missing(previous, this)
    moved = this.opening - previous.closing
    return Gap(this.dated_on.year, first, last, moved) if first or moved else None


def _missing(previous: BankStatement, this: BankStatement) -> tuple[int, int]:
    """The numbers between the two in the year of the later one."""
    if not previous.number or not this.number or this.number == previous.number + 1:
        return 0, 0
    same_year = previous.dated_on.year == this.dated_on.year
    first = previous.number + 1 if same_year else 1
    return (first, this.number - 1) if first < this.number else (0, 0)
