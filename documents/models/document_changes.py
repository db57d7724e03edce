"""What the list of changes of an office asks before its page, and for those who wait for one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from consents.access import CLIENT_IS_ACTIVE, OF_ONE_CONSENT, AccessContext
from consents.sharing_gaps import GAP_SINCE, GAPS_SINCE, PARTNER_LOCK, SEARCH_LOCK
from core.document_kinds import BY_KIND
from core.prepared_sql import list_query
from documents.models.change_page import Shared
from documents.models.late_documents import array_literal, moment_array
from documents.models.querysets import SMALL_PART, in_scope

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
SHARED = """
    select array_agg(client.id),
        (select count(*) from clients_client where office_id = %(office)s)
    from clients_client client
    where client.office_id = %(office)s and {active} and {in_scope}
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
    sql = COVERED.format(active=CLIENT_IS_ACTIVE, in_scope=in_scope(access))
    named = array_literal(str(gap.client_id) for gap in gaps if gap.client_id is not None)
    (rows,) = list_query(sql, office=access.office_id, consent=access.consent_id, gap_clients=named)
    return [
        Company(id, office, covered and office == access.office_id) for id, office, covered in rows
    ]


def shared_part(access: AccessContext) -> Shared | None:
    """The companies that the consent shares, where the office left out some."""
    if not access.scope_restricted:
        return None
    sql = SHARED.format(active=CLIENT_IS_ACTIVE, in_scope=in_scope(access))
    [[(shared, every)]] = list_query(sql, office=access.office_id, consent=access.consent_id)
    clients = shared or []
    return Shared(clients, are_few=len(clients) * SMALL_PART <= every)


def changed(waits: Sequence[Wait]) -> set[int]:
    """The places in the list of those for whom something may have changed."""
    _scope, rows = list_query(
        CHANGED,
        numbers=array_literal(str(n) for n in range(len(waits))),
        offices=array_literal(str(wait.office_id) for wait in waits),
        partners=array_literal(str(wait.partner_id) for wait in waits),
        moments=moment_array(wait.moment for wait in waits),
        kinds=array_literal(map(str, map(int, BY_KIND))),
    )
    return {number for (number,) in rows}
