"""The event log of the operators: one order over what they changed, opened, and when they came in.

It reads three tables (the history of the admin, the support access log, the logins) and the
four-eyes requests that lapsed; requests and confirmations are in the history. Newest first, one
page at a time, from wherever the last page ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from heapq import merge
from itertools import islice
from typing import Any, NamedTuple

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Office
from backoffice.models.four_eyes import VALID_FOR, FourEyesApproval
from backoffice.models.operators import OperatorLogin
from backoffice.models.support_access import SupportAccess
from consents.models import Consent
from notifications.models import WebhookEndpoint
from partners.models import Application, Partner

# How the history says that a list of the admin was taken out.
TAKEN_OUT = "Downloaded as CSV: "


class Place(NamedTuple):
    """Where a page ended: the moment, the table and the key of its last row."""

    at: datetime
    table: int
    key: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.table}~{self.key}"

    @classmethod
    def read(cls, text: str) -> Place | None:
        """Read what `str()` wrote; None for anything else."""
        try:
            at, table, key = text.split("~")
            place = cls(datetime.fromisoformat(at), int(table), int(key))
        except ValueError:
            return None
        return place if place.at.tzinfo and 0 <= place.key < 2**63 else None


class Entry(NamedTuple):
    """One thing that an operator did."""

    place: Place
    operator: str
    kind: str
    about: str
    what: str

    @property
    def at(self) -> datetime:
        return self.place.at


@dataclass(frozen=True)
class Filter:
    """Which entries: of one operator, about one office or one partner, on these days."""

    operator: int | None = None
    office: Office | None = None
    partner: Partner | None = None
    first: date | None = None
    last: date | None = None
    before: Place | None = None


@dataclass(frozen=True)
class Table:
    """One of the tables: its rows that fit a filter, and how one reads."""

    number: int
    moment: str
    rows: Callable[[Filter], QuerySet[Any]]
    read: Callable[[Any], tuple[str, str, str, str]]


def entries(chosen: Filter, most: int) -> list[Entry]:
    """Return the newest `most` entries after `chosen.before`, the newest first."""
    found = [_newest(table, chosen, most) for table in TABLES]
    return list(islice(merge(*found, key=lambda entry: entry.place, reverse=True), most))


def all_entries(chosen: Filter, page: int = 500) -> Iterator[Entry]:
    """Return all entries, read page by page."""
    while found := entries(chosen, page):
        yield from found
        chosen = replace(chosen, before=found[-1].place)


def _newest(table: Table, chosen: Filter, most: int) -> list[Entry]:
    rows, moment = table.rows(chosen), table.moment
    if chosen.first:
        rows = rows.filter(**{f"{moment}__gte": _begin(chosen.first)})
    if chosen.last:
        rows = rows.filter(**{f"{moment}__lt": _begin(chosen.last + timedelta(days=1))})
    if chosen.before:
        at, number, key = chosen.before
        same = Q(**{moment: at})
        later = Q(pk__lt=key) if number == table.number else Q()
        earlier = Q(**{f"{moment}__lt": at})
        rows = rows.filter(earlier | same & later if table.number <= number else earlier)
    rows = rows.order_by(f"-{moment}", "-pk")[:most]
    return [
        Entry(Place(getattr(row, moment), table.number, row.pk), *table.read(row)) for row in rows
    ]


def _begin(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _history(chosen: Filter) -> QuerySet[LogEntry]:
    rows = LogEntry.objects.select_related("user", "content_type")
    if chosen.operator:
        rows = rows.filter(user=chosen.operator)
    if chosen.office:
        offices, consents = Office.objects.filter(pk=chosen.office.pk), chosen.office.consents.all()
        rows = rows.filter(_of((Office, offices), (Consent, consents)))
    if chosen.partner:
        mine = {"partner": chosen.partner}
        found: list[tuple[type[Any], QuerySet[Any]]] = [
            (Partner, Partner.objects.filter(pk=chosen.partner.pk)),
            (Application, Application.objects.filter(**mine)),
            (WebhookEndpoint, WebhookEndpoint.objects.filter(**mine)),
            (Consent, Consent.objects.filter(**mine)),
        ]
        rows = rows.filter(_of(*found))
    return rows


def _of(*found: tuple[type[Any], QuerySet[Any]]) -> Q:
    """Return the condition for the history of these rows; of consents the ones with a history."""
    condition = Q(pk=None)
    for model, rows in found:
        kind = ContentType.objects.get_for_model(model)
        logged = LogEntry.objects.filter(content_type=kind).values_list("object_id", flat=True)
        keys = [int(key) for key in logged.distinct() if key and key.isdecimal()]
        mine = [str(key) for key in rows.filter(pk__in=keys).values_list("pk", flat=True)]
        condition |= Q(content_type=kind, object_id__in=mine)
    return condition


def _read_history(row: LogEntry) -> tuple[str, str, str, str]:
    message = row.get_change_message() or row.get_action_flag_display()
    kinds = {"Asked for: ": "request", TAKEN_OUT: "download"}
    kind = next((kind for words, kind in kinds.items() if message.startswith(words)), "change")
    model = row.content_type.name if row.content_type else ""
    return _named(row.user), kind, f"{model}: {row.object_repr}", message


def _opened(chosen: Filter) -> QuerySet[SupportAccess]:
    rows = SupportAccess.objects.select_related("office")
    if chosen.operator:
        rows = rows.filter(operator=chosen.operator)
    if chosen.office:
        rows = rows.filter(office=chosen.office)
    return rows.none() if chosen.partner else rows


def _read_opened(row: SupportAccess) -> tuple[str, str, str, str]:
    what = f"{row.get_accessed_display()} {row.about}".strip()
    return row.operator_name, "opened", f"office: {row.office}", what


def _logins(chosen: Filter) -> QuerySet[OperatorLogin]:
    rows = OperatorLogin.objects.select_related("operator")
    if chosen.operator:
        rows = rows.filter(operator=chosen.operator)
    return rows.none() if chosen.office or chosen.partner else rows


def _read_login(row: OperatorLogin) -> tuple[str, str, str, str]:
    what = f"{row.proofs} from {row.address}, {row.browser}"
    return _named(row.operator), "login", "", what


def _lapsed(chosen: Filter) -> QuerySet[FourEyesApproval]:
    """Return what nobody confirmed in time, at the moment of the request."""
    rows = FourEyesApproval.objects.select_related(
        *("requested_by", "office", "partner", "person", "terms"),
        *("consent__office", "consent__partner"),
    ).filter(confirmed_at=None)
    rows = rows.filter(~Q(lapsed_at=None) | Q(requested_at__lte=Now() - VALID_FOR))
    if chosen.operator:
        rows = rows.filter(requested_by=chosen.operator)
    if chosen.office:
        rows = rows.filter(Q(office=chosen.office) | Q(consent__office=chosen.office))
    if chosen.partner:
        rows = rows.filter(Q(partner=chosen.partner) | Q(consent__partner=chosen.partner))
    found: QuerySet[FourEyesApproval] = rows
    return found


def _read_lapsed(row: FourEyesApproval) -> tuple[str, str, str, str]:
    return _named(row.requested_by), "lapsed request", row.subject, f"{row}. Nobody confirmed it."


def _named(person: Any) -> str:
    return f"{person} <{person.email}>"


TABLES = (
    Table(0, "at", _logins, _read_login),
    Table(1, "at", _opened, _read_opened),
    Table(2, "action_time", _history, _read_history),
    Table(3, "requested_at", _lapsed, _read_lapsed),
)
