"""`partitions`: the same documents in partitions, asked beside the table as it is.

Copies of the seeded table, partitioned by the month of arrival and by the year, with the same
indexes and the same row security. PostgreSQL wants the time of arrival in every unique index. So a
copy cannot say that an identifier is unique, and an identifier alone is looked up in every
partition. Both times count planning as well, because a search is planned at each call.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from psycopg import Connection, connect, sql

from bench import database, participants
from bench.bulk_load import QUICK
from bench.explain import Plan, explain
from bench.plans import DAYS, Search
from bench.report import Report
from core.document_kinds import Kind
from core.row_security import office_scope
from documents.models import Document
from documents.models.querysets import ONE, SMALL_PART

COPY = "documents_partitioned"
POLICY = """
    select pg_get_expr(polqual, polrelid) from pg_policy
    where polrelid = 'documents_document'::regclass
"""
INDEXES = """
    create index {copy}_of_office on {copy} (office_id, kind, available_at, id)
        include (client_id, uuid, public_id, attributes);
    create index {copy}_of_client on {copy} (client_id, kind, available_at, id);
    create index {copy}_uuid on {copy} (uuid);
    create index {copy}_public_id on {copy} (client_id, public_id);
"""


def measure(size: str, options: argparse.Namespace) -> bool:
    report = Report("partitions", size)
    with connect(os.environ[database.OWNER], autocommit=True) as connection:
        for span, months in {"month": 1, "year": 12}.items():
            began = time.monotonic()
            number = _make_copy(connection, months)
            told = f"{number}, copied in {time.monotonic() - began:.0f} s"
            report.note("20", f"partitions, one a {span}", told, number)
            try:
                _searches(report, span)
                _one_document(report, span)
            finally:
                connection.execute(f"drop table {COPY}")
    return report.finish()


def _make_copy(connection: Connection, months: int) -> int:
    """Copy the documents into partitions of so many months; return how many they are."""
    connection.execute(QUICK)
    connection.execute("set portal.every_office = 'on'")
    connection.execute(f"drop table if exists {COPY}")
    connection.execute(
        f"create table {COPY} (like documents_document) partition by range (available_at)"
    )
    query = "select min(available_at), max(available_at) from documents_document"
    [[first, last]] = connection.execute(query).fetchall()
    edges = list(_edges(first, last, months))
    for start, end in pairwise(edges):
        statement = "create table {part} partition of {copy} for values from ({start}) to ({end})"
        connection.execute(
            sql.SQL(statement).format(
                part=sql.Identifier(f"{COPY}_{start:%Y_%m}"),
                copy=sql.Identifier(COPY),
                start=sql.Literal(start),
                end=sql.Literal(end),
            )
        )
    connection.execute(f"insert into {COPY} select * from documents_document order by id")  # noqa: S608
    connection.execute(INDEXES.format(copy=COPY))
    [[condition]] = connection.execute(POLICY).fetchall()
    connection.execute(
        f"""
        alter table {COPY} enable row level security;
        alter table {COPY} force row level security;
        create policy of_the_office on {COPY} using ({condition});
        grant select on {COPY} to public;
        """
    )
    connection.execute(f"vacuum analyze {COPY}")
    return len(edges) - 1


def _edges(first: datetime, last: datetime, months: int) -> Iterator[datetime]:
    """Where partitions of so many months begin, from the first document to behind the last one."""
    edge = first.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while edge <= last:
        yield edge
        year, month = divmod(edge.month - 1 + months, 12)
        edge = edge.replace(year=edge.year + year, month=month + 1)
    yield edge


def _searches(report: Report, span: str) -> None:
    big = participants.office(f"{participants.BIG}-0")
    every = big.clients.count()
    for count in (every, every // 2, every // 10, -(-every // SMALL_PART), 10):
        search = Search(big, count)
        for window, days in DAYS.items():
            whole, parted = search.plan(days), search.plan(days, table=COPY)
            _compare(report, f"by {span}: {count:,} of {every:,} clients, {window}", whole, parted)


def _one_document(report: Report, span: str) -> None:
    """A document by its identifier, as `GET …/documents/{id}` finds it."""
    big = participants.office(f"{participants.BIG}-0")
    kind = Kind.BANK_ACCOUNT_STATEMENT.value
    with office_scope(big.pk):
        document = Document.objects.filter(office_id=big.pk, kind=kind).latest("id")
        parameters = {
            "office": big.pk,
            "kind": kind,
            "number": document.client.company_number,
            "id": document.uuid,
        }
        query = ONE.format(identifier="d.uuid = %(id)s", in_scope="true")
        whole, parted = (
            explain(query.replace("documents_document d", f"{table} d"), parameters)
            for table in ("documents_document", COPY)
        )
    _compare(report, f"by {span}: one document by its identifier", whole, parted)


def _compare(report: Report, what: str, whole: Plan, parted: Plan) -> None:
    sides = (
        f"{plan.planning:.2f} + {plan.milliseconds:.2f} ms and {plan.buffers:,} buffers"
        for plan in (whole, parted)
    )
    told = f"{what}: {' whole, '.join(sides)} in parts"
    report.at_most("20", told, parted.whole / whole.whole, 1.1, " ×")
