"""Statements without Django's cursor, for the hot path.

A statement that finds one row by its key never changes. So the server reads and plans it once for
each connection: the look-up of a token takes 75 µs instead of 600. Lists are not prepared: the best
plan depends on the search, and one plan for all costs six times the CPU.

Both functions raise Django's errors and are counted in its query log.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections

Rows = list[tuple[Any, ...]]


def point_query(*statements: str, **parameters: Any) -> Rows:
    """Run prepared statements in one round trip and one transaction; return the last one's rows.

    Placeholders are `%(name)s`. Each statement must return rows.
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
    """Run statements separated by `;` in one round trip and transaction; return the rows of each.

    They are planned each time, like Django's own.
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
    """The connection of this thread: Django's, and the psycopg connection inside it."""
    ours = connections[DEFAULT_DB_ALIAS]
    ours.close_if_health_check_failed()
    ours.ensure_connection()
    return ours, ours.connection


def _execute(
    ours: Any, cursor: psycopg.Cursor[Any], statement: str, parameters: dict[str, Any]
) -> None:
    """Run it on a cursor of psycopg: Django's never prepares and doubles the cost."""
    watched = ours.queries_logged or ours.execute_wrappers
    (ours.make_debug_cursor(cursor) if watched else cursor).execute(statement, parameters)
