"""Bare statements for the paths where a microsecond counts.

What finds one row by its key is the same statement each time, so the server reads and plans it
once for each connection: the look-up of a token takes 75 µs then instead of 600. Lists are no such
thing: the best plan depends on what is asked, and one that fits all costs six times the CPU.

Both raise as Django does and are counted in its query log.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections

Rows = list[tuple[Any, ...]]


def point_query(*statements: str, **parameters: Any) -> Rows:
    """Run statements, prepared, in one round trip and one transaction; the rows of the last.

    Placeholders are `%(name)s`; each statement gives rows.
    """
    ours, line = _connection()
    with ours.wrap_database_errors:
        # In a pipeline a statement that fails raises when the block ends.
        with line.pipeline() if statements[1:] else nullcontext():
            for statement in statements:
                cursor = psycopg.Cursor(line)
                _execute(ours, cursor, statement, parameters)
        return cursor.fetchall()


def list_query(statements: str, **parameters: Any) -> list[Rows]:
    """Run statements, parted by `;`, in one round trip and one transaction; the rows of each.

    They are planned for what is asked, as Django's own are.
    """
    ours, line = _connection()
    with ours.wrap_database_errors:
        cursor = psycopg.ClientCursor(line)
        _execute(ours, cursor, statements, parameters)
        found = [cursor.fetchall()]
        while cursor.nextset():
            found.append(cursor.fetchall())
    return found


def _connection() -> tuple[Any, psycopg.Connection]:
    """This thread's: Django's, and psycopg's below it."""
    ours = connections[DEFAULT_DB_ALIAS]
    ours.close_if_health_check_failed()
    ours.ensure_connection()
    return ours, ours.connection


def _execute(
    ours: Any, cursor: psycopg.Cursor[Any], statement: str, parameters: dict[str, Any]
) -> None:
    """Django's cursors would never prepare, and cost as much as psycopg's below them."""
    watched = ours.queries_logged or ours.execute_wrappers
    (ours.make_debug_cursor(cursor) if watched else cursor).execute(statement, parameters)
