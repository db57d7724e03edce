"""One page of the list of changes: what became available to software, and what it lost.

All parts are sorted lists in the order of their place, merged and bounded by the page: what
arrived, what was deleted, and for each sharing gap that began or ended what it hid or showed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from consents.access import CLIENT_IS_ACTIVE, AccessContext
from core.prepared_sql import list_query
from documents.models.late_documents import MANY, NEVER, array_literal, moment_array
from documents.models.querysets import DocumentRow, first_part

# No bitmaps, for the reason that `IN_ORDER` of the search has.
SETTINGS = """
    select set_config('portal.office', %(scope)s, true),
        set_config('portal.every_office', %(every)s, true),
        set_config('enable_bitmapscan', 'off', true);
"""
# Companies of the office that are archived or have left; an index has them and hardly any other.
NOT_ACTIVE = f"""
    with not_active as materialized (
        select client.id from clients_client client
        where client.office_id = %(office)s and not ({CLIENT_IS_ACTIVE})
    )
"""  # noqa: S608  # constants only
# A list of many companies, written once: with the list in each condition PostgreSQL would estimate
# each company in each of them, which takes longer than the page.
LIST = ", {name} (id) as materialized (select unnest(%({name})s::bigint[]))"
# Kept from becoming a join, which would sort all that the companies have.
LISTED = "({table}.client_id in (select id from {name})) is true"
DOCUMENT = "d.id, d.client_id, d.kind, d.uuid, d.public_id, d.available_at, d.attributes"
DELETION = """r.document_id id, r.client_id, r.kind, r.uuid, r.public_id, r.available_at,
        null::jsonb attributes"""
ARRIVED = f"""
    (select {DOCUMENT} from documents_document d
    where {{owner}} and d.kind = {{kind}} and d.available_at < %(end)s
      and (d.available_at, d.id) > (%(arrived_at)s, %(arrived_id)s)
      and d.client_id not in (select id from not_active) {{not_hidden}}
    order by d.available_at, d.id limit %({{most}})s)
"""  # noqa: S608  # constants only
# The database merges the lists of the kinds: it reads no more of them than the page needs.
ARRIVED_OF_OFFICE = """
    (select true available, d.available_at place, d.* from ({kinds}) d
    order by d.available_at, d.id limit %(limit)s)
"""
ARRIVED_OF_FEW = """
    (select true available, d.available_at place, d.* from unnest(%(clients)s::bigint[]) w (id)
    cross join lateral (
        select d.* from ({kinds}) d order by d.available_at, d.id limit %(each)s
    ) d)
"""
DELETED = f"""
    (select false available, r.deleted_at place, {DELETION} from documents_deletionrecord r
    where r.office_id = %(office)s and r.kind = any(%(every_kind)s::smallint[])
      and r.deleted_at < %(end)s and (r.deleted_at, r.available_at, r.document_id)
        > (%(deleted_at)s, %(deleted_after)s, %(deleted_id)s)
      and (exists (
              select 1 from clients_client client
              where client.id = r.client_id and client.office_id = %(office)s and {CLIENT_IS_ACTIVE}
          ) {{shared}} or r.client_id = any(%(gap_clients)s::bigint[]))
      {{not_hidden}}
    order by r.deleted_at, r.available_at, r.document_id limit %(limit)s)
"""  # noqa: S608  # constants only
# A gap that began or ended: all documents of these companies and kinds that arrived before it.
# Where it began, also those that were deleted since: nothing else says that they are gone.
OF_CLIENTS = f"""
    (select g.available, g.place, d.*
    from unnest(%(turn_available)s::boolean[], %(turn_place)s::timestamptz[],
        %(turn_client)s::bigint[], %(turn_kind)s::smallint[], %(turn_after_at)s::timestamptz[],
        %(turn_after_id)s::bigint[]) g (available, place, client_id, kind, after_at, after_id)
    cross join lateral (
        (select {DOCUMENT} from documents_document d
        where d.client_id = g.client_id and d.kind = g.kind and d.available_at < g.place
          and (d.available_at, d.id) > (g.after_at, g.after_id)
        order by d.available_at, d.id limit %(each)s)
        union all
        (select {DELETION} from documents_deletionrecord r
        where not g.available and r.deleted_at >= g.place
          and r.client_id = g.client_id and r.kind = g.kind and r.available_at < g.place
          and (r.available_at, r.document_id) > (g.after_at, g.after_id)
        order by r.available_at, r.document_id limit %(each)s)
    ) d)
"""  # noqa: S608  # constants only
# The same for many companies of one gap, in the order of the office's index.
OF_MANY = f"""
    (select {{available}}::boolean, {{place}}::timestamptz, {DOCUMENT} from documents_document d
    where d.office_id = %(office)s and d.kind = {{kind}} and d.available_at < {{place}}
      and (d.available_at, d.id) > ({{after_at}}, {{after_id}})
      and {{listed}}
    order by d.available_at, d.id limit %(each)s)
