"""Locks on rows, always taken in one order, and one more try after a deadlock.

docs/architecture.md, "Order of locks", explains the order: accounting software, office, membership,
company, consent, hash chain; several rows of one table by ascending key. With one order, two
transactions never wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, models
from psycopg import errors

P = ParamSpec("P")
R = TypeVar("R")

# PostgreSQL ended this transaction so that another one could continue. It was rolled back.
SENT_BACK = (errors.DeadlockDetected, errors.SerializationFailure)


class Lock(StrEnum):
    """The strength of a lock on a row. Each value is the clause of PostgreSQL."""

    # Others may change the row and add rows that point at it, but they cannot end it.
    POINT_AT = "for key share"
    CHANGE = "for no key update"
    # Nobody can add a row that points at it meanwhile.
    END = "for update"


def hold(model: type[models.Model], *keys: int, lock: Lock = Lock.POINT_AT) -> None:
    """Lock the rows with these keys, in ascending order, until the transaction ends."""
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"select id from {table} where id = any(%s) order by id {lock}",  # noqa: S608
            [sorted(keys)],
        )


def retry_deadlock(verb: Callable[P, R]) -> Callable[P, R]:
    """Run a verb once more when PostgreSQL ended its transaction in favour of another one.

    The verb is one transaction and acts outside of it only after the commit, so the first run had
    no effect. Inside an open transaction the error is raised: its owner has to start again.
    """

    @wraps(verb)
    def run(*args: P.args, **named: P.kwargs) -> R:
        outermost = not connection.in_atomic_block
        try:
            return verb(*args, **named)
        except OperationalError as error:
            if not outermost or not isinstance(error.__cause__, SENT_BACK):
                raise
        return verb(*args, **named)

    return run
