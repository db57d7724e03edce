"""Late documents: the lists of what arrived in a sharing gap, merged into the page of a search."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

Position = tuple[datetime, int]
# Before all that happens here.
NEVER = datetime(1, 1, 2, tzinfo=UTC)
# Shorter lists of companies are looked up one by one.
MANY = 64
# What became readable in the window and arrived before it: each client with its gap. The beginning
# is a position alone: with a second lower bound PostgreSQL may begin to read at the lower one.
LATE_OF_CLIENTS = """
    select d.*, gap.ended place
    from unnest(%(gap_clients)s::bigint[], %(gap_until)s::timestamptz[],
        %(gap_ended)s::timestamptz[], %(gap_after_at)s::timestamptz[],
        %(gap_after_id)s::bigint[]) gap (client_id, until, ended, after_at, after_id)
    cross join lateral (
        select d.* from documents_document d
        where d.office_id = %(office)s and d.kind = %(kind)s and d.client_id = gap.client_id
          and d.available_at < gap.until
          and (d.available_at, d.id) > (gap.after_at, gap.after_id)
        order by d.available_at, d.id limit %(limit)s
    ) d
"""
# The same for a gap of many clients, in the order of the office's index.
LATE_OF_MANY = """
    (select d.*, {ended}::timestamptz place from documents_document d
    where d.office_id = %(office)s and d.kind = %(kind)s
      and d.available_at < {until}
      and (d.available_at, d.id) > ({after_at}, {after_id})
      and d.client_id = any({clients}::bigint[])
    order by d.available_at, d.id limit %(limit)s)
"""
MERGED = """
    select {columns} from ({streams}) d
    order by d.place, d.available_at, d.id limit %(limit)s
"""
IN_A_STREAM = ("clients", "until", "ended", "after_at", "after_id")


class Gap(NamedTuple):
    """A time that ended in which software could not read a company, or a kind (`client_id` None).

    `since` is None where it could never read it before.
    """

    client_id: int | None
    kind: str
    since: datetime | None
    until: datetime


class LateStream(NamedTuple):
    """Documents of some clients that arrived from `since` to `until`, readable since `ended`.

    Their place in the list is `ended`; `after` is the position behind which they are wanted.
    """

    clients: tuple[int, ...]
    since: datetime
    until: datetime
    ended: datetime
    after: Position | None = None

    @property
    def beginning(self) -> Position:
        """What the stream has lies behind it; no document has the number 0."""
        return max(self.after or (self.since, 0), (self.since, 0))


def merged_with_late(arrived: str, columns: str, late: Sequence[LateStream]) -> str:
    """The list of what arrived, merged with one list for each late stream."""
    _some, many = _parted(late)
    streams = [f"({arrived})", LATE_OF_CLIENTS]
    for place in range(len(many)):
        streams.append(LATE_OF_MANY.format(**{name: f"%({name}_{place})s" for name in IN_A_STREAM}))
    return MERGED.format(columns=columns, streams=" union all ".join(streams))


def _parted(late: Sequence[LateStream]) -> tuple[list[LateStream], list[LateStream]]:
    """Those whose clients are looked up one by one, and those that walk the office in order."""
    some = [stream for stream in late if len(stream.clients) < MANY]
    return some, [stream for stream in late if len(stream.clients) >= MANY]


def late_parameters(late: Sequence[LateStream]) -> dict[str, object]:
    if not late:
        return {}
    some, many = _parted(late)
    each = [(client, stream) for stream in some for client in stream.clients]
    afters = [stream.beginning for _client, stream in each]
    found: dict[str, object] = {
        "gap_clients": array_literal(str(client) for client, _stream in each),
        "gap_until": moment_array(stream.until for _client, stream in each),
        "gap_ended": moment_array(stream.ended for _client, stream in each),
        "gap_after_at": moment_array(at for at, _id in afters),
        "gap_after_id": array_literal(str(identifier) for _at, identifier in afters),
    }
    for place, stream in enumerate(many):
        clients = array_literal(map(str, stream.clients))
        values = (clients, stream.until, stream.ended, *stream.beginning)
        found |= {f"{name}_{place}": value for name, value in zip(IN_A_STREAM, values, strict=True)}
    return found


def array_literal(texts: Iterable[str]) -> str:
    """An array as one literal: psycopg would dump 5,000 numbers one by one."""
    return f"{{{','.join(texts)}}}"


def moment_array(moments: Iterable[datetime]) -> str:
    return array_literal(moment.isoformat() for moment in moments)
