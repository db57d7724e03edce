"""The clock of the database. Only it decides what is over: a web server's clock may be wrong."""

from __future__ import annotations

from datetime import datetime

from django.db import connection


def database_time() -> datetime:
    """Ask the database for the time of this statement."""
    with connection.cursor() as cursor:
        cursor.execute("select statement_timestamp()")
        at: datetime = cursor.fetchone()[0]
    return at
