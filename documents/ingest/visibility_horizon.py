"""The visibility horizon: software that polls must not miss a document that commits late.

Rows can commit in another order than their `available_at` says. Software that searched up to a
moment in between would never see the late ones. So each batch first commits a row that says when it
began, and only then do its documents get their time. The default end of a search is the horizon:
the start of the oldest batch that has not committed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from documents.models import IngestBatch

# The first key of our advisory locks; the second is the id of the batch.
LOCK = 20_001


@contextmanager
def horizon_held_back() -> Iterator[None]:
    """Commit the documents of the block while the horizon waits; only outside a transaction."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        batch = IngestBatch.objects.create()
        # The session holds it: when this process dies, `remove_dead_batches` can tell.
        cursor.execute("select pg_advisory_lock(%s, %s)", [LOCK, batch.pk])
    try:
        with transaction.atomic(durable=True):
            yield
    finally:
        key = batch.pk
        batch.delete()
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_unlock(%s, %s)", [LOCK, key])


def remove_dead_batches() -> int:
    """Remove the batches of killed processes, so that the horizon moves on; return how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "delete from documents_ingestbatch where pg_try_advisory_xact_lock(%s, id::int)",
            [LOCK],
        )
        return int(cursor.rowcount)
