"""The completeness board: rows of companies or of series, columns of months, and their cells."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.models import Client
from core.document_kinds import Kind
from documents.completeness.rhythm import YEAR, first_day, month_of
from documents.completeness.series import Series, series_of, summed
from documents.rendering.formatting import in_fours


class State(StrEnum):
    """What a cell says; the worst comes first."""

    MISSING = "missing"
    WAITING = "waiting"
    RUNNING = "running"
    NOT_FETCHED = "not_fetched"
    COMPLETE = "complete"
    NONE = "none"


class Cell(NamedTuple):
    """One row in one month."""

    month: date
    arrived: int
    fetched: int
    missing: int
    # About how many documents the month will have; 0 where it is over.
    expected: int
    waiting: int
    # Software reads the documents of this office.
    connected: bool

    @property
    def state(self) -> State:
        if self.missing:
            return State.MISSING
        if self.waiting:
            return State.WAITING
        if self.expected:
            return State.RUNNING
        if self.connected and self.fetched < self.arrived:
            return State.NOT_FETCHED
        return State.COMPLETE if self.arrived else State.NONE

    @property
    def sign(self) -> str:
        """What the eye sees."""
        match self.state:
            case State.MISSING:
                return f"− {self.missing}"
            case State.WAITING:
                return f"{self.waiting} ?"
            case State.RUNNING:
                return f"{self.arrived}/{self.expected}"
            case State.NOT_FETCHED:
                return f"{self.arrived - self.fetched} ↓"
            case State.COMPLETE:
                return str(self.arrived)
        return "–"

    @property
    def words(self) -> str:
        """The same as a sentence."""
        numbers = {
            "month": date_format(self.month, "F Y"),
            "n": self.arrived,
            "missing": self.missing,
            "expected": self.expected,
            "waiting": self.waiting,
            "left": self.arrived - self.fetched,
        }
        match self.state:
            case State.MISSING:
                words = _("%(month)s: %(n)s arrived, %(missing)s missing")
            case State.WAITING:
                words = ngettext(
                    "%(month)s: %(waiting)s file waits for you",
                    "%(month)s: %(waiting)s files wait for you",
                    self.waiting,
                )
            case State.RUNNING:
                words = _("%(month)s: %(n)s of about %(expected)s so far")
            case State.NOT_FETCHED:
                words = _("%(month)s: %(n)s arrived, %(left)s not downloaded yet")
            case State.COMPLETE:
                words = _("%(month)s: %(n)s arrived, complete")
            case _:
                words = _("%(month)s: none expected")
        return words % numbers


class Row(NamedTuple):
    """A line of the board: a company, or one series of a company."""

    title: str
    below: str
    cells: list[Cell]
    client: Client | None = None
    kind: Kind | None = None

    @property
    def missing(self) -> int:
        return sum(cell.missing for cell in self.cells)


class Months(NamedTuple):
    """The months of a board, the newest first; `today` is in the first of them."""

    today: date

    @property
    def numbers(self) -> list[int]:
        newest = month_of(self.today)
        return [newest - back for back in range(YEAR)]

    @property
    def days(self) -> list[date]:
        return [first_day(month) for month in self.numbers]


def of_companies(
    clients: list[Client],
    kinds: Iterable[Kind],
    today: date,
    *,
    connected: bool,
    waiting: dict[tuple[int, int], int],
) -> list[Row]:
    """A line for each company; `waiting` counts its files that wait, by company and month."""
    found: dict[int, list[Series]] = {client.pk: [] for client in clients}
    for series in series_of(list(found), kinds, today):
        found[series.client_id].append(series)
    rows = []
    for client in clients:
        of_client = {month: waiting.get((client.pk, month), 0) for month in Months(today).numbers}
        cells = _cells(found[client.pk], today, connected=connected, waiting=of_client)
        rows.append(Row(client.name, client.code, cells, client))
    return rows


def of_series(client: Client, today: date, *, connected: bool) -> list[Row]:
    """A line for each series of a company."""
    shown = set(Months(today).numbers)
    return [
        Row(
            series.kind.row.label,
            in_fours(series.name),
            _cells([series], today, connected=connected, waiting={}),
            kind=series.kind,
        )
        for series in series_of([client.pk], Kind, today)
        if shown & {*series.arrived, *series.missing}
    ]


def _cells(
    series: list[Series], today: date, *, connected: bool, waiting: dict[int, int]
) -> list[Cell]:
    months = Months(today).numbers
    arrived = summed(series, months)
    cells = []
    for month in months:
        running = month == months[0]
        cells.append(
            Cell(
                first_day(month),
                *arrived[month],
                missing=sum(one.missing[month].documents for one in series if month in one.missing),
                expected=sum(one.expected(month) for one in series) if running else 0,
                waiting=waiting.get(month, 0),
                connected=connected,
            )
        )
    return cells


def missing_in_words(series: Iterable[Series]) -> list[str]:
    """Each thing that is missing as a sentence, the newest first."""
    found: list[tuple[int, str]] = []
    for one in series:
        for month, missing in one.missing.items():
            facts: dict[str, Any] = {
                "kind": one.kind.row.label,
                "name": in_fours(one.name),
                "month": date_format(first_day(month), "F Y"),
                "first": missing.first,
                "last": missing.last,
            }
            if missing.first and missing.first == missing.last:
                words = _("%(kind)s %(name)s, %(month)s: number %(first)s is missing.")
            elif missing.first:
                words = _(
                    "%(kind)s %(name)s, %(month)s: numbers %(first)s to %(last)s are missing."
                )
            elif one.name:
                words = _("%(kind)s %(name)s: nothing arrived for %(month)s.")
            else:
                words = _("%(kind)s: nothing arrived for %(month)s.")
            found.append((month, words % facts))
    return [words for _month, words in sorted(found, key=lambda one: -one[0])]
