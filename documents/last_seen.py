"""The newest document of each company on a page of the list, and when software last fetched."""

from __future__ import annotations

from typing import Any

from django.db import connection

from clients.last_seen import LastSeen, answers
from core.row_security import office_scope
from documents.models.access_log import BEFORE_ARRIVAL

# Software fetches what came last: so many of a company's newest documents are looked at for a
# download, in the months since they arrived, which keeps a page of the list small. The page of the
# company has all downloads.
NEWEST_LOOKED_AT = 20
LAST_SEEN = """
    select client.id, newest.dated_on, fetched.at
    from unnest(%(clients)s::bigint[]) client (id)
    cross join lateral (
        select dated_on from documents_documentdetails
        where client_id = client.id and office_id = %(office)s
        order by dated_on desc, document_id desc limit 1
    ) newest
    left join lateral (
        select read.at from (
            select document_id from documents_documentdetails
            where client_id = client.id and office_id = %(office)s
            order by dated_on desc, document_id desc limit %(looked_at)s
        ) lately
        cross join lateral (
            select available_at from documents_document where id = lately.document_id
        ) arrived
        cross join lateral (
            select at from documents_documentread
            where document_id = lately.document_id and office_id = %(office)s
              and outcome = 'served' and at >= arrived.available_at - %(earlier)s
            order by at desc limit 1
        ) read
        limit 1
    ) fetched on true
"""


@answers
def last_seen(office_id: int, clients: list[int]) -> dict[int, LastSeen]:
    """By the key of the company; a company without documents is not there."""
    asked: dict[str, Any] = {
        "office": office_id,
        "clients": clients,
        "looked_at": NEWEST_LOOKED_AT,
        "earlier": BEFORE_ARRIVAL,
    }
    with office_scope(office_id), connection.cursor() as cursor:
        cursor.execute(LAST_SEEN, asked)
        return {client: LastSeen(day, at) for client, day, at in cursor.fetchall()}
