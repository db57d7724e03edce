"""Part of `plans`: an office that shares a part, and one that shared something again (5, 6, 14).

The statements are those that the product sends, taken as it sends them. What the office shares is
changed in a transaction that is rolled back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction

from accounts.models import Office
from bench import participants
from bench.explain import Plan, explain
from bench.report import Report
from clients.models import Client
from consents.access import AccessContext
from consents.models import Consent, ListedClient, SharingGap
from core.document_kinds import BY_TYPE, KINDS
from documents.models import Document
from documents.models.querysets import SMALL_PART, SearchWindow
from partner_api.change_cursor import ChangeCursor
from partner_api.document_changes import read_changes
from partner_api.hot_path.authentication import Caller
from partner_api.hot_path.late_documents import with_late_documents

LIMIT = 1001
SETTING = "set_config("
KIND = BY_TYPE["bankAccountStatement"]
DAY = timedelta(days=1)
# Software asks every day; what was shared again an hour ago had been hidden for two months.
SINCE_LAST_TIME, HIDDEN_FOR, ENDED_AGO = DAY, 60 * DAY, timedelta(hours=1)


class Cost(NamedTuple):
    """Of all statements of one call: milliseconds to plan and execute, blocks of 8 kB, its rows."""

    milliseconds: float
    buffers: int
    rows: int


def measure(report: Report, big: Office, every: int) -> None:
    asker = Asker(big)
    whole = asker.search(SINCE_LAST_TIME)
    _changes_of_a_part(report, asker, every)
    for what, clients, kinds in (
        (f"{every // 2:,} companies", every // 2, ()),
        ("10 companies", 10, ()),
        ("a kind", 0, (KIND.type,)),
    ):
        with rolled_back():
            asker.share_again(clients, kinds)
            page = asker.search(SINCE_LAST_TIME)
            named = f"whole office, 1 day, {what} shared again an hour ago: {page.rows:,} rows"
            report.at_most("6", f"{named}, {page.buffers:,} buffers", page.milliseconds, 50, " ms")
            _compared(report, asker, f"{what} shared again")
    report.note("10", "whole office, 1 day, nothing shared again: buffers", f"{whole.buffers}")


def _changes_of_a_part(report: Report, asker: Asker, every: int) -> None:
    _compared(report, asker, f"{every:,} clients shared")
    for count in (every // 2, every // 10, -(-every // SMALL_PART), 50, 10):
        with rolled_back():
            asker = Asker(asker.office)
            asker.share_only(count)
            _compared(report, asker, f"{count:,} of {every:,} clients shared")


def _compared(report: Report, asker: Asker, what: str) -> None:
    """Goal 14: a page of changes, from any cursor, beside the search of the same companies."""
    for age in (728 * DAY, 364 * DAY, DAY):
        search, changes = asker.search(age), asker.changes(age)
        ratio = changes.milliseconds / search.milliseconds
        named = f"{what}, changes of {age.days:,} days: {changes.rows:,} rows"
        named += f", {changes.milliseconds:.3g} ms, {changes.buffers:,} buffers"
        report.at_most("14", f"{named}, against the search's", ratio, 2, " ×")


class Asker:
    """The bench's software at one office: it asks what the views ask, without the web around it."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.consent = Consent.objects.get(office=office, status="allowed")
        self.clients = list(
            Client.objects.filter(office=office).order_by("id").values_list("pk", flat=True)
        )
        # The enterprise numbers that it asks about.
        self.shared = participants.numbers(office)

    @property
    def access(self) -> AccessContext:
        return AccessContext.of(self.consent.pk)

    def share_only(self, count: int) -> None:
        """So many companies, spread over the office."""
        self.shared = participants.numbers(self.office, count)
        shared = self.clients[:: len(self.clients) // count][:count]
        ListedClient.objects.bulk_create(
            ListedClient(consent=self.consent, client_id=client) for client in shared
        )
        Consent.objects.filter(pk=self.consent.pk).update(
            allowlist_mode=True, scope_number=self.consent.scope_number + 1
        )

    def share_again(self, clients: int, kinds: Sequence[str]) -> None:
        now = datetime.now(UTC)
        told: dict[str, Any] = {
            "office": self.office,
            "partner_id": self.consent.partner_id,
            "since": now - HIDDEN_FOR,
            "hidden_at": now - HIDDEN_FOR,
            "until": now - ENDED_AGO,
        }
        SharingGap.objects.bulk_create(
            [SharingGap(client_id=client, **told) for client in self.clients[:clients]]
            + [SharingGap(kind=kind, **told) for kind in kinds]
        )

    def search(self, age: timedelta) -> Cost:
        """One kind, all companies that are shared; the window begins `age` before now."""
        access = self.access
        return _cost(lambda: self._search(access, datetime.now(UTC) - age))

    def _search(self, access: AccessContext, start: datetime) -> None:
        resolved = Document.objects.resolve(
            access,
            self.shared,
            None,
            partner=self.consent.partner_id,
            kind=KIND.type,
            since=start,
        )
        window = SearchWindow(self.office.pk, KIND.kind, start, resolved.horizon, LIMIT)
        window = with_late_documents(window, resolved, resolved.horizon)
        Document.objects.page(window, resolved.clients)

    def changes(self, age: timedelta) -> Cost:
        """All kinds; the cursor lies `age` before now."""
        begun = datetime.now(UTC) - 729 * DAY
        cursor = ChangeCursor(datetime.now(UTC) - age, 0, begun)
        access = self.access
        caller = Caller(0, self.consent.partner_id, True, None, access)
        return _cost(lambda: read_changes(caller, access, cursor, KINDS, LIMIT))


@contextmanager
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _cost(call: Callable[[], Any]) -> Cost:
    """Explain each statement that the call sends; their sum is its cost in the database."""
    sent: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().startswith(("select", "with")):
            sent.append((sql, params))
        return execute(sql, params, many, context)

    with rolled_back(), connection.execute_wrapper(note):
        call()
    plans: list[Plan] = []
    with rolled_back():
        for statements, parameters in sent:
            for one in statements.split(";"):
                plans.append(_explained(one, parameters))
    return Cost(
        sum(plan.whole for plan in plans), sum(plan.buffers for plan in plans), plans[-1].rows
    )


def _explained(statement: str, parameters: Any) -> Plan:
    if SETTING in statement:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
    return explain(statement, parameters)
