"""The list of changes of an office: what became available to software, and what it lost.

All parts are sorted lists in the order of their place, merged and bounded by the page: what
arrived, what was deleted, and for each sharing gap that began or ended what it hid or showed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from consents.access import CLIENT_IS_ACTIVE, IN_SCOPE, OF_ONE_CONSENT, AccessContext
from consents.sharing_gaps import GAP_SINCE, GAPS_SINCE, PARTNER_LOCK, SEARCH_LOCK
from core.document_kinds import BY_KIND
from core.prepared_sql import list_query
from documents.models.late_documents import MANY, array_literal
from documents.models.querysets import DocumentRow

NEVER = datetime(1, 1, 2, tzinfo=UTC)
# Shared companies fewer than 1/64 of the office are walked one by one.
SMALL_PART = 64
# The locks come first: a change of what is shared is seen by all that follows, or it is later than
# the horizon. `consents_moment_of_gap` and the trigger on the kinds of a partner have the others.
RESOLVE = f"""
    {SEARCH_LOCK};
    {PARTNER_LOCK};
    {OF_ONE_CONSENT};
    select least(statement_timestamp(), (select min(started_at) from documents_ingestbatch)),
        documents_arrival(%(document)s, %(office)s);
    {GAPS_SINCE}
"""  # noqa: S608  # constants only
COVERED = """
    select client.id, client.office_id, {active} and {in_scope} from clients_client client
    where client.office_id = %(office)s or client.id = any(%(gap_clients)s::bigint[])
"""
SCOPE = """
    select set_config('portal.office', %(scope)s, true),
        set_config('portal.every_office', %(every)s, true);
"""
# Not hidden by a gap at that moment; `moment` is a column.
NOT_HIDDEN = """
    and not exists (
        select 1 from unnest(%(gap_clients)s::bigint[], %(gap_from)s::timestamptz[],
            %(gap_to)s::timestamptz[]) g (client_id, since, until)
        where g.client_id = {table}.client_id and {moment} >= g.since and {moment} < g.until
    ) and not exists (
        select 1 from unnest(%(gap_kinds)s::smallint[], %(gap_kinds_from)s::timestamptz[],
            %(gap_kinds_to)s::timestamptz[]) g (kind, since, until)
        where g.kind = {table}.kind and {moment} >= g.since and {moment} < g.until
    )
"""
ARRIVED = """
    select true available, d.available_at place, d.id, d.client_id, d.kind, d.uuid, d.public_id,
        d.available_at, d.attributes
    from {walked} cross join lateral (
        select d.* from documents_document d join clients_client client on client.id = d.client_id
        where d.office_id = %(office)s and d.kind = k.kind {of_client}
          and d.available_at >= %(arrived_at)s and d.available_at < %(end)s
          and (d.available_at, d.id) > (%(arrived_at)s, %(arrived_id)s)
          and client.office_id = %(office)s and {active} and {in_scope} {not_hidden}
        order by d.available_at, d.id limit %(limit)s
    ) d
"""
KINDS = "unnest(%(kinds)s::smallint[]) k (kind)"
CLIENTS_AND_KINDS = f"unnest(%(clients)s::bigint[]) w (client_id) cross join {KINDS}"
DELETED = """
    (select false, r.deleted_at, r.document_id, r.client_id, r.kind, r.uuid, r.public_id,
        r.available_at, null::jsonb
    from documents_deletionrecord r join clients_client client on client.id = r.client_id
    where r.office_id = %(office)s and r.kind = any(%(every_kind)s::smallint[])
      and r.deleted_at >= %(begun)s and r.deleted_at < %(end)s
      and (r.deleted_at, r.available_at, r.document_id)
        > (%(place)s, %(after_at)s, %(after_id)s)
      and (client.office_id = %(office)s and {active} and {in_scope}
          or r.client_id = any(%(gap_clients)s::bigint[]))
      {not_hidden}
    order by r.deleted_at, r.available_at, r.document_id limit %(limit)s)
