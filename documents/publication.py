"""Publish documents so that software that polls never misses one that commits late.

Rows can commit in another order than their `available_at` says: a poller whose window ended in
between would never see them. So a batch says when it began, in a row that is committed before its
documents get their time, and the default end of a search is held back to the oldest batch that is
on its way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from documents.models import Publication

# The first key of our advisory locks; the second is the publication's id.
LOCK = 20_001


@contextmanager
def publishing() -> Iterator[None]:
    """Commit the documents of the block; only outside of any other transaction."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        publication = Publication.objects.create()
        # Held by the session: should this process die, the sweep can tell.
        cursor.execute("select pg_advisory_lock(%s, %s)", [LOCK, publication.pk])
    try:
        with transaction.atomic(durable=True):
            yield
    finally:
        key = publication.pk
        publication.delete()
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_unlock(%s, %s)", [LOCK, key])


def forget_dead_publications() -> int:
    """Remove what a killed process left behind, so that the end moves on; return how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "delete from documents_publication where pg_try_advisory_xact_lock(%s, id::int)",
            [LOCK],
        )
        return int(cursor.rowcount)
