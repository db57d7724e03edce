"""Write down since when, and until when, software could not read a company or a kind.

Each function runs in the transaction of the change, as its last step. The moment is taken behind a
lock of the office that each search shares for an instant (`SEARCH_LOCK`), so a search either ends
before the moment or sees the change: nothing is lost or given twice in between.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

# What a search sends first; see `consents_moment_of_gap` in the migrations.
SEARCH_LOCK = "select pg_advisory_xact_lock_shared(20005, %(office)s::int)"
# Whether a gap of the pair ended since the `from` of a search, which is rare; then all its gaps.
GAP_ENDED = """exists (
        select 1 from consents_sharinggap g
        where g.office_id = %(office)s and g.partner_id = %(partner)s and g.until >= %(since)s
    )"""
GAPS_OF_SEARCH = """
    select g.client_id, g.kind, g.since, g.until from consents_sharinggap g
    where g.office_id = %(office)s and g.partner_id = %(partner)s and g.until is not null
      and (g.client_id is not null or g.kind = %(type)s)
"""
# The gaps of a pair that began or ended behind a moment. A company whose agreed moment of leaving
# has passed is gone, even before its row has moved.
GAPS_SINCE = """
    select client_id, kind, hidden_at, until from consents_sharinggap
    where office_id = %(office)s and partner_id = %(partner)s
      and (until >= %(since)s or (until is null and hidden_at >= %(since)s))
    union all
    select id, '', leaves_at, null from clients_client
    where office_id = %(office)s and leaves_at >= %(since)s and leaves_at <= statement_timestamp()
"""
# Whether a gap of the pair began or ended since; the query has `office_id`, `partner_id`, `moment`.
GAP_SINCE = """exists (
        select 1 from consents_sharinggap g
        where g.office_id = w.office_id and g.partner_id = w.partner_id
          and (g.until >= w.moment or (g.until is null and g.hidden_at >= w.moment))
    )"""
# Held by the answer that reads what became of the kinds a partner is registered for.
PARTNER_LOCK = "select pg_advisory_xact_lock_shared(20006, %(partner)s::int)"
MOMENT = "select consents_moment_of_gap(%s)"
# A batch of documents that is on its way has earlier times than its commit, and no search ended
# behind the beginning of the batch: so its documents belong to the gap.
OPEN = """
    insert into consents_sharinggap (office_id, partner_id, client_id, kind, since, hidden_at)
    select %(office)s, %(partner)s, w.client, w.kind,
        least(%(moment)s, (select min(started_at) from documents_ingestbatch)), %(moment)s
    from (
        select unnest(%(clients)s::bigint[]) client, '' kind
        union all select null, unnest(%(kinds)s::text[])
    ) w
    on conflict do nothing
"""
# What has no open gap was never shared before.
NEVER_SHARED = """
    insert into consents_sharinggap (office_id, partner_id, client_id, kind)
    select %(office)s, %(partner)s, w.client, w.kind from (
        select unnest(%(clients)s::bigint[]) client, '' kind
        union all select null, unnest(%(kinds)s::text[])
    ) w
    on conflict do nothing
"""
# A company may be archived as well, and software not registered for a kind: then the gap goes on,
# and the restore or the registration ends it.
NOTHING_ELSE_HIDES = """
    case when g.client_id is null then g.kind in (
            select unnest(p.document_kinds) from partners_partner p where p.id = %(partner)s
        ) else exists (
            select 1 from clients_client c
            where c.id = g.client_id and c.office_id = %(office)s and c.archived_at is null
        ) end
"""
CLOSE = f"""
    update consents_sharinggap g set until = %(moment)s
    where g.office_id = %(office)s and g.partner_id = %(partner)s and g.until is null
      and (g.client_id = any(%(clients)s::bigint[]) or g.kind = any(%(kinds)s::text[]))
      and {NOTHING_ELSE_HIDES}
"""  # noqa: S608  # constants only
# The consent before this one, if there was any: software kept its last `to` from then.
BEFORE = """
    select id, cancelled_at, excluded_kinds from consents_consent
    where office_id = %(office)s and partner_id = %(partner)s and status = 'cancelled'
    order by id desc limit 1
"""
# What one of the two consents leaves out has a gap; it ends now where this one shares it.
SETTLE = """
    insert into consents_sharinggap (office_id, partner_id, client_id, kind, since, hidden_at)
    select %(office)s, %(partner)s, c.id, '',
        case when was.covered then %(ended)s::timestamptz end,
        case when was.covered then %(moment)s::timestamptz end
    from clients_client c, lateral (select consents_covers(%(before)s, c.id) covered) was
    where c.office_id = %(office)s
      and not (was.covered and consents_covers(%(consent)s, c.id))
    union all
    select %(office)s, %(partner)s, null, k,
        case when k <> all(%(kinds_before)s::text[]) then %(ended)s::timestamptz end,
        case when k <> all(%(kinds_before)s::text[]) then %(moment)s::timestamptz end
    from unnest(%(kinds_before)s::text[] || %(kinds_now)s::text[]) k
    on conflict do nothing
"""
CLOSE_ALL_SHARED = f"""
    update consents_sharinggap g set until = %(moment)s
    where g.office_id = %(office)s and g.partner_id = %(partner)s and g.until is null
      and case when g.client_id is null then g.kind <> all(%(kinds_now)s::text[])
          else consents_covers(%(consent)s, g.client_id) end
      and {NOTHING_ELSE_HIDES}
"""  # noqa: S608  # constants only


class Pair(NamedTuple):
    """An office and the software it shares with."""

    office_id: int
    partner_id: int


def note_left_out(pair: Pair, clients: Iterable[int], kinds: Iterable[str]) -> None:
    """From now on the consent does not share these."""
    _write(pair, (OPEN,), clients, kinds)


def note_shared_again(pair: Pair, clients: Iterable[int], kinds: Iterable[str]) -> None:
    """From now on the consent shares these."""
    _write(pair, (NEVER_SHARED, CLOSE), clients, kinds)


def note_new_consent(pair: Pair, consent_id: int, excluded_kinds: Iterable[str]) -> None:
    """The consent is given now: it may share other things than the one before it."""
    recorded: dict[str, Any] = {"office": pair.office_id, "partner": pair.partner_id}
    with connection.cursor() as cursor:
        cursor.execute(BEFORE, recorded)
        before = cursor.fetchone()
        if before is None:
            return  # Software asks for the first time, so it has no last `to`.
        recorded["consent"], recorded["kinds_now"] = consent_id, list(excluded_kinds)
        recorded["before"], recorded["ended"], recorded["kinds_before"] = before
        recorded["moment"] = _moment(pair)
        cursor.execute(SETTLE, recorded)
        cursor.execute(CLOSE_ALL_SHARED, recorded)


def _write(
    pair: Pair, statements: tuple[str, ...], clients: Iterable[int], kinds: Iterable[str]
) -> None:
    recorded: dict[str, Any] = {"office": pair.office_id, "partner": pair.partner_id}
    recorded["clients"], recorded["kinds"] = list(clients), list(kinds)
    if not recorded["clients"] and not recorded["kinds"]:
        return
    recorded["moment"] = _moment(pair)
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, recorded)


def _moment(pair: Pair) -> datetime:
    with connection.cursor() as cursor:
        cursor.execute(MOMENT, [pair.office_id])
        (moment,) = cursor.fetchone()
    return moment  # type: ignore[no-any-return]