"""
# A gap that began or ended: all documents of these companies and kinds that arrived before it.
# Where it began, also those that were deleted since: nothing else says that they are gone.
OF_CLIENTS = """
    select g.available, g.place, d.id, d.client_id, d.kind, d.uuid, d.public_id,
        d.available_at, d.attributes
    from unnest(%(turn_available)s::boolean[], %(turn_place)s::timestamptz[],
        %(turn_client)s::bigint[], %(turn_kind)s::smallint[], %(turn_after_at)s::timestamptz[],
        %(turn_after_id)s::bigint[]) g (available, place, client_id, kind, after_at, after_id)
    cross join lateral (
        (select d.id, d.client_id, d.kind, d.uuid, d.public_id, d.available_at, d.attributes
        from documents_document d
        where d.client_id = g.client_id and d.kind = g.kind and d.available_at < g.place
          and (d.available_at, d.id) > (g.after_at, g.after_id)
        order by d.available_at, d.id limit %(limit)s)
        union all
        (select r.document_id, r.client_id, r.kind, r.uuid, r.public_id, r.available_at, null
        from documents_deletionrecord r
        where not g.available and r.deleted_at >= g.place
          and r.client_id = g.client_id and r.kind = g.kind and r.available_at < g.place
          and (r.available_at, r.document_id) > (g.after_at, g.after_id)
        order by r.available_at, r.document_id limit %(limit)s)
    ) d
"""
# The same for many companies of one gap, in the order of the office's index.
OF_MANY = """
    (select {available}::boolean, {place}::timestamptz, d.id, d.client_id, d.kind, d.uuid,
        d.public_id, d.available_at, d.attributes
    from documents_document d
    where d.office_id = %(office)s and d.kind = {kind} and d.available_at < {place}
      and (d.available_at, d.id) > ({after_at}, {after_id})
      and d.client_id = any({clients}::bigint[])
    order by d.available_at, d.id limit %(limit)s)
"""
DELETED_OF_MANY = """
    (select false, {place}::timestamptz, r.document_id, r.client_id, r.kind, r.uuid,
        r.public_id, r.available_at, null::jsonb
    from documents_deletionrecord r
    where r.office_id = %(office)s and r.kind = {kind} and r.deleted_at >= {place}
      and r.available_at < {place} and (r.available_at, r.document_id) > ({after_at}, {after_id})
      and r.client_id = any({clients}::bigint[])
    order by r.available_at, r.document_id limit %(limit)s)
"""
MERGED = """
    select d.available, d.place, d.id, client.company_number, d.kind, d.client_id, d.uuid::text,
        d.public_id,
        to_char(d.available_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), d.attributes
    from ({parts}) d join clients_client client on client.id = d.client_id
    order by d.place, d.available_at, d.id limit %(limit)s
"""


# Whether something may have changed for those who wait, each since a moment; which ones, and not
# what. An index answers each question with one look.
CHANGED = f"""
    select set_config('portal.every_office', 'on', true);
    select w.number
    from unnest(%(numbers)s::int[], %(offices)s::bigint[], %(partners)s::bigint[],
        %(moments)s::timestamptz[]) w (number, office_id, partner_id, moment)
    where exists (
        select 1 from unnest(%(kinds)s::smallint[]) k (kind) cross join lateral (
            select 1 from documents_document d
            where d.office_id = w.office_id and d.kind = k.kind and d.available_at >= w.moment
            limit 1
        ) d
    ) or exists (
        select 1 from documents_deletionrecord r
        where r.office_id = w.office_id and r.deleted_at >= w.moment
    ) or {GAP_SINCE}
