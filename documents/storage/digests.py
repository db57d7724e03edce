"""The digests of all files that must be in the storage: those of documents and of quarantine."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from core.row_security import every_office
from documents.storage.garbage_collection import NAMED

DIGESTS_PER_QUERY = 1_000
NEXT = """
    select id, sha256 from {table} where id > %s order by id limit %s
"""
TABLES = ("documents_content", "documents_attachment")
WAITING = "select sha256 from documents_quarantinedfile where state = 'waiting' order by id"


def stored_digests() -> Iterator[str]:
    """Page by page, so that no transaction stays open while files are read."""
    for table in TABLES:
        last = 0
        while rows := _page(table, last):
            last = rows[-1][0]
            yield from dict.fromkeys(sha256 for _id, sha256 in rows)
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        waiting = [sha256 for (sha256,) in cursor.fetchall()]
    yield from waiting


def is_still_named(sha256: str) -> bool:
    """Whether a row names this file now: one that was deleted meanwhile may be gone."""
    with every_office(), connection.cursor() as cursor:
        cursor.execute(NAMED, {"digests": [sha256]})
        return cursor.fetchone() is not None


def _page(table: str, after: int) -> list[tuple[int, str]]:
    with every_office(), connection.cursor() as cursor:
        cursor.execute(NEXT.format(table=table), [after, DIGESTS_PER_QUERY])
        return list(cursor.fetchall())
