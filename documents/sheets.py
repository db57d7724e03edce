"""What the page of an opened document shows beside what its reader says."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import gettext as _

from documents import chart
from documents.formats import (
    BankStatement,
    CardStatement,
    Invoice,
    Movement,
    Paper,
    PayrollStatement,
)

# A page stays a page; the file has all of them.
MOST_MOVEMENTS = 1000


class Line(NamedTuple):
    """A movement, and the balance after it."""

    movement: Movement
    balance: Decimal


class StatementSheet(NamedTuple):
    statement: BankStatement
    lines: list[Line]
    incoming: Decimal
    outgoing: Decimal
    chart: chart.Chart

    @classmethod
    def of(cls, statement: BankStatement) -> StatementSheet:
        balance, lines = statement.opening, []
        for movement in statement.movements:
            balance += movement.amount
            lines.append(Line(movement, balance))
        amounts = [movement.amount for movement in statement.movements]
        return cls(
            statement,
            lines[:MOST_MOVEMENTS],
            sum((amount for amount in amounts if amount > 0), Decimal(0)),
            sum((amount for amount in amounts if amount < 0), Decimal(0)),
            chart.of_balances([statement.opening, *(line.balance for line in lines)]),
        )

    @property
    def left_out(self) -> int:
        return len(self.statement.movements) - len(self.lines)


class PayrollSheet(NamedTuple):
    payroll: PayrollStatement
    debit: Decimal
    credit: Decimal

    @classmethod
    def of(cls, payroll: PayrollStatement) -> PayrollSheet:
        debit = sum((booking.debit for booking in payroll.bookings), Decimal(0))
        credit = sum((booking.credit for booking in payroll.bookings), Decimal(0))
        return cls(payroll, debit, credit)


class Sheet(NamedTuple):
    """Which template shows a paper, under which name, and what is in it."""

    template: str
    title: str
    content: StatementSheet | PayrollSheet | CardStatement | Invoice


def sheet_of(paper: Paper) -> Sheet:
    match paper:
        case BankStatement():
            title = _("Bank account statement %(number)s") % {"number": paper.number}
            return Sheet("documents/parts/statement.html", title, StatementSheet.of(paper))
        case PayrollStatement():
            title = _("Payroll %(period)s") % {"period": paper.period}
            return Sheet("documents/parts/payroll.html", title, PayrollSheet.of(paper))
        case CardStatement():
            title = _("Credit card statement %(period)s") % {"period": paper.period}
            return Sheet("documents/parts/card.html", title, paper)
        case Invoice():
            words = _("Credit note %(number)s") if paper.is_credit_note else _("Invoice %(number)s")
            title = words % {"number": paper.number}
            return Sheet("documents/parts/invoice.html", title, paper)