"""  # noqa: S608  # constants only
DELETED_OF_MANY = f"""
    (select false, {{place}}::timestamptz, {DELETION} from documents_deletionrecord r
    where r.office_id = %(office)s and r.kind = {{kind}} and r.deleted_at >= {{place}}
      and r.available_at < {{place}}
      and (r.available_at, r.document_id) > ({{after_at}}, {{after_id}})
      and {{listed}}
    order by r.available_at, r.document_id limit %(each)s)
"""  # noqa: S608  # constants only
MERGED = """
    select d.available, d.place, d.id, client.company_number, d.kind, d.client_id, d.uuid::text,
        d.public_id,
        to_char(d.available_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), d.attributes
    from (
        select d.* from ({parts}) d order by d.place, d.available_at, d.id limit %(limit)s
    ) d join clients_client client on client.id = d.client_id {of_office}
    order by d.place, d.available_at, d.id
"""
# Not hidden by a gap at that moment; `moment` is a column. Most companies have no gap, and many
# share one: each question is asked of those alone that it concerns.
KIND_NOT_HIDDEN = """
    and not exists (
        select 1 from unnest(%(gap_kinds)s::smallint[], %(gap_kinds_from)s::timestamptz[],
            %(gap_kinds_to)s::timestamptz[]) g (kind, since, until)
        where g.kind = {table}.kind and {moment} >= g.since and {moment} < g.until
    )
"""
SOME_NOT_HIDDEN = """
    and ({table}.client_id <> all(%(some_clients)s::bigint[]) or not exists (
        select 1 from unnest(%(some_clients)s::bigint[], %(some_from)s::timestamptz[],
            %(some_to)s::timestamptz[]) g (client_id, since, until)
        where g.client_id = {table}.client_id and {moment} >= g.since and {moment} < g.until
    ))
"""
MANY_NOT_HIDDEN = """
    and not ({moment} >= %(many_from_{n})s and {moment} < %(many_to_{n})s
        and {listed})
