"""Row-security scope: which office's documents the database shows to this transaction.

The policies of the document tables compare each row's office with the setting `portal.office`.
Without a scope a query finds nothing, so a view that forgot its filter shows nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

# Sent in front of a query in the same round trip: both then run in one implicit transaction.
SCOPE_SQL = "select set_config('portal.office', %(scope)s, true);"


@contextmanager
def office_scope(office_id: int) -> Iterator[None]:
    """Open a transaction that sees the documents of one office."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select set_config('portal.office', %s, true)", [str(office_id)])
        yield


@contextmanager
def every_office() -> Iterator[None]:
    """Open a transaction that sees all documents: for filing and housekeeping, never for a page."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select set_config('portal.every_office', 'on', true)")
        yield
