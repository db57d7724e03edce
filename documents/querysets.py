"""Documents as software asks for them: plain rows and bare SQL, because this is the hot path.

Every statement starts from the office and sets the row-security scope in the same round trip. A
list is sent unprepared: a generic plan of a list query costs six times the CPU.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from django.db import models

from accounts.queries import list_query, point_query
from accounts.tenancy import SCOPE_SQL
from consents.access import COVERED, KEPT, Standing

if TYPE_CHECKING:
    from documents.models import Document  # noqa: F401

# Lists shorter than 1/64 of the office are looked up client by client; longer ones are a filter
# over the office's documents in time order.
SMALL_PART = 64

Place = tuple[datetime, int]

# Whatever becomes available from here on may not be visible yet; only the database's clock counts.
RESOLVE = f"""
    select least(statement_timestamp(), (select min(started_at) from documents_publication));
    select available_at, id from documents_position(%(after)s, %(office)s);
    select count(*) from (
        select 1 from clients_client where office_id = %(office)s limit %(enough)s
    ) capped;
    select c.company_number, c.id, {{covered}} from clients_client c
    where c.office_id = %(office)s and {KEPT} and c.company_number = any(%(numbers)s::text[])
"""  # noqa: S608  # constants only
# Identifier and time as text: they leave as text, and Python would only carry them.
ON_THE_WIRE = """d.uuid::text, d.public_id,
    to_char(d.available_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), d.attributes"""
COLUMNS = f"d.client_id, {ON_THE_WIRE}"
PAGE = """
    select {columns} from documents_document d
    where d.office_id = %(office)s and d.kind = %(kind)s
      and d.available_at >= %(start)s and d.available_at < %(end)s {after} {clients}
    order by d.available_at, d.id limit %(limit)s
"""
AFTER = "and (d.available_at, d.id) > (%(after_at)s, %(after_id)s)"
EACH_CLIENT = """
    select {columns} from unnest(%(clients)s::bigint[]) wanted(id) cross join lateral ({page}) d
    order by d.available_at, d.id limit %(limit)s
"""
ONE = f"""
    select d.id, d.client_id, {ON_THE_WIRE},
           k.media_type, k.size, k.sha256
    from documents_document d
    join clients_client c on c.id = d.client_id and {KEPT}
    left join documents_content k on k.document_id = d.id
    where d.office_id = %(office)s and d.kind = %(kind)s and c.company_number = %(number)s
      and {{identifier}} and {{covered}}
"""  # noqa: S608  # constants only

CURSOR = """
    select d.uuid::text from documents_document d
    where d.office_id = %(office)s and d.kind = %(kind)s and d.public_id = %(id)s
    limit 2