"""


class Shared(NamedTuple):
    """The companies that an office shares where it left out some; `are_few` of all it has."""

    clients: Sequence[int]
    are_few: bool


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
    # None: all companies that are active.
    shared: Shared | None
    hidden: Sequence[Hidden] = ()
    turns: Sequence[Turn] = ()
    # Whether a company that left for another office is among those of the turns.
    others: bool = False


def changes(page: ChangePage) -> list[ChangeRow]:
    """The page, in the order of places; cost grows with the page, not with the table."""
    statement = Statement(page)
    each = first_part(page.limit, statement.streams) if statement.streams else page.limit
    while True:
        rows = statement.rows(each)
        if each == page.limit or _most_of_one_stream(rows) < each:
            return rows
        each = min(4 * each, page.limit)


def _most_of_one_stream(rows: Sequence[ChangeRow]) -> int:
    """At least how many rows of the page are of one list that was read in part."""
    of_client = Counter((row.available, row.document.client_id) for row in rows)
    of_turn = Counter((row.available, row.place, row.kind) for row in rows)
    return max([*of_client.values(), *of_turn.values()], default=0)


class Statement:
    """The SQL of a page and its parameters."""

    def __init__(self, page: ChangePage) -> None:
        self.page = page
        self.parameters: dict[str, Any] = {
            "scope": str(page.access.office_id),
            "every": "on" if page.others else "",
            "office": page.access.office_id,
            "end": page.end,
            "limit": page.limit,
        }
        own = {hidden.client_id for hidden in page.hidden if hidden.client_id}
        self.parameters["gap_clients"] = array_literal(map(str, own))
        # How many lists are read in part: those of few companies, and those of gaps.
        self.streams = 0
        self.lists: dict[tuple[int, ...], str] = {}
        self.parts = [*self._arrived(), self._deleted(), *self._turned()]

    def rows(self, each: int) -> list[ChangeRow]:
        """The page, if no list that is read in part has more than `each` changes in it."""
        lists = "".join(LIST.format(name=name) for name in self.lists.values())
        sql = (
            SETTINGS
            + NOT_ACTIVE
            + lists
            + MERGED.format(
                parts=" union all ".join(self.parts),
                of_office="" if self.page.others else "and client.office_id = %(office)s",
            )
        )
        _settings, rows = list_query(sql, each=each, **self.parameters)
        return [
            ChangeRow(available, place, key, number, kind, DocumentRow(*document))
            for available, place, key, number, kind, *document in rows
        ]

    def _arrived(self) -> list[str]:
        page = self.page
        # Behind a cursor that is an arrival; behind another change all arrivals of its moment.
        arrived = page.after if page.after[0] == page.place else (page.place, 0)
        self.parameters["arrived_at"], self.parameters["arrived_id"] = arrived
        not_hidden = self._not_hidden("d", "d.available_at")
        of_few = page.shared is not None and page.shared.are_few
        if page.shared is not None and of_few:
            self.streams += len(page.shared.clients)
            self.parameters["clients"] = array_literal(map(str, page.shared.clients))
        elif page.shared is not None:
            not_hidden += f" and {self._listed('d', page.shared.clients)}"
        owner = "d.client_id = w.id" if of_few else "d.office_id = %(office)s"
        most = "each" if of_few else "limit"
        lists = [
            ARRIVED.format(owner=owner, kind=int(kind), not_hidden=not_hidden, most=most)
            for kind in page.kinds
        ]
        merged = ARRIVED_OF_FEW if of_few else ARRIVED_OF_OFFICE
        return [merged.format(kinds=" union all ".join(lists))] if lists else []

    def _deleted(self) -> str:
        page = self.page
        self.parameters["every_kind"] = array_literal(map(str, page.every_kind))
        # One lower bound: with two of them PostgreSQL may begin to read at the lower one.
        behind = max((page.place, *page.after), (page.begun, NEVER, 0))
        names = ("deleted_at", "deleted_after", "deleted_id")
        self.parameters |= dict(zip(names, behind, strict=True))
        shared = f"and {self._listed('r', page.shared.clients)}" if page.shared else ""
        return DELETED.format(shared=shared, not_hidden=self._not_hidden("r", "r.deleted_at"))

    def _turned(self) -> list[str]:
        some = [turn for turn in self.page.turns if self._is_some(turn)]
        many = [turn for turn in self.page.turns if not self._is_some(turn)]
        each = [(client, turn) for turn in some for client in turn.clients]
        self.streams += len(each) + len(many)
        self.parameters |= {
            "turn_available": array_literal(str(turn.available) for _client, turn in each),
            "turn_place": moment_array(turn.place for _client, turn in each),
            "turn_client": array_literal(str(client) for client, _turn in each),
            "turn_kind": array_literal(str(turn.kind) for _client, turn in each),
            "turn_after_at": moment_array(turn.after[0] for _client, turn in each),
            "turn_after_id": array_literal(str(turn.after[1]) for _client, turn in each),
        }
        parts = [OF_CLIENTS] if each else []
        for n, turn in enumerate(many):
            values = {
                "available": turn.available,
                "place": turn.place,
                "kind": turn.kind,
                "after_at": turn.after[0],
                "after_id": turn.after[1],
            }
            self.parameters |= {f"{name}_{n}": value for name, value in values.items()}
            named = {name: f"%({name}_{n})s" for name in values}
            parts.append(OF_MANY.format(listed=self._listed("d", turn.clients), **named))
            if not turn.available:
                deleted = DELETED_OF_MANY.format(listed=self._listed("r", turn.clients), **named)
                parts.append(deleted)
        return parts

    def _is_some(self, turn: Turn) -> bool:
        """Whether the companies are looked up one by one; so are those of another office."""
        return len(turn.clients) < MANY or self.page.others

    def _not_hidden(self, table: str, moment: str) -> str:
        of_kind = [hidden for hidden in self.page.hidden if hidden.kind is not None]
        spans: defaultdict[tuple[datetime, datetime], list[int]] = defaultdict(list)
        for hidden in self.page.hidden:
            if hidden.client_id is not None:
                spans[hidden.since, hidden.until].append(hidden.client_id)
        some = [
            (c, *span) for span, clients in spans.items() if len(clients) < MANY for c in clients
        ]
        many = [(span, clients) for span, clients in spans.items() if len(clients) >= MANY]
        sql = ""
        if of_kind:
            sql += KIND_NOT_HIDDEN.format(table=table, moment=moment)
            self.parameters["gap_kinds"] = array_literal(str(hidden.kind) for hidden in of_kind)
            self.parameters["gap_kinds_from"] = moment_array(hidden.since for hidden in of_kind)
            self.parameters["gap_kinds_to"] = moment_array(hidden.until for hidden in of_kind)
        if some:
            sql += SOME_NOT_HIDDEN.format(table=table, moment=moment)
            self.parameters["some_clients"] = array_literal(str(client) for client, *_span in some)
            self.parameters["some_from"] = moment_array(since for _client, since, _until in some)
            self.parameters["some_to"] = moment_array(until for _client, _since, until in some)
        for n, ((since, until), clients) in enumerate(many):
            sql += MANY_NOT_HIDDEN.format(n=n, listed=self._listed(table, clients), moment=moment)
            self.parameters[f"many_from_{n}"], self.parameters[f"many_to_{n}"] = since, until
        return sql

    def _listed(self, table: str, clients: Sequence[int]) -> str:
        """The condition that a company is one of these; the same list is sent once."""
        name = self.lists.setdefault(tuple(sorted(clients)), f"list_{len(self.lists)}")
        self.parameters[name] = array_literal(map(str, clients))
        return LISTED.format(table=table, name=name)
