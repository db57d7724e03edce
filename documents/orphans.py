"""Bytes that no row names: of a batch that was killed between its bytes and its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice

from django.db import connection, transaction

from accounts.tenancy import every_office
from documents.storage import remove, storage

# Shared by every batch from its first byte to its commit; a removal needs it alone.
LOCK = (20_002, 0)
DAY = 24 * 3600
# How many files one removal looks at while batches wait for it.
TOGETHER = 500
NAMED = """
    select sha256 from documents_content where sha256 = any(%(digests)s)
    union all
    select sha256 from documents_quarantined
    where sha256 = any(%(digests)s) and state = 'waiting'
"""


@contextmanager
def holding_off_the_sweep() -> Iterator[None]:
    """While the block runs no bytes are removed: what is there already may be relied on."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock_shared(%s, %s)", LOCK)
    try:
        yield
    finally:
        # On another connection the lock went with the one before.
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_unlock_shared(%s, %s)", LOCK)


def shards() -> list[str]:
    """The parts in which bytes lie: the first two digits of their digests."""
    return [f"{number:02x}" for number in range(256)]


def sweep(shard: str, older_than: float = DAY) -> int:
    """Remove the orphans of one shard that are so many seconds old; return how many."""
    removed = storage().forget_unfinished(older_than)
    found = storage().old(shard, older_than)
    while digests := list(islice(found, TOGETHER)):
        removed += remove_unnamed(digests)
    return removed


def remove_unnamed(digests: Iterable[str]) -> int:
    """Remove those that no row names, while no batch is between its bytes and its rows."""
    digests = list(digests)
    with transaction.atomic(), every_office(), connection.cursor() as cursor:
        # A batch takes a second or two; one that hangs must not stop the others behind us.
        cursor.execute("set local lock_timeout = '20s'")
        cursor.execute("select pg_advisory_xact_lock(%s, %s)", LOCK)
        cursor.execute(NAMED, {"digests": digests})
        named = {sha256 for (sha256,) in cursor.fetchall()}
        orphans = [digest for digest in digests if digest not in named]
        for digest in orphans:
            remove(digest)
    return len(orphans)