"""


class Row(NamedTuple):
    """One document of a page, as the database gave it."""

    client_id: int
    uuid: str
    public_id: str | None
    # In milliseconds, UTC, as ISO 8601.
    available_at: str
    # JSON text: the database's own, so that it is neither parsed nor written again.
    attributes: str


class Format(NamedTuple):
    media_type: str
    size: int
    sha256: str


class Found(NamedTuple):
    """One document with its formats."""

    id: int
    number: str
    row: Row
    formats: dict[str, Format]


@dataclass(frozen=True)
class Window:
    """What a search asks for: half-open in time, `after` is the place of the last row seen."""

    office_id: int
    kind: int
    start: datetime
    end: datetime
    limit: int
    after: Place | None = None


class Clients(NamedTuple):
    """The clients of a search that the office has: enterprise number by identifier."""

    numbers: dict[int, str]
    whole_office: bool
    few: bool
    # How many of those asked about the office left out of the consent.
    excluded: int = 0


class Resolved(NamedTuple):
    """Who is asked about, from which place on, and up to when everything is certainly visible."""

    clients: Clients
    place: Place | None
    horizon: datetime


class DocumentQuerySet(models.QuerySet["Document"]):
    def resolve(self, standing: Standing, numbers: Sequence[str], after: UUID | None) -> Resolved:
        """Turn what the wire names into what the tables name: one round trip.

        A company that the office left out of the consent is as unknown as a stranger's.

        The place of a cursor is found also when its document left for another office since: a
        client that leaves while somebody pages must not end the list early. One that never was
        this office's is as unknown as none.
        """
        enough = len(numbers) * SMALL_PART + 1
        [[horizon]], places, [[size]], rows = list_query(
            RESOLVE.format(covered=_covered(standing)),
            after=after,
            office=standing.office_id,
            consent=standing.consent_id,
            enough=enough,
            # What is no number is nobody's.
            numbers=_literal(n for n in numbers if n.isascii() and n.isdecimal()),
        )
        found = {identifier: number for number, identifier, covered in rows if covered}
        clients = Clients(
            found,
            whole_office=len(found) == size,
            few=size == enough,
            excluded=len(rows) - len(found),
        )
        return Resolved(clients, places[0] if places else None, horizon)

    def cursor_of(self, standing: Standing, kind: int, public_id: str) -> UUID | None:
        """The cursor of a document that the wire names by a text of its own.

        None where two companies have one of that name: which of them was the last nobody knows.
        """
        rows = point_query(
            SCOPE_SQL,
            CURSOR,
            scope=str(standing.office_id),
            office=standing.office_id,
            kind=kind,
            id=public_id,
        )
        return UUID(rows[0][0]) if len(rows) == 1 else None

    def page(self, window: Window, clients: Clients) -> list[Row]:
        """The documents of the window, oldest first: cost grows with the page, not the table.

        A company that came to the office after it was resolved was not asked about.
        """
        if not clients.numbers:
            return []
        rows = self._rows(window, clients)
        if clients.whole_office and any(row.client_id not in clients.numbers for row in rows):
            return self._rows(window, clients._replace(whole_office=False))
        return rows

    def _rows(self, window: Window, clients: Clients) -> list[Row]:
        after_at, after_id = window.after or (None, None)
        _scope, rows = list_query(
            SCOPE_SQL + _page_sql(window, clients),
            scope=str(window.office_id),
            office=window.office_id,
            kind=window.kind,
            start=window.start,
            end=window.end,
            limit=window.limit,
            clients=_literal(map(str, clients.numbers)),
            after_at=after_at,
            after_id=after_id,
        )
        return list(map(Row._make, rows))

    def one(
        self, standing: Standing, kind: int, number: str, identifier: UUID | str
    ) -> Found | None:
        """One document of a client the office has, and shares, now, with its formats; else None."""
        by_uuid = isinstance(identifier, UUID)
        sql = ONE.format(
            identifier="d.uuid = %(id)s" if by_uuid else "d.public_id = %(id)s",
            covered=_covered(standing),
        )
        rows = point_query(
            SCOPE_SQL,
            sql,
            scope=str(standing.office_id),
            office=standing.office_id,
            consent=standing.consent_id,
            kind=kind,
            number=number,
            id=identifier,
        )
        if not rows:
            return None
        pk, *row = rows[0][:6]
        formats = {row[6]: Format(*row[6:]) for row in rows if row[6]}
        return Found(pk, number, Row._make(row), formats)


def _literal(numbers: Iterable[str]) -> str:
    """An array as one literal: psycopg would dump 5,000 numbers one by one."""
    return f"{{{','.join(numbers)}}}"


def _covered(standing: Standing) -> str:
    """Nothing is asked where nothing was left out: the usual case costs nothing."""
    return COVERED if standing.narrowed else "true"


def _page_sql(window: Window, clients: Clients) -> str:
    after = AFTER if window.after is not None else ""
    if clients.few:
        each = PAGE.format(columns="d.*", after=after, clients="and d.client_id = wanted.id")
        return EACH_CLIENT.format(columns=COLUMNS, page=each)
    among = "" if clients.whole_office else "and d.client_id = any(%(clients)s::bigint[])"
    return PAGE.format(columns=COLUMNS, after=after, clients=among)
