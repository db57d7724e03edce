"""`plans`: how the database runs searches of any list, window and page."""

from __future__ import annotations

import argparse
import hashlib
from datetime import datetime
from typing import Any

from django.db import connection

from accounts.models import Office
from bench import calls, participants, plans_of_scopes
from bench.explain import Plan, explain
from bench.report import Report
from bench.statements import page_sql
from consents.access import AccessContext
from core.document_kinds import Kind
from core.row_security import office_scope
from documents.models import Document
from documents.models.querysets import IN_ORDER, SMALL_PART, SearchedClients, first_part
from partner_api.hot_path.authentication import CALLER

PAGE = 1000
# One row more than the page shows that there is a next page.
LIMIT = PAGE + 1
DAYS = {"1 day": 1, "7 days": 7, "2 years": 728}


class Search:
    """The product's search of one office, with a list of this many clients."""

    def __init__(self, office: Office, count: int) -> None:
        self.office = office
        numbers = participants.numbers(office, count)
        access = AccessContext.of(
            office.consents.filter(status="allowed").values_list("pk", flat=True)[0]
        )
        self.clients: SearchedClients = Document.objects.resolve(access, numbers, None).clients

    def plan(
        self, days: int, *, limit: int = LIMIT, after: Any = None, table: str = "documents_document"
    ) -> Plan:
        start, end = calls.last(days)
        parameters: dict[str, Any] = {
            "office": self.office.pk,
            "kind": Kind.BANK_ACCOUNT_STATEMENT.value,
            "start": start,
            "end": end,
            "limit": limit,
            "each": first_part(limit, len(self.clients.numbers)) if self.clients.few else limit,
            "clients": list(self.clients.numbers),
        }
        if after is not None:
            parameters["after_at"], parameters["after_id"] = after
        with office_scope(self.office.pk):
            if not self.clients.whole_office:
                with connection.cursor() as cursor:
                    cursor.execute(IN_ORDER)
            sql = page_sql(self.clients, after=after is not None)
            return explain(sql.replace("documents_document ", f"{table} "), parameters)


def measure(size: str, options: argparse.Namespace) -> bool:
    report = Report("plans", size)
    big = participants.office(f"{participants.BIG}-0")
    every = big.clients.count()
    _lists_of_a_part(report, big, every)
    _any_list(report, big, every)
    _depth(report, big, every)
    _caller(report, big)
    plans_of_scopes.measure(report, big, every)
    return report.finish()


def _lists_of_a_part(report: Report, big: Office, every: int) -> None:
    for count in (every, every // 2, every // 10, -(-every // SMALL_PART)):
        plan = Search(big, count).plan(DAYS["7 days"])
        what = f"{count:,} of {every:,} clients, 7 days"
        report.at_most("5", f"{what}: time, {plan.rows:,} rows", plan.milliseconds, 1, " ms")
        report.count("5", f"{what}: buffers", plan.buffers, 150)
        scans = ", ".join(node for node in plan.nodes if "Scan" in node)
        report.true("5", f"{what}: plan", "Index Only Scan", scans, plan.index_only)
        report.count("5", f"{what}: heap fetches", plan.heap_fetches, 0)


def _any_list(report: Report, big: Office, every: int) -> None:
    for count in (every, every // 2, every // 10, -(-every // SMALL_PART), 50, 10, 1):
        search = Search(big, count)
        for window, days in DAYS.items():
            plan = search.plan(days)
            what = f"{count:,} of {every:,} clients, {window}: {plan.rows:,} rows"
            report.at_most("6", f"{what}, {plan.buffers:,} buffers", plan.milliseconds, 50, " ms")


def _depth(report: Report, big: Office, every: int) -> None:
    """Page 500 must cost as much as page 1, because a cursor is a place in the index."""
    for count in (every, every // 2):
        search = Search(big, count)
        for limit in (PAGE, PAGE // 10):
            place = _place(search, 499 * limit)
            if place is not None:
                break
        first = search.plan(DAYS["2 years"], limit=limit + 1)
        deep = search.plan(DAYS["2 years"], limit=limit + 1, after=place)
        what = f"{count:,} clients, page 500 of {limit:,} against page 1"
        report.at_most("7", f"{what}: time", deep.milliseconds / first.milliseconds, 2, " ×")
        report.note("7", f"{what}: buffers", f"{deep.buffers} against {first.buffers}")


def _place(search: Search, rows: int) -> tuple[datetime, int] | None:
    """The last row of the previous page, found by counting, which the product never does."""
    query = """
        select available_at, id from documents_document
        where office_id = %s and kind = %s and available_at >= %s and client_id = any(%s)
        order by available_at, id offset %s limit 1
    """
    start = calls.last(DAYS["2 years"]).start
    kind, clients = Kind.BANK_ACCOUNT_STATEMENT.value, list(search.clients.numbers)
    with office_scope(search.office.pk), connection.cursor() as cursor:
        cursor.execute(query, [search.office.pk, kind, start, clients, rows - 1])
        found: tuple[datetime, int] | None = cursor.fetchone()
    return found


def _caller(report: Report, big: Office) -> None:
    """Goal 8. `cancel` shows that nothing of it is cached."""
    checksum = hashlib.sha256(participants.credentials().token.encode()).hexdigest()
    # Mutual TLS is off, so no certificate was presented.
    plan = explain(CALLER, {"fingerprint": None, "office": big.uuid, "token": checksum})
    report.true("8", "token, partner, office, consent", "1 statement", "1", plan.rows == 1)
    report.count("8", "token and consent check: buffers", plan.buffers, 10)
    time = f"{plan.milliseconds * 1000:.0f} µs"
    report.note("8", "token and consent check: time in the database", time, plan.milliseconds)
