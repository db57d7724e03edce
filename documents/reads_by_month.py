"""The months of the access log: added ahead, dropped as a whole when their time is over.

Two functions of the database do it, with the rights of the tables' owner and limits of their own
(documents/migrations/0017_keep_reads_by_month.py): this role can neither make nor drop a table.
"""

from __future__ import annotations

from django.conf import settings
from django.db import connection, transaction

# At most so many months in one run: where the job did not run for long, the next nights go on.
MOST = 12


def add_months() -> int:
    """Make the months up to three ahead, and months for reads that had none; return how many.

    Raises OperationalError when a long search keeps it waiting for two seconds; nothing is changed
    then, and reads without a month are kept until it succeeds.
    """
    return _number("select documents_add_months_of_reads()")


def drop_old_months() -> int:
    """Drop the months that were kept for their time; return how many.

    A month goes only when as many later months have reads as the log is kept for, so a clock that
    runs ahead empties nothing. Each is a transaction, which waits at most a second for its lock.
    """
    for dropped in range(MOST):
        if not _number(
            "select documents_drop_month_of_reads(%s)", settings.PORTAL_ACCESS_LOG_MONTHS
        ):
            return dropped
    return MOST


def months_ahead() -> int:
    """How many months after the present one the log has."""
    return _number("""
        select count(*) from pg_inherits join pg_class on pg_class.oid = inhrelid
        where inhparent = 'documents_documentread'::regclass
          and relname ~ '^documents_documentread_[0-9]{4}_[0-9]{2}$'
          and right(relname, 7) > to_char(now() at time zone 'UTC', 'YYYY_MM')
    """)


def _number(statement: str, *parameters: int) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return int(cursor.fetchone()[0])
