"""Prepare the page of a document: what it shows beside the facts of its file."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import gettext as _

from documents.formats import (
    BankStatement,
    CardStatement,
    Facts,
    Invoice,
    Movement,
    PayrollStatement,
)
from documents.rendering import chart

# A page stays a page; the file has all of them.
MOST_MOVEMENTS = 1000


class Line(NamedTuple):
    """A movement, and the balance after it."""

    movement: Movement
    balance: Decimal


class StatementPage(NamedTuple):
    statement: BankStatement
    lines: list[Line]
    incoming: Decimal
    outgoing: Decimal
    chart: chart.Chart

    @classmethod
    def of(cls, statement: BankStatement) -> StatementPage:
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
            chart.of_balances(
                chart.Balance(statement.previous_on or statement.dated_on, statement.opening),
                [chart.Balance(line.movement.booked_on, line.balance) for line in lines],
                statement.dated_on,
            ),
        )

    @property
    def left_out(self) -> int:
        return len(self.statement.movements) - len(self.lines)


class PayrollPage(NamedTuple):
    payroll: PayrollStatement
    debit: Decimal
    credit: Decimal

    @classmethod
    def of(cls, payroll: PayrollStatement) -> PayrollPage:
        debit = sum((booking.debit for booking in payroll.bookings), Decimal(0))
        credit = sum((booking.credit for booking in payroll.bookings), Decimal(0))
        return cls(payroll, debit, credit)


class DocumentPage(NamedTuple):
    """The template that shows a document, its title, and its content."""

    template: str
    title: str
    content: StatementPage | PayrollPage | CardStatement | Invoice


def page_of(facts: Facts) -> DocumentPage:
    match facts:
        case BankStatement():
            title = _("Bank account statement %(number)s") % {"number": facts.number}
            return DocumentPage("documents/parts/statement.html", title, StatementPage.of(facts))
        case PayrollStatement():
            title = _("Payroll %(period)s") % {"period": facts.period}
            return DocumentPage("documents/parts/payroll.html", title, PayrollPage.of(facts))
        case CardStatement():
            title = _("Credit card statement %(period)s") % {"period": facts.period}
            return DocumentPage("documents/parts/card.html", title, facts)
        case Invoice():
            words = _("Credit note %(number)s") if facts.is_credit_note else _("Invoice %(number)s")
            title = words % {"number": facts.number}
            return DocumentPage("documents/parts/invoice.html", title, facts)
