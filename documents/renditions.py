"""The paper of a structured file, for whoever reads on paper: all it says, on A4."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import singledispatch

from django.utils import translation
from django.utils.translation import gettext as _

from documents.formats import (
    BankStatement,
    CardStatement,
    Invoice,
    Movement,
    Paper,
    Party,
    PayrollStatement,
)
from documents.printing import (
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
    Printout,
    figure,
    fitting,
    in_fours,
    printable,
)

MIDDLE = 300
TABLE_TOP = TOP - 138
# Where the columns of a statement begin: day, value date, and what happened.
DAY, VALUE, WORDS = LEFT + 8, LEFT + 70, LEFT + 132


def render(paper: Paper, language: str) -> bytes:
    """The PDF in a language of the portal, else in English; the same paper gives the same bytes."""
    spoken = language if language in MARKS else "en"
    with translation.override(spoken):
        return _rendered(paper, spoken)


@singledispatch
def _rendered(paper: Paper, language: str) -> bytes:
    raise TypeError(f"{type(paper)} is no paper")


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
def _statement(paper: BankStatement, language: str) -> bytes:
    def columns(page: Page) -> None:
        page.left(SMALL, DAY, TABLE_TOP + 24, _("Date"))
        page.left(SMALL, VALUE, TABLE_TOP + 24, _("Value date"))
        page.left(SMALL, WORDS, TABLE_TOP + 24, _("Description"))
        page.right(SMALL, RIGHT - 8, TABLE_TOP + 24, paper.currency)

    number = _("No. %(number)s / %(year)s") % {"number": paper.number, "year": paper.dated_on.year}
    head = _head(
        _("Account statement"), paper.holder, [f"IBAN {in_fours(paper.iban)}", f"BIC {paper.bic}"],
        [number, _day(paper.dated_on)], columns,
    )  # fmt: skip
    printout = Printout(printable(f"{paper.iban} {number}"), head)
    opening = f"{_('Opening balance')} {_day(paper.previous_on)}".strip()
    printout.band(opening, f"{figure(paper.opening, language)} {paper.currency}")
    for movement in paper.movements:
        _movement(printout, movement, language)
    closing = f"{_('Closing balance')} {_day(paper.dated_on)}"
    printout.band(closing, f"{figure(paper.closing, language)} {paper.currency}")
    for message in paper.messages:
        printout.small(LEFT + 8, message)
    return printout.finish(in_fours(paper.iban))


def _movement(printout: Printout, movement: Movement, language: str) -> None:
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


def _detail(printout: Printout, line: Movement, language: str, x: int) -> None:
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
def _invoice(paper: Invoice, language: str) -> bytes:
    def columns(page: Page) -> None:
        page.left(SMALL, LEFT + 8, TABLE_TOP + 24, _("Description"))
        page.right(SMALL, QUANTITY, TABLE_TOP + 24, _("Quantity"))
        page.right(SMALL, PRICE, TABLE_TOP + 24, _("Price"))
        page.right(SMALL, RATE, TABLE_TOP + 24, _("VAT"))
        page.right(SMALL, RIGHT - 8, TABLE_TOP + 24, paper.currency)

    kind = _("Credit note") if paper.is_credit_note else _("Invoice")
    title = f"{kind} {printable(paper.number)}"
    customer = fitting(paper.customer.name, PLAIN, RIGHT - MIDDLE)
    left = [f"{_('Date')} {_day(paper.issued_on)}"]
    if paper.due_on:
        left.append(f"{_('Due date')} {_day(paper.due_on)}")
    right = [_("Customer"), customer, paper.customer.company_number]
    head = _head(fitting(title, TITLE, RIGHT - LEFT), paper.supplier, left, right, columns)
    printout = Printout(title, head)
    for line in paper.lines:
        printout.room(24)
        page, y = printout.page, printout.y
        quantity = f"{line.quantity.normalize():f} {line.unit}".replace(".", MARKS[language][1])
        page.right(PLAIN, QUANTITY, y, fitting(quantity, PLAIN, 90))
        page.right(PLAIN, PRICE, y, figure(line.price, language))
        page.right(PLAIN, RATE, y, _percent(line.vat_rate, language))
        page.right(PLAIN, RIGHT - 8, y, figure(line.net, language))
        printout.small(LEFT + 8, line.description, wide=QUANTITY - 92)
        printout.rule()
    _totals(printout, paper, language)
    return printout.finish(title)


def _totals(printout: Printout, paper: Invoice, language: str) -> None:
    """What the lines come to; allowances and payments are what lies between two totals."""
    lines = sum(line.net for line in paper.lines)
    rest = paper.payable - paper.net - paper.vat
    rows = [(_("Allowances and charges"), paper.net - lines), (_("Total without VAT"), paper.net)]
    for group in paper.vat_groups:
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
    printout.band(_("To pay"), f"{figure(paper.payable, language)} {paper.currency}")
    if paper.iban:
        words = f"IBAN {in_fours(paper.iban)}"
        printout.small(LEFT + 8, f"{words} · {paper.reference}" if paper.reference else words)


def _percent(rate: object, language: str) -> str:
    if rate is None:
        return ""
    return f"{rate:f} %".replace(".", MARKS[language][1])


# --- payroll and cards ---------------------------------------------------------------------------


@_rendered.register
def _payroll(paper: PayrollStatement, language: str) -> bytes:
    def columns(page: Page) -> None:
        page.left(SMALL, LEFT + 8, TABLE_TOP + 24, _("Ledger account"))
        page.right(SMALL, PRICE, TABLE_TOP + 24, _("Debit"))
        page.right(SMALL, RIGHT - 8, TABLE_TOP + 24, _("Credit"))

    title = f"{_('Payroll statement')} {paper.period}"
    agency = f"{_('Payroll agency')} {printable(paper.social_office)}"
    head = _head(title, paper.employer, [], [agency, paper.currency], columns)
    printout = Printout(title, head)
    for line in paper.bookings:
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
        sum((line.credit for line in paper.bookings), paper.bookings[0].credit * 0), language
    )
    printout.y -= 8
    printout.page.right(BOLD, PRICE, printout.y, total)
    printout.band(_("Total"), total)
    return printout.finish(title)


@_rendered.register
def _card(paper: CardStatement, language: str) -> bytes:
    def columns(page: Page) -> None:
        page.left(SMALL, DAY, TABLE_TOP + 24, _("Date"))
        page.left(SMALL, VALUE, TABLE_TOP + 24, _("Description"))
        page.right(SMALL, RIGHT - 8, TABLE_TOP + 24, paper.currency)

    title = f"{_('Credit card statement')} {paper.period}"
    reference = printable(paper.client_reference)
    head = _head(title, paper.holder, [], [paper.bank, reference], columns)
    printout = Printout(title, head)
    for expense in paper.expenses:
        printout.room(18)
        page, y = printout.page, printout.y
        page.left(PLAIN, DAY, y, _day(expense.spent_on))
        page.left(PLAIN, VALUE, y, fitting(expense.merchant, PLAIN, RIGHT - VALUE - 95))
        page.right(PLAIN, RIGHT - 8, y, figure(expense.amount, language))
        printout.y -= 18
    printout.y -= 8
    printout.band(_("Total"), f"{figure(paper.total, language)} {paper.currency}")
    return printout.finish(reference)
