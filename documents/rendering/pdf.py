"""Render the facts of a structured file as a PDF on A4."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import singledispatch

from django.utils import translation
from django.utils.translation import gettext as _

from core.pdf import (
    BOLD,
    HOLDER,
    LEFT,
    MARKS,
    PLAIN,
    RIGHT,
    SMALL,
    TITLE,
    TOP,
    Page,
    PdfDocument,
    figure,
    fitting,
    in_fours,
    printable,
)
from documents.formats import (
    BankStatement,
    CardStatement,
    Facts,
    Invoice,
    Movement,
    Party,
    PayrollStatement,
)

MIDDLE = 300
TABLE_TOP = TOP - 138
# Where the columns of a statement begin: day, value date, and what happened.
DAY, VALUE, WORDS = LEFT + 8, LEFT + 70, LEFT + 132


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


def _head(
    title: str, party: Party, left: list[str], right: list[str], columns: Callable[[Page], None]
) -> Callable[[Page], int]:
    """Writes the head of a page: what it is, whose it is, and the names of the columns."""

    def write(page: Page) -> int:
        page.left(TITLE, LEFT, TOP, title)
        page.left(HOLDER, LEFT, TOP - 38, fitting(party.name, HOLDER, RIGHT - LEFT))
        for place, text in enumerate([party.company_number, *left]):
            page.left(PLAIN, LEFT, TOP - 54 - 14 * place, fitting(text, PLAIN, MIDDLE - LEFT))
        for place, text in enumerate(right):
            page.right(PLAIN, RIGHT, TOP - 54 - 14 * place, fitting(text, PLAIN, RIGHT - MIDDLE))
        columns(page)
        return TABLE_TOP

    return write


# --- statement of an account ---------------------------------------------------------------------


@_rendered.register
def _statement(facts: BankStatement, language: str) -> bytes:
    def columns(page: Page) -> None:
        page.left(SMALL, DAY, TABLE_TOP + 24, _("Date"))
        page.left(SMALL, VALUE, TABLE_TOP + 24, _("Value date"))
        page.left(SMALL, WORDS, TABLE_TOP + 24, _("Description"))
        page.right(SMALL, RIGHT - 8, TABLE_TOP + 24, facts.currency)

    number = _("No. %(number)s / %(year)s") % {"number": facts.number, "year": facts.dated_on.year}
    head = _head(
        _("Account statement"), facts.holder, [f"IBAN {in_fours(facts.iban)}", f"BIC {facts.bic}"],
        [number, _day(facts.dated_on)], columns,
    )  # fmt: skip
    printout = PdfDocument(printable(f"{facts.iban} {number}"), head)
    opening = f"{_('Opening balance')} {_day(facts.previous_on)}".strip()
    printout.band(opening, f"{figure(facts.opening, language)} {facts.currency}")
    for movement in facts.movements:
        _movement(printout, movement, language)
    closing = f"{_('Closing balance')} {_day(facts.dated_on)}"
    printout.band(closing, f"{figure(facts.closing, language)} {facts.currency}")
    for message in facts.messages:
        printout.small(LEFT + 8, message)
    return printout.finish(in_fours(facts.iban))


def _movement(printout: PdfDocument, movement: Movement, language: str) -> None:
    """When, who and how much; below it the account and what for; below that the lines of a sum."""
    printout.room(28)
    page, y = printout.page, printout.y
    page.left(PLAIN, DAY, y, _day(movement.booked_on))
    page.left(PLAIN, VALUE, y, _day(movement.value_on))
    page.left(PLAIN, WORDS, y, fitting(movement.name, PLAIN, RIGHT - WORDS - 95))
    page.right(PLAIN, RIGHT - 8, y, figure(movement.amount, language))
    printout.y -= 12
    printout.small(WORDS, _about(movement))
    for line in movement.details:
        _detail(printout, line, language, WORDS + 12)
    printout.rule()


def _detail(printout: PdfDocument, line: Movement, language: str, x: int) -> None:
    words = " · ".join(part for part in (line.name, _about(line)) if part) or "·"
    printout.small(x, words, figure(line.amount, language), wide=RIGHT - 95)
    for below in line.details:
        _detail(printout, below, language, x + 12)


def _about(movement: Movement) -> str:
    parts = (in_fours(movement.iban), movement.structured, movement.communication)
    return " · ".join(part for part in parts if part)


# --- invoice and credit note ---------------------------------------------------------------------

QUANTITY, PRICE, RATE = RIGHT - 232, RIGHT - 140, RIGHT - 90


@_rendered.register
def _invoice(facts: Invoice, language: str) -> bytes:
    def columns(page: Page) -> None:
        page.left(SMALL, LEFT + 8, TABLE_TOP + 24, _("Description"))
        page.right(SMALL, QUANTITY, TABLE_TOP + 24, _("Quantity"))
        page.right(SMALL, PRICE, TABLE_TOP + 24, _("Price"))
        page.right(SMALL, RATE, TABLE_TOP + 24, _("VAT"))
        page.right(SMALL, RIGHT - 8, TABLE_TOP + 24, facts.currency)

    kind = _("Credit note") if facts.is_credit_note else _("Invoice")
    title = f"{kind} {printable(facts.number)}"
    customer = fitting(facts.customer.name, PLAIN, RIGHT - MIDDLE)
    left = [f"{_('Date')} {_day(facts.issued_on)}"]
    if facts.due_on:
        left.append(f"{_('Due date')} {_day(facts.due_on)}")
    right = [_("Customer"), customer, facts.customer.company_number]
    head = _head(fitting(title, TITLE, RIGHT - LEFT), facts.supplier, left, right, columns)
    printout = PdfDocument(title, head)
    for line in facts.lines:
        printout.room(24)
        page, y = printout.page, printout.y
        quantity = f"{line.quantity.normalize():f} {line.unit}".replace(".", MARKS[language][1])
        page.right(PLAIN, QUANTITY, y, fitting(quantity, PLAIN, 90))
        page.right(PLAIN, PRICE, y, figure(line.price, language))
        page.right(PLAIN, RATE, y, _percent(line.vat_rate, language))
        page.right(PLAIN, RIGHT - 8, y, figure(line.net, language))
        printout.small(LEFT + 8, line.description, wide=QUANTITY - 92)
        printout.rule()
    _totals(printout, facts, language)
    return printout.finish(title)


def _totals(printout: PdfDocument, facts: Invoice, language: str) -> None:
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
    for words, amount in rows:
        if amount or words == rows[1][0]:
            printout.room(16)
            printout.page.right(PLAIN, PRICE, printout.y, words)
            printout.page.right(PLAIN, RIGHT - 8, printout.y, figure(amount, language))
            printout.y -= 16
    printout.y -= 12
    printout.band(_("Amount due"), f"{figure(facts.payable, language)} {facts.currency}")
    if facts.iban:
        words = f"IBAN {in_fours(facts.iban)}"
        printout.small(LEFT + 8, f"{words} · {facts.reference}" if facts.reference else words)


def _percent(rate: object, language: str) -> str:
    if rate is None:
        return ""
    return f"{rate:f} %".replace(".", MARKS[language][1])


# --- payroll and cards ---------------------------------------------------------------------------


@_rendered.register
def _payroll(facts: PayrollStatement, language: str) -> bytes:
    def columns(page: Page) -> None:
        page.left(SMALL, LEFT + 8, TABLE_TOP + 24, _("Ledger account"))
        page.right(SMALL, PRICE, TABLE_TOP + 24, _("Debit"))
        page.right(SMALL, RIGHT - 8, TABLE_TOP + 24, _("Credit"))

    title = f"{_('Payroll statement')} {facts.period}"
    agency = f"{_('Payroll agency')} {printable(facts.social_office)}"
    head = _head(title, facts.employer, [], [agency, facts.currency], columns)
    printout = PdfDocument(title, head)
    for line in facts.bookings:
        printout.room(18)
        page, y = printout.page, printout.y
        words = f"{line.account} {line.label}"
        page.left(PLAIN, LEFT + 8, y, fitting(words, PLAIN, PRICE - LEFT - 90))
        if line.debit:
            page.right(PLAIN, PRICE, y, figure(line.debit, language))
        if line.credit:
            page.right(PLAIN, RIGHT - 8, y, figure(line.credit, language))
        printout.y -= 18
    total = figure(
        sum((line.credit for line in facts.bookings), facts.bookings[0].credit * 0), language
    )
    printout.y -= 8
    printout.page.right(BOLD, PRICE, printout.y, total)
    printout.band(_("Total"), total)
    return printout.finish(title)


@_rendered.register
def _card(facts: CardStatement, language: str) -> bytes:
    def columns(page: Page) -> None:
        page.left(SMALL, DAY, TABLE_TOP + 24, _("Date"))
        page.left(SMALL, VALUE, TABLE_TOP + 24, _("Description"))
        page.right(SMALL, RIGHT - 8, TABLE_TOP + 24, facts.currency)

    title = f"{_('Credit card statement')} {facts.period}"
    reference = printable(facts.client_reference)
    head = _head(title, facts.holder, [], [facts.bank, reference], columns)
    printout = PdfDocument(title, head)
    for expense in facts.expenses:
        printout.room(18)
        page, y = printout.page, printout.y
        page.left(PLAIN, DAY, y, _day(expense.spent_on))
        page.left(PLAIN, VALUE, y, fitting(expense.merchant, PLAIN, RIGHT - VALUE - 95))
        page.right(PLAIN, RIGHT - 8, y, figure(expense.amount, language))
        printout.y -= 18
    printout.y -= 8
    printout.band(_("Total"), f"{figure(facts.total, language)} {facts.currency}")
    return printout.finish(reference)
