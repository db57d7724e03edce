"""Bare statements for the paths where a microsecond counts.

What finds one row by its key is the same statement each time, so the server reads and plans it
once for each connection: the look-up of a token takes 75 µs then instead of 600. Lists are no such
thing: the best plan depends on what is asked (`documents.querysets` sends them as they are).
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections


def point_query(*statements: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """Run statements, prepared, in one round trip and one transaction; the rows of the last.

    Placeholders are `%(name)s`; each statement gives rows. Raises as Django does, and is counted
    in its query log.
    """
    ours = connections[DEFAULT_DB_ALIAS]
    ours.close_if_health_check_failed()
    ours.ensure_connection()
    line: psycopg.Connection = ours.connection
    # Django's own cursors never prepare. In its cover these are counted and raise as those do.
    cover: Any = ours.make_debug_cursor if ours.queries_logged else ours.make_cursor
    with ours.wrap_database_errors:
        # In a pipeline a statement that fails raises when the block ends.
        with line.pipeline() if statements[1:] else nullcontext():
            for statement in statements:
                cursor = psycopg.Cursor(line)
                cover(cursor).execute(statement, parameters)
        return cursor.fetchall()
