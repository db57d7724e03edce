"""Just enough CODA to show balances: records 1 (old balance) and 8 (new balance)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple


class Balances(NamedTuple):
    """Amounts in euros, as the statement says them."""

    day: date
    opening: Decimal
    closing: Decimal


def balances(file: bytes) -> Balances:
    """Read a CODA file of lines of 128 characters; raise ValueError when it has no balances."""
    records = {line[0]: line for line in file.decode("latin-1").splitlines() if line}
    try:
        old, new = records["1"], records["8"]
        day = datetime.strptime(new[57:63], "%d%m%y").date()  # noqa: DTZ007  # a day has no zone
        return Balances(day, _amount(old[42:58]), _amount(new[41:57]))
    except KeyError as missing:
        raise ValueError(f"no record {missing} in this file") from missing


def _amount(text: str) -> Decimal:
    """Sign (0 credit, 1 debit) and thousandths."""
    amount = Decimal(int(text[1:])) / 1000
    return -amount if text[0] == "1" else amount
