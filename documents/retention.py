"""Delete documents for retention; a deletion record keeps their hashes and the moment."""

from __future__ import annotations

import time

from django.conf import settings
from django.db import connection

from core.document_kinds import BY_TYPE
from core.row_security import every_office
from documents.ingest.visibility_horizon import horizon_held_back
from documents.storage.garbage_collection import remove_unreferenced

# One run at a time.
LOCK = (20_004, 0)
# So many in one transaction; after each, as long a pause as it took, so that others have the disk.
BATCH = 500
# A run begins every hour and is over long before the next, whatever is left.
SECONDS = 20 * 60
# The index of an office's search gives them in the order of their time.
EXPIRED = """
    select o.id, d.id from accounts_office o cross join lateral (
        select id from documents_document
        where office_id = o.id and kind = %(kind)s
          and available_at < statement_timestamp() - make_interval(months => %(months)s)
        order by available_at, id limit %(most)s
    ) d limit %(most)s
"""
# A PDF that is being rendered waits for us, and then finds no document.
LOCK_DOCUMENTS = """
    select id from documents_document where id = any(%(documents)s) order by id for update
"""
INSERT_DELETION_RECORDS = """
    insert into documents_deletionrecord
        (uuid, document_id, public_id, office_id, client_id, kind, natural_key, available_at,
         hashes, deleted_at)
    select d.uuid, d.id, d.public_id, d.office_id, d.client_id, d.kind,
        coalesce(f.natural_key, ''), d.available_at,
        coalesce((select jsonb_object_agg(k.media_type, k.sha256)
            from documents_content k where k.document_id = d.id), '{}')
        || coalesce((select jsonb_object_agg(a.name, a.sha256)
            from documents_attachment a where a.document_id = d.id), '{}'), statement_timestamp()
    from documents_document d left join documents_documentdetails f on f.document_id = d.id
    where d.id = any(%(documents)s)
"""
DELETE_CONTENTS = (
    "delete from documents_content where document_id = any(%(documents)s) returning sha256"
)
DELETE_ATTACHMENTS = (
    "delete from documents_attachment where document_id = any(%(documents)s) returning sha256"
)
DELETE_DETAILS = "delete from documents_documentdetails where document_id = any(%(documents)s)"
DELETE_DOCUMENTS = "delete from documents_document where id = any(%(documents)s)"


class AnotherRunError(Exception):
    """Another run is deleting now."""


def delete_for_retention(seconds: float = SECONDS, batch: int = BATCH) -> int:
    """Delete the documents that are older than their kind is kept; return how many.

    It goes on until nothing is left, so many seconds have passed, or another run is found at work.
    Each batch is a transaction. The rows are deleted first, then the bytes that no row names any
    more. After a crash in between, garbage collection removes these bytes.
    """
    deleted = 0
    end = time.monotonic() + seconds
    for kind, months in settings.PORTAL_RETENTION_MONTHS.items():
        while True:
            began = time.monotonic()
            try:
                count = _delete_some(BY_TYPE[kind].kind.value, months, batch)
            except AnotherRunError:
                return deleted
            deleted += count
            took = time.monotonic() - began
            if began + 2 * took >= end:
                return deleted
            if count < batch:
                break
            time.sleep(took)
    return deleted


def _delete_some(kind: int, months: int, most: int) -> int:
    # Software that reads the list of changes must not pass the moment of a deletion unseen.
    with horizon_held_back(), every_office(), connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s, %s)", LOCK)
        if not cursor.fetchone()[0]:
            raise AnotherRunError
        cursor.execute(EXPIRED, {"kind": kind, "months": months, "most": most})
        documents = [document for _office, document in cursor.fetchall()]
        digests = delete_rows(documents)
    remove_unreferenced(digests)
    return len(documents)


def delete_rows(documents: list[int]) -> set[str]:
    """Leave deletion records in the place of these documents; return the digests of their bytes.

    Only in a transaction that sees every office, while the horizon is held back.
    """
    if not documents:
        return set()
    named = {"documents": documents}
    with connection.cursor() as cursor:
        cursor.execute(LOCK_DOCUMENTS, named)
        cursor.execute(INSERT_DELETION_RECORDS, named)
        cursor.execute(DELETE_CONTENTS, named)
        digests = {sha256 for (sha256,) in cursor.fetchall()}
        cursor.execute(DELETE_ATTACHMENTS, named)
        digests |= {sha256 for (sha256,) in cursor.fetchall()}
        cursor.execute(DELETE_DETAILS, named)
        cursor.execute(DELETE_DOCUMENTS, named)
    return digests
