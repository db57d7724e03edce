"""Remove stored bytes that no row names: a batch that is killed before its rows leaves some."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice

from django.db import connection, transaction

from core.row_security import every_office
from documents.storage.blobs import remove, storage

# Every batch shares it from its first byte to its commit; a removal needs it exclusively.
LOCK = (20_002, 0)
DAY = 24 * 3600
# How many files one removal checks while batches wait for it.
DIGESTS_PER_QUERY = 500
NAMED = """
    select sha256 from documents_content where sha256 = any(%(digests)s)
    union all
    select sha256 from documents_attachment where sha256 = any(%(digests)s)
    union all
    select sha256 from documents_quarantinedfile
    where sha256 = any(%(digests)s) and state = 'waiting'
"""


@contextmanager
def garbage_collection_paused() -> Iterator[None]:
    """Remove no bytes while the block runs, so that it can rely on bytes that are stored."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock_shared(%s, %s)", LOCK)
    try:
        yield
    finally:
        # On another connection the lock went with the one before.
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_unlock_shared(%s, %s)", LOCK)


def pause_for_transaction() -> None:
    """Remove no bytes before this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock_shared(%s, %s)", LOCK)


def shards() -> list[str]:
    """The parts of the storage: the first two digits of the digests."""
    return [f"{number:02x}" for number in range(256)]


def collect(shard: str, older_than: float = DAY) -> int:
    """Remove the bytes of one shard that no row names and that are so many seconds old."""
    removed = storage().remove_unfinished(older_than)
    found = storage().older_than(shard, older_than)
    while digests := list(islice(found, DIGESTS_PER_QUERY)):
        removed += remove_unreferenced(digests)
    return removed


def remove_unreferenced(digests: Iterable[str]) -> int:
    """Remove the bytes that no row names, while no batch is between its bytes and its rows."""
    digests = list(digests)
    with transaction.atomic(), every_office(), connection.cursor() as cursor:
        # A batch takes a second or two; one that hangs must not stop the others behind us.
        cursor.execute("set local lock_timeout = '20s'")
        cursor.execute("select pg_advisory_xact_lock(%s, %s)", LOCK)
        cursor.execute(NAMED, {"digests": digests})
        named = {sha256 for (sha256,) in cursor.fetchall()}
        unreferenced = [digest for digest in digests if digest not in named]
        for digest in unreferenced:
            remove(digest)
    return len(unreferenced)
