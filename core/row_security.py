"""Row security: set the office whose documents the database shows to this transaction.

The policies of the document tables compare the office of each row with the setting `portal.office`.
A page sets it with `office_scope(request.office.pk)`; ingest and regular jobs set
`portal.every_office` with `every_office()`. The API puts `SCOPE_SQL` before its
statement, with the office of the consent. Without it a query finds no document, so a view that
forgot its filter shows nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

# Sent before a query in the same round trip, so that both run in one implicit transaction.
SCOPE_SQL = "select set_config('portal.office', %(scope)s, true);"


@contextmanager
def office_scope(office_id: int) -> Iterator[None]:
    """Open a transaction that sees the documents of one office."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select set_config('portal.office', %s, true)", [str(office_id)])
        yield


@contextmanager
def every_office() -> Iterator[None]:
    """Open a transaction that sees all documents: for ingest and regular jobs, never for a page."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select set_config('portal.every_office', 'on', true)")
        yield
