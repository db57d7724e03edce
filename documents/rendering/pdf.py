"""Render the facts of a structured file as a tagged PDF on A4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from functools import singledispatch
from itertools import islice

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.pdf import MARKS, Cell, Column, Look, PdfDocument, Row, figure, in_fours
from documents.formats import (
    BankStatement,
    CardStatement,
    Facts,
    Invoice,
    Movement,
    PayrollStatement,
)

# The width of a column of days, in points.
DAY = 68
# Nobody reads more rows on paper, and they take a hundred kilobytes of memory each.
MOST_ROWS = 4000


def render(facts: Facts, language: str) -> bytes:
    """The PDF in a language of the portal, else in English; the same facts give the same bytes."""
    spoken = language if language in MARKS else "en"
    with translation.override(spoken):
        return _rendered(facts, spoken)


@singledispatch
def _rendered(facts: Facts, language: str) -> bytes:
    raise TypeError(f"{type(facts)} cannot be rendered")


def _day(day: date | None) -> str:
    return f"{day:%d/%m/%Y}" if day else ""


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _first(rows: Iterable[Row], span: int) -> Iterator[Row]:
    """As many rows as are printed; a row over all columns says how many more there are."""
    rows = iter(rows)
    yield from islice(rows, MOST_ROWS)
    more = sum(1 for _row in rows)
    if more:
        words = ngettext(
            "%(count)s more line is in the structured file.",
            "%(count)s more lines are in the structured file.",
            more,
        ) % {"count": more}
        yield Row([Cell(words, span=span)])


# --- statement of an account ---------------------------------------------------------------------


@_rendered.register
def _statement(facts: BankStatement, language: str) -> bytes:
    number = _("No. %(number)s / %(year)s") % {"number": facts.number, "year": facts.dated_on.year}
    kind = _("Account statement")
    printout = PdfDocument(f"{kind} {number}", language)
    holder = facts.holder
    account = [holder.company_number, f"IBAN {in_fours(facts.iban)}", f"BIC {facts.bic}"]
    printout.head(holder.name, account, [_day(facts.dated_on)])
    columns = [
        Column(_("Date"), DAY), Column(_("Value date"), DAY), Column(_("Description"), None),
        Column(facts.currency, end=True),
    ]  # fmt: skip
    printout.table(columns, _with_balances(facts, language))
    for message in facts.messages:
        printout.small(message)
    return printout.finish(in_fours(facts.iban))


def _with_balances(facts: BankStatement, language: str) -> Iterator[Row]:
    """The movements between the balances."""

    def balance(words: str, day: date | None, amount: str) -> Row:
        text = f"{words} {_day(day)}".strip()
        return Row([Cell(text, span=3), Cell(f"{amount} {facts.currency}")], "band")

    yield balance(_("Opening balance"), facts.previous_on, figure(facts.opening, language))
    yield from _first(_movements(facts, language), 4)
    yield balance(_("Closing balance"), facts.dated_on, figure(facts.closing, language))


def _movements(facts: BankStatement, language: str) -> Iterator[Row]:
    """Each movement, and below it the lines of a sum."""
    for movement in facts.movements:
        days = Cell(_day(movement.booked_on)), Cell(_day(movement.value_on))
        words = Cell(movement.name, below=[_about(movement)])
        yield Row([*days, words, Cell(figure(movement.amount, language))])
        for line in movement.details:
            yield from _details(line, language, 1)


def _details(line: Movement, language: str, indent: int) -> Iterator[Row]:
    words = _joined(line.name, _about(line)) or "·"
    amount = Cell(figure(line.amount, language), small=True)
    yield Row([Cell(span=2), Cell(words, small=True, indent=indent), amount], "below")
    for below in line.details:
        yield from _details(below, language, indent + 1)


def _about(movement: Movement) -> str:
    return _joined(in_fours(movement.iban), movement.structured, movement.communication)


# --- invoice and credit note ---------------------------------------------------------------------


@_rendered.register
def _invoice(facts: Invoice, language: str) -> bytes:
    kind = _("Credit note") if facts.is_credit_note else _("Invoice")
    title = f"{kind} {facts.number}"
    printout = PdfDocument(title, language)
    left = [facts.supplier.company_number, f"{_('Date')} {_day(facts.issued_on)}"]
    if facts.due_on:
        left.append(f"{_('Due date')} {_day(facts.due_on)}")
    customer = [_("Customer"), facts.customer.name, facts.customer.company_number]
    printout.head(facts.supplier.name, left, customer)
    columns = [
        Column(_("Description"), None), Column(_("Quantity"), end=True),
        Column(_("Price"), end=True), Column(_("VAT"), end=True),
        Column(facts.currency, end=True),
    ]  # fmt: skip
    printout.table(columns, _with_totals(facts, language))
    if facts.iban:
        printout.small(_joined(f"IBAN {in_fours(facts.iban)}", facts.reference))
    return printout.finish(title)


def _with_totals(facts: Invoice, language: str) -> Iterator[Row]:
    """The lines, what they come to and what to pay."""
    yield from _first(_lines(facts, language), 5)
    yield from _totals(facts, language)
    payable = Cell(f"{figure(facts.payable, language)} {facts.currency}", span=2)
    yield Row([Cell(_("Amount due"), span=3), payable], "band")


def _lines(facts: Invoice, language: str) -> Iterator[Row]:
    for line in facts.lines:
        quantity = f"{line.quantity.normalize():f} {line.unit}".replace(".", MARKS[language][1])
        price, net = figure(line.price, language), figure(line.net, language)
        rate = _percent(line.vat_rate, language)
        yield Row([Cell(line.description), Cell(quantity), Cell(price), Cell(rate), Cell(net)])


def _totals(facts: Invoice, language: str) -> Iterator[Row]:
    """What the lines come to; allowances and payments are what lies between two totals."""
    lines = sum(line.net for line in facts.lines)
    rest = facts.payable - facts.net - facts.vat
    rows = [(_("Allowances and charges"), facts.net - lines), (_("Total excluding VAT"), facts.net)]
    for group in facts.vat_groups:
        base = figure(group.taxable, language)
        words = _("VAT %(rate)s on %(amount)s") % {
            "rate": _percent(group.rate, language) or group.category,
            "amount": base,
        }
        rows.append((words, group.vat))
    rows.append((_("Already paid and rounding"), rest))
    look: Look = "line"
    for words, amount in rows:
        if amount or words == rows[1][0]:
            yield Row([Cell(words, span=4, end=True), Cell(figure(amount, language))], look)
            look = "below"


def _percent(rate: object, language: str) -> str:
    if rate is None:
        return ""
    return f"{rate:f} %".replace(".", MARKS[language][1])


# --- payroll and cards ---------------------------------------------------------------------------


@_rendered.register
def _payroll(facts: PayrollStatement, language: str) -> bytes:
    title = f"{_('Payroll statement')} {facts.period}"
    printout = PdfDocument(title, language)
    agency = f"{_('Payroll agency')} {facts.social_office}"
    employer = facts.employer
    printout.head(employer.name, [employer.company_number], [agency, facts.currency])
    columns = [
        Column(_("Ledger account"), None), Column(_("Debit"), end=True),
        Column(_("Credit"), end=True),
    ]  # fmt: skip
    rows = [
        Row([
            Cell(f"{line.account} {line.label}"),
            Cell(figure(line.debit, language) if line.debit else ""),
            Cell(figure(line.credit, language) if line.credit else ""),
        ])
        for line in facts.bookings
    ]  # fmt: skip
    credit = sum((line.credit for line in facts.bookings), facts.bookings[0].credit * 0)
    total = Cell(figure(credit, language))
    printout.table(columns, [*_first(rows, 3), Row([Cell(_("Total")), total, total], "band")])
    return printout.finish(title)


@_rendered.register
def _card(facts: CardStatement, language: str) -> bytes:
    printout = PdfDocument(f"{_('Credit card statement')} {facts.period}", language)
    holder, reference = facts.holder, facts.client_reference
    printout.head(holder.name, [holder.company_number], [facts.bank, reference])
    columns = [
        Column(_("Date"), DAY), Column(_("Description"), None), Column(facts.currency, end=True),
    ]  # fmt: skip
    rows = [
        Row([Cell(_day(one.spent_on)), Cell(one.merchant), Cell(figure(one.amount, language))])
        for one in facts.expenses
    ]
    total = Cell(f"{figure(facts.total, language)} {facts.currency}")
    printout.table(columns, [*_first(rows, 3), Row([Cell(_("Total"), span=2), total], "band")])
    return printout.finish(reference)