"""  # noqa: S608  # constants only


class Wait(NamedTuple):
    """Software that has seen everything of an office up to a moment."""

    office_id: int
    partner_id: int
    moment: datetime


class Gap(NamedTuple):
    """A time in which a company, or a kind (`client_id` None), is hidden.

    `hidden_at` is None where nothing of it was readable before; `until` is None while it goes on.
    """

    client_id: int | None
    kind: str
    hidden_at: datetime | None
    until: datetime | None


class Resolved(NamedTuple):
    """What holds for one page: who may read, up to when, and behind which arrival."""

    access: AccessContext
    horizon: datetime
    # When the document of the cursor arrived; None where nobody knows it any more.
    arrival: datetime | None
    gaps: list[Gap]


class Company(NamedTuple):
    id: int
    office_id: int
    # Whether the software may read it now.
    covered: bool


class Turn(NamedTuple):
    """At `place` all earlier documents of these companies and this kind became readable, or ceased.

    `after` is the position behind which they are wanted.
    """

    available: bool
    place: datetime
    kind: int
    clients: Sequence[int]
    after: tuple[datetime, int]


class ChangeRow(NamedTuple):
    """One change, as the database gave it."""

    available: bool
    place: datetime
    document_id: int
    number: str
    kind: int
    document: DocumentRow


@dataclass(frozen=True)
class Hidden:
    """One gap as the statement has it: half-open in time."""

    since: datetime
    until: datetime
    client_id: int | None = None
    kind: int | None = None


@dataclass(frozen=True)
class ChangePage:
    """What a page asks for: behind `place`, `after` and before `end`."""

    access: AccessContext
    place: datetime
    after: tuple[datetime, int]
    end: datetime
    # Deletions before this moment tell nothing to software that began to read then.
    begun: datetime
    limit: int
    # Kinds that the software may read, and those that it lost as well.
    kinds: Sequence[int]
    every_kind: Sequence[int]
    hidden: Sequence[Hidden] = ()
    turns: Sequence[Turn] = ()
    # Whether a company that left for another office is among those of the turns.
    others: bool = False


def resolve(access: AccessContext, partner_id: int, place: datetime, document_id: int) -> Resolved:
    """Only in a transaction: what it says holds until the end of it."""
    _lock, _partner, [context], [[horizon, arrival]], gaps = list_query(
        RESOLVE,
        office=access.office_id,
        partner=partner_id,
        consent=access.consent_id,
        document=document_id,
        since=place,
    )
    context = AccessContext.from_row(context)
    return Resolved(context, horizon, arrival, list(map(Gap._make, gaps)))


def companies(access: AccessContext, gaps: Iterable[Gap]) -> list[Company]:
    """The companies of the office, and those of the gaps wherever they are now."""
    sql = COVERED.format(active=CLIENT_IS_ACTIVE, in_scope=_in_scope(access))
    named = array_literal(str(gap.client_id) for gap in gaps if gap.client_id is not None)
    (rows,) = list_query(sql, office=access.office_id, consent=access.consent_id, gap_clients=named)
    return [
        Company(id, office, covered and office == access.office_id) for id, office, covered in rows
    ]


def changes(page: ChangePage) -> list[ChangeRow]:
    """The page, in the order of places; cost grows with the page, not with the table."""
    own = [hidden for hidden in page.hidden if hidden.client_id is not None]
    of_kind = [hidden for hidden in page.hidden if hidden.kind is not None]
    # Behind a cursor that is an arrival; behind another change all arrivals of its moment.
    arrived = page.after if page.after[0] == page.place else (page.place, 0)
    some = [turn for turn in page.turns if _is_some(turn, page)]
    many = [turn for turn in page.turns if not _is_some(turn, page)]
    each = [(client, turn) for turn in some for client in turn.clients]
    few = _few_clients(page)
    parameters = {
        "scope": str(page.access.office_id),
        "every": "on" if page.others else "",
        "office": page.access.office_id,
        "consent": page.access.consent_id,
        "kinds": array_literal(map(str, page.kinds)),
        "every_kind": array_literal(map(str, page.every_kind)),
        "clients": array_literal(map(str, few or ())),
        "begun": page.begun,
        "end": page.end,
        "limit": page.limit,
        "place": page.place,
        "after_at": page.after[0],
        "after_id": page.after[1],
        "arrived_at": arrived[0],
        "arrived_id": arrived[1],
        "gap_clients": array_literal(str(hidden.client_id) for hidden in own),
        "gap_from": _moments(hidden.since for hidden in own),
        "gap_to": _moments(hidden.until for hidden in own),
        "gap_kinds": array_literal(str(hidden.kind) for hidden in of_kind),
        "gap_kinds_from": _moments(hidden.since for hidden in of_kind),
        "gap_kinds_to": _moments(hidden.until for hidden in of_kind),
        "turn_available": array_literal(str(turn.available) for _client, turn in each),
        "turn_place": _moments(turn.place for _client, turn in each),
        "turn_client": array_literal(str(client) for client, _turn in each),
        "turn_kind": array_literal(str(turn.kind) for _client, turn in each),
        "turn_after_at": _moments(turn.after[0] for _client, turn in each),
        "turn_after_id": array_literal(str(turn.after[1]) for _client, turn in each),
    }
    for n, turn in enumerate(many):
        parameters |= {
            f"available_{n}": turn.available,
            f"place_{n}": turn.place,
            f"kind_{n}": turn.kind,
            f"after_at_{n}": turn.after[0],
            f"after_id_{n}": turn.after[1],
            f"clients_{n}": array_literal(map(str, turn.clients)),
        }
    sql = _page_sql(page, each=bool(each), many=many, few=few is not None)
    _scope, rows = list_query(SCOPE + sql, **parameters)
    return [
        ChangeRow(available, place, key, number, kind, DocumentRow(*document))
        for available, place, key, number, kind, *document in rows
    ]


def changed(waits: Sequence[Wait]) -> set[int]:
    """The places in the list of those for whom something may have changed."""
    _scope, rows = list_query(
        CHANGED,
        numbers=array_literal(str(n) for n in range(len(waits))),
        offices=array_literal(str(wait.office_id) for wait in waits),
        partners=array_literal(str(wait.partner_id) for wait in waits),
        moments=_moments(wait.moment for wait in waits),
        kinds=array_literal(map(str, map(int, BY_KIND))),
    )
    return {number for (number,) in rows}


def _page_sql(page: ChangePage, *, each: bool, many: Sequence[Turn], few: bool) -> str:
    reads = {"active": CLIENT_IS_ACTIVE, "in_scope": _in_scope(page.access)}
    hides = NOT_HIDDEN if page.hidden else ""
    arrived = ARRIVED.format(
        walked=CLIENTS_AND_KINDS if few else KINDS,
        of_client="and d.client_id = w.client_id" if few else "",
        not_hidden=hides.format(table="d", moment="d.available_at"),
        **reads,
    )
    deleted = DELETED.format(not_hidden=hides.format(table="r", moment="r.deleted_at"), **reads)
    parts = [arrived, deleted, *([OF_CLIENTS] if each else [])]
    names = ("available", "place", "kind", "after_at", "after_id", "clients")
    for n, turn in enumerate(many):
        named = {name: f"%({name}_{n})s" for name in names}
        parts += [part.format(**named) for part in (OF_MANY, DELETED_OF_MANY)[: 2 - turn.available]]
    return MERGED.format(parts=" union all ".join(parts))


def _few_clients(page: ChangePage) -> list[int] | None:
    """The shared companies, where they are a small part of the office."""
    if not page.access.scope_restricted:
        return None
    every = companies(page.access, ())
    covered = [company.id for company in every if company.covered]
    return covered if len(covered) * SMALL_PART <= len(every) else None


def _is_some(turn: Turn, page: ChangePage) -> bool:
    """Whether the companies are looked up one by one; so are those of another office."""
    return len(turn.clients) < MANY or page.others


def _in_scope(access: AccessContext) -> str:
    return IN_SCOPE if access.scope_restricted else "true"


def _moments(moments: Iterable[datetime]) -> str:
    return array_literal(moment.isoformat() for moment in moments)
