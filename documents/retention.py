"""A document's time is over: it is deleted, and a tombstone keeps its hashes and the moment."""

from __future__ import annotations

from django.conf import settings
from django.db import connection, transaction

from accounts.tenancy import every_office
from documents.kinds import BY_TYPE
from documents.orphans import remove_unnamed

# One worker at a time.
LOCK = (20_004, 0)
# In one transaction, and in one run.
TOGETHER = 500
MOST = 20_000
# The index of an office's search gives them in the order of their time.
OVER = """
    select o.id, d.id from accounts_office o cross join lateral (
        select id from documents_document
        where office_id = o.id and kind = %(kind)s
          and available_at < statement_timestamp() - make_interval(months => %(months)s)
        order by available_at, id limit %(most)s
    ) d limit %(most)s
"""
TOMBSTONES = """
    insert into documents_tombstone
        (uuid, client_id, kind, natural_key, available_at, hashes, buried_at)
    select d.uuid, d.client_id, d.kind, coalesce(f.natural_key, ''), d.available_at,
        coalesce((select jsonb_object_agg(k.media_type, k.sha256)
            from documents_content k where k.document_id = d.id), '{}'), statement_timestamp()
    from documents_document d left join documents_filing f on f.document_id = d.id
    where d.id = any(%(documents)s)
"""
CONTENTS = "delete from documents_content where document_id = any(%(documents)s) returning sha256"
FILINGS = "delete from documents_filing where document_id = any(%(documents)s)"
DOCUMENTS = "delete from documents_document where id = any(%(documents)s)"


def bury(most: int = MOST) -> int:
    """Delete what is older than its kind is kept; return how many documents.

    The rows go first, then the bytes that nothing names any more: a crash in between leaves
    orphans, which the sweep removes.
    """
    buried = 0
    for kind, months in settings.PORTAL_RETENTION_MONTHS.items():
        while buried < most:
            count = _bury_some(BY_TYPE[kind].kind.value, months, min(TOGETHER, most - buried))
            buried += count
            if count == 0:
                break
    return buried


def _bury_some(kind: int, months: int, most: int) -> int:
    with transaction.atomic(), every_office(), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s, %s)", LOCK)
        cursor.execute(OVER, {"kind": kind, "months": months, "most": most})
        documents = {"documents": [document for _office, document in cursor.fetchall()]}
        if not documents["documents"]:
            return 0
        cursor.execute(TOMBSTONES, documents)
        cursor.execute(CONTENTS, documents)
        digests = {sha256 for (sha256,) in cursor.fetchall()}
        cursor.execute(FILINGS, documents)
        cursor.execute(DOCUMENTS, documents)
    remove_unnamed(digests)
    return len(documents["documents"])
