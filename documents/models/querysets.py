"""Documents as software asks for them: plain rows and bare SQL, because this is the hot path.

Every statement starts from the office and sets the row-security scope in the same round trip. A
list is sent unprepared: a generic plan of a list query costs six times the CPU.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from django.db import models

from consents.access import CLIENT_IS_ACTIVE, IN_SCOPE, AccessContext
from consents.sharing_gaps import GAP_ENDED, GAPS_OF_SEARCH, SEARCH_LOCK
from core.prepared_sql import list_query, point_query
from core.row_security import SCOPE_SQL
from documents.models.late_documents import (
    Gap,
    LateStream,
    Position,
    array_literal,
    late_parameters,
    merged_with_late,
    moment_array,
)

if TYPE_CHECKING:
    from documents.models import Document  # noqa: F401

# Lists shorter than 1/64 of the office are looked up client by client; longer ones are a filter
# over the office's documents in time order.
SMALL_PART = 64


# Whatever becomes available from here on may not be visible yet; only the database's clock counts.
# The lock comes first: what was shared again before this search is seen by all that follows.
RESOLVE = f"""
    {SEARCH_LOCK};
    select least(statement_timestamp(), (select min(started_at) from documents_ingestbatch)),
        {GAP_ENDED};
    select available_at, id, client_id from documents_position(%(after)s, %(office)s);
    select count(*) from (
        select 1 from clients_client where office_id = %(office)s limit %(enough)s
    ) capped;
    select client.company_number, client.id, {{in_scope}} from clients_client client
    where client.office_id = %(office)s and {CLIENT_IS_ACTIVE}
      and client.company_number = any(%(numbers)s::text[])
"""  # noqa: S608  # constants only
# Identifier and time as text: they leave as text, and Python would only carry them.
ON_THE_WIRE = """d.uuid::text, d.public_id,
    to_char(d.available_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), d.attributes"""
COLUMNS = f"d.client_id, {ON_THE_WIRE}"
PAGE = """
    select {columns} from documents_document d
    where d.office_id = %(office)s and d.kind = %(kind)s
      and d.available_at >= %(start)s and d.available_at < %(end)s {after} {clients}
    order by d.available_at, d.id limit %(each)s
"""
# Readable already, but the horizon is not there yet: the next search gives them as late ones.
NOT_YET = """and not exists (
    select 1 from unnest(%(not_yet_clients)s::bigint[], %(not_yet_since)s::timestamptz[])
        not_yet (client_id, since)
    where not_yet.client_id = d.client_id and d.available_at >= not_yet.since
)"""
AFTER = "and (d.available_at, d.id) > (%(after_at)s, %(after_id)s)"
# The indexes have the documents in the order of the page. PostgreSQL expects a handful of documents
# behind row security, and would read and sort all that these clients have.
IN_ORDER = "select set_config('enable_bitmapscan', 'off', true);"
EACH_CLIENT = """
    select {columns} from unnest(%(clients)s::bigint[]) wanted(id) cross join lateral ({page}) d
    order by d.available_at, d.id limit %(limit)s
"""
ONE = f"""
    select d.id, d.client_id, {ON_THE_WIRE},
           k.media_type, k.size, k.sha256
    from documents_document d
    join clients_client client on client.id = d.client_id and {CLIENT_IS_ACTIVE}
    left join documents_content k on k.document_id = d.id
    where d.office_id = %(office)s and d.kind = %(kind)s and client.company_number = %(number)s
      and {{identifier}} and {{in_scope}}
"""  # noqa: S608  # constants only

CURSOR = """
    select d.uuid::text from documents_document d
    where d.office_id = %(office)s and d.kind = %(kind)s and d.public_id = %(id)s
    limit 2
