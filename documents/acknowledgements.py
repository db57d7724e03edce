"""What software did with the documents of an office: written by the API, shown to the office."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection

from core.document_kinds import Kind
from core.prepared_sql import list_query, point_query
from core.row_security import SCOPE_SQL
from documents.models import Acknowledgement, Document
from documents.models.access_log import BEFORE_ARRIVAL
from documents.models.querysets import FoundDocument

# A late "received" takes nothing back; the same word again changes nothing, not even its moment.
WRITE = """
    insert into documents_acknowledgement as known
        (partner_id, office_id, document_id, kind, status, reference, reason)
    select %(partner)s, %(office)s, w.document_id, w.kind, w.status, w.reference, w.reason
    from unnest(%(documents)s::bigint[], %(kinds)s::smallint[], %(statuses)s::text[],
        %(references)s::text[], %(reasons)s::text[])
        w (document_id, kind, status, reference, reason)
    order by w.document_id
    on conflict (document_id, partner_id, office_id) do update set
        status = excluded.status, reference = excluded.reference, reason = excluded.reason,
        at = statement_timestamp()
    where (known.status, known.reference, known.reason)
            <> (excluded.status, excluded.reference, excluded.reason)
        and (excluded.status <> 'received' or known.status = 'received')
    returning true
"""
# Longer than any month, with `BEFORE_ARRIVAL`.
A_MONTH = timedelta(days=33)
KNOWN = """
    select document_id, status, reference, reason, at from documents_acknowledgement
    where partner_id = %(partner)s and office_id = %(office)s
      and document_id = any(%(documents)s::bigint[])
"""
# The documents of one company and kind that arrived in the month of this one. The months of the
# access log before it are not looked at.
MONTH = """
    select count(*),
        count(*) filter (where (
            select true from documents_documentread r
            where r.document_id = d.id and r.outcome = 'served' and r.office_id = %(office)s
              and r.at >= %(since)s and r.at >= d.available_at - %(earlier)s limit 1
        )),
        count(*) filter (where exists (
            select 1 from documents_acknowledgement a
            where a.document_id = d.id and a.status = 'booked' and a.office_id = %(office)s
        ))
    from documents_document d
    where d.client_id = %(client)s and d.kind = %(kind)s
      and d.available_at >= date_trunc('month', %(at)s::timestamptz, 'Europe/Brussels')
      and d.available_at < date_trunc('month', %(at)s::timestamptz, 'Europe/Brussels')
        + interval '1 month'
"""


class Word(NamedTuple):
    """What software says of one document."""

    document: FoundDocument
    kind: Kind
    status: str
    reference: str = ""
    reason: str = ""


class KnownWord(NamedTuple):
    """What is known of one document afterwards."""

    document_id: int
    status: str
    reference: str
    reason: str
    at: datetime


class Month(NamedTuple):
    """How many documents of a month arrived, were fetched, and were booked."""

    arrived: int
    fetched: int
    booked: int


def acknowledge(partner_id: int, office_id: int, words: Sequence[Word]) -> dict[int, KnownWord]:
    """Write the words down; return what is known of these documents now, by their keys."""
    named = {"scope": str(office_id), "partner": partner_id, "office": office_id}
    documents = [word.document.id for word in words]
    point_query(
        SCOPE_SQL,
        WRITE,
        documents=documents,
        kinds=[int(word.kind) for word in words],
        statuses=[word.status for word in words],
        references=[word.reference for word in words],
        reasons=[word.reason for word in words],
        **named,
    )
    _scope, rows = list_query(SCOPE_SQL + KNOWN, documents=documents, **named)
    return {row[0]: KnownWord(*row) for row in rows}


def words_about(document: Document) -> list[Acknowledgement]:
    """What each software said about a document, by the name of the software."""
    said = Acknowledgement.objects.filter(document_id=document.pk, office_id=document.office_id)
    return list(said.select_related("partner").order_by("partner__name"))


def month_of(document: Document) -> Month:
    """The month in which a document arrived, for its company and kind; in the office's scope."""
    asked: dict[str, Any] = {
        "office": document.office_id,
        "client": document.client_id,
        "kind": document.kind,
        "at": document.available_at,
        "since": document.available_at - A_MONTH,
        "earlier": BEFORE_ARRIVAL,
    }
    with connection.cursor() as cursor:
        cursor.execute(MONTH, asked)
        return Month(*cursor.fetchone())
