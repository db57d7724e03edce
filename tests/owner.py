"""What only the owner of the tables can do: for tests of what happens when somebody did it.

The tests run as the portal's own role. In their database the owner left a function that runs a
statement as the owner, so that it belongs to the transaction of the test.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction
from psycopg import ClientCursor


def make_tests_able() -> None:
    """Leave the function in the test database."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("""
            create or replace function tests_as_owner(statement text) returns void
            language plpgsql security definer as $$ begin execute statement; end $$
        """)


def as_owner(statement: str, parameters: Sequence[Any] = ()) -> None:
    """Run a statement as the owner of the tables, in the transaction of the test."""
    with connection.cursor() as cursor:
        whole = ClientCursor(cursor.connection).mogrify(statement, parameters or None)
        cursor.execute("select tests_as_owner(%s)", [whole])


def refused_to_owner(statement: str) -> str:
    """Run a statement that a trigger must stop, even for the owner; return what the database says."""
    # Deferred foreign key checks of this transaction would refuse first.
    connection.check_constraints()
    with pytest.raises(DatabaseError) as error, transaction.atomic():
        as_owner(statement)
    return str(error.value)


@contextmanager
def rules_off(*tables: str) -> Iterator[None]:
    """Switch the triggers of these tables off until the end of the block."""
    connection.check_constraints()
    for table in tables:
        as_owner(f"alter table {table} disable trigger user")
    yield
    connection.check_constraints()
    for table in tables:
        as_owner(f"alter table {table} enable trigger user")