"""


class DocumentRow(NamedTuple):
    """One document of a page, as the database gave it."""

    client_id: int
    uuid: str
    public_id: str | None
    # In milliseconds, UTC, as ISO 8601.
    available_at: str
    # JSON text: the database's own, so that it is neither parsed nor written again.
    attributes: str


class StoredFormat(NamedTuple):
    """One format of a document: its media type, its size in bytes, and the SHA-256 of its bytes."""

    media_type: str
    size: int
    sha256: str


class FoundRow(NamedTuple):
    """One document and one of its formats, as the database gave them; no format is all None."""

    id: int
    client_id: int
    uuid: str
    public_id: str | None
    available_at: str
    attributes: str
    media_type: str | None
    size: int
    sha256: str


class FoundDocument(NamedTuple):
    """One document with its formats."""

    id: int
    number: str
    row: DocumentRow
    formats: dict[str, StoredFormat]


@dataclass(frozen=True)
class SearchWindow:
    """What a search asks for: half-open in time, `after` is the place of the last row seen."""

    office_id: int
    kind: int
    start: datetime
    end: datetime
    limit: int
    after: Position | None = None
    late: Sequence[LateStream] = ()
    # Companies with the moment from which on their documents are left to a later search.
    not_yet: Sequence[tuple[int, datetime]] = ()


class SearchedClients(NamedTuple):
    """The clients of a search that the office has: enterprise number by identifier."""

    numbers: dict[int, str]
    whole_office: bool
    few: bool
    # How many of those asked about the office left out of the consent.
    excluded: int = 0


class ResolvedSearch(NamedTuple):
    """Who is asked about, from which place on, and up to when everything is certainly visible."""

    clients: SearchedClients
    place: Position | None
    horizon: datetime
    # The gaps of this software at the office, when one ended since the search's `from`.
    gaps: list[Gap]
    # The company of the document that `place` is the position of.
    place_client: int | None


class DocumentQuerySet(models.QuerySet["Document"]):
    def resolve(
        self,
        access: AccessContext,
        numbers: Sequence[str],
        after: UUID | None,
        *,
        partner: int | None = None,
        kind: str = "",
        since: datetime | None = None,
    ) -> ResolvedSearch:
        """Turn what the wire names into what the tables name: one round trip.

        `numbers` are enterprise numbers, 10 digits each, checked by the caller.

        A company that the office left out of the consent is as unknown as a stranger's.

        The place of a cursor is found also when its document left for another office since: a
        client that leaves while somebody pages must not end the list early. One that never was
        this office's is as unknown as none.

        Gaps are those of `partner` for companies and the `kind`, when one ended from `since` on.
        """
        enough = len(numbers) * SMALL_PART + 1
        pair = {"office": access.office_id, "partner": partner}
        _lock, [[horizon, gap_ended]], places, [[size]], rows = list_query(
            RESOLVE.format(in_scope=in_scope(access)),
            after=after,
            consent=access.consent_id,
            enough=enough,
            numbers=array_literal(numbers),
            since=since,
            **pair,
        )
        # A gap that ends from here on ends behind the horizon: it is left to a later search.
        gaps = list_query(GAPS_OF_SEARCH, type=kind, **pair)[0] if gap_ended else []
        found = {identifier: number for number, identifier, covered in rows if covered}
        clients = SearchedClients(
            found,
            whole_office=len(found) == size,
            few=size == enough,
            excluded=len(rows) - len(found),
        )
        place = places[0] if places else (None, None, None)
        return ResolvedSearch(
            clients,
            place[:2] if places else None,
            horizon,
            list(map(Gap._make, gaps)),
            place[2],
        )

    def cursor_of(self, access: AccessContext, kind: int, public_id: str) -> UUID | None:
        """The cursor of a document that the wire names by a text of its own.

        None where two companies have one of that name: which of them was the last nobody knows.
        """
        rows = point_query(
            SCOPE_SQL,
            CURSOR,
            scope=str(access.office_id),
            office=access.office_id,
            kind=kind,
            id=public_id,
        )
        return UUID(rows[0][0]) if len(rows) == 1 else None

    def page(self, window: SearchWindow, clients: SearchedClients) -> list[DocumentRow]:
        """The documents of the window, oldest first: cost grows with the page, not the table.

        A company that came to the office after it was resolved was not asked about.
        """
        if not clients.numbers:
            return []
        if clients.few:
            return self._rows_of_few(window, clients)
        rows = self._rows(window, clients, window.limit)
        if clients.whole_office and any(row.client_id not in clients.numbers for row in rows):
            return self._rows(window, clients._replace(whole_office=False), window.limit)
        return rows

    def _rows_of_few(self, window: SearchWindow, clients: SearchedClients) -> list[DocumentRow]:
        """Read a part of each client's documents; read more where one filled its part.

        Each could fill the page alone, but to read so many of each would cost a page a client.
        """
        each = first_part(window.limit, len(clients.numbers))
        while True:
            rows = self._rows(window, clients, each)
            if each == window.limit or most_of_one(rows) < each:
                return rows
            each = min(4 * each, window.limit)

    def _rows(self, window: SearchWindow, clients: SearchedClients, each: int) -> list[DocumentRow]:
        """The page, if no client has more than `each` documents in it."""
        after_at, after_id = window.after or (None, None)
        in_order = "" if clients.whole_office and not window.late else IN_ORDER
        *_settings, rows = list_query(
            SCOPE_SQL + in_order + _page_sql(window, clients),
            scope=str(window.office_id),
            office=window.office_id,
            kind=window.kind,
            start=window.start,
            end=window.end,
            limit=window.limit,
            each=each,
            clients=array_literal(map(str, clients.numbers)),
            after_at=after_at,
            after_id=after_id,
            not_yet_clients=array_literal(str(client) for client, _since in window.not_yet),
            not_yet_since=moment_array(since for _client, since in window.not_yet),
            **late_parameters(window.late),
        )
        return list(map(DocumentRow._make, rows))

    def one(
        self, access: AccessContext, kind: int, number: str, identifier: UUID | str
    ) -> FoundDocument | None:
        """One document of a client the office has, and shares, now, with its formats; else None."""
        by_uuid = isinstance(identifier, UUID)
        sql = ONE.format(
            identifier="d.uuid = %(id)s" if by_uuid else "d.public_id = %(id)s",
            in_scope=in_scope(access),
        )
        rows = point_query(
            SCOPE_SQL,
            sql,
            scope=str(access.office_id),
            office=access.office_id,
            consent=access.consent_id,
            kind=kind,
            number=number,
            id=identifier,
        )
        if not rows:
            return None
        found = list(map(FoundRow._make, rows))
        first = found[0]
        row = DocumentRow(
            first.client_id, first.uuid, first.public_id, first.available_at, first.attributes
        )
        formats = {
            one.media_type: StoredFormat(one.media_type, one.size, one.sha256)
            for one in found
            if one.media_type
        }
        return FoundDocument(first.id, number, row, formats)


def first_part(limit: int, clients: int) -> int:
    """How many documents of each client are read at first: twice its share of a page, and some."""
    return min(limit, 2 * limit // clients + 16)


def most_of_one(rows: Sequence[DocumentRow]) -> int:
    """How many of the rows are of the client that has most of them."""
    return max(Counter(row.client_id for row in rows).values(), default=0)


def in_scope(access: AccessContext) -> str:
    """Nothing is asked where nothing was left out: the usual case costs nothing."""
    return IN_SCOPE if access.scope_restricted else "true"


def _page_sql(window: SearchWindow, clients: SearchedClients) -> str:
    after = AFTER if window.after is not None else ""
    after += NOT_YET if window.not_yet else ""
    columns = "d.*, d.available_at place" if window.late else COLUMNS
    if clients.few:
        each = PAGE.format(columns="d.*", after=after, clients="and d.client_id = wanted.id")
        arrived = EACH_CLIENT.format(columns=columns, page=each)
    else:
        among = "" if clients.whole_office else "and d.client_id = any(%(clients)s::bigint[])"
        arrived = PAGE.format(columns=columns, after=after, clients=among)
    if not window.late:
        return arrived
    return merged_with_late(arrived, COLUMNS, window.late)
