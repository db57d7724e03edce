"""Fill a table quickly: its rows first, its indexes and foreign keys after them.

Indexes and constraints that are dropped are read from the database and made again as they were.
The table is emptied in the transaction that fills it, so that PostgreSQL writes no log of the rows
where its `wal_level` is `minimal`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from psycopg import Connection, sql

# The primary key stays: other tables refer to it, and rows come in its order.
CONSTRAINTS = """
    select conname, pg_get_constraintdef(oid) from pg_constraint
    where conrelid = %s::regclass and contype in ('u', 'f') order by contype desc, conname
"""
INDEXES = """
    select i.relname, pg_get_indexdef(i.oid) from pg_index x join pg_class i on i.oid = x.indexrelid
    where x.indrelid = %(table)s::regclass and not exists (
        select 1 from pg_constraint where conindid = i.oid and conrelid = %(table)s::regclass
    ) order by i.relname
"""
# Of this session alone: room to sort, and a second process for each index.
QUICK = "set maintenance_work_mem = '1GB'; set max_parallel_maintenance_workers = 1"
LEAST_BETWEEN_LINES = 5.0


class Part(NamedTuple):
    """An index or a constraint, with the statements that take it away and make it again."""

    name: str
    drop: sql.Composed
    make: sql.Composed


@contextmanager
def bare(connection: Connection, table: str) -> Iterator[None]:
    """In here the table is empty, without indexes, foreign keys and row security for its owner."""
    parts = _parts(connection, table)
    names = {"table": sql.Identifier(table)}
    lift = sql.SQL("alter table {table} {word} row level security")
    connection.execute(QUICK)
    with connection.transaction():
        for part in parts:
            connection.execute(part.drop)
        connection.execute(sql.SQL("truncate {table} cascade").format(**names))
        connection.execute(lift.format(**names, word=sql.SQL("no force")))
        yield
        for part in parts:
            began = time.monotonic()
            connection.execute(part.make)
            _say(f"{part.name} made in {time.monotonic() - began:.0f} s")
        connection.execute(lift.format(**names, word=sql.SQL("force")))


def in_batches(count: int, size: int) -> Iterable[range]:
    """Ranges up to `count`; every few seconds a line says how far they are."""
    began = told = time.monotonic()
    for start in range(0, count, size):
        yield range(start, min(start + size, count))
        if (now := time.monotonic()) - told > LEAST_BETWEEN_LINES:
            done, told = min(start + size, count), now
            _say(f"{done:,} of {count:,} rows, {done / (now - began):,.0f} a second")


def _parts(connection: Connection, table: str) -> list[Part]:
    on = sql.Identifier(table)
    indexes = [
        Part(name, sql.SQL("drop index {}").format(sql.Identifier(name)), _raw(definition))
        for name, definition in connection.execute(INDEXES, {"table": table}).fetchall()
    ]
    constraints = [
        Part(
            name,
            sql.SQL("alter table {} drop constraint {}").format(on, sql.Identifier(name)),
            sql.SQL("alter table {} add constraint {} {}").format(
                on, sql.Identifier(name), _raw(definition)
            ),
        )
        for name, definition in connection.execute(CONSTRAINTS, [table]).fetchall()
    ]
    return indexes + constraints


def _raw(definition: str) -> sql.Composed:
    """The database's own words."""
    return sql.Composed([sql.SQL(definition)])


def _say(line: str) -> None:
    print(line, flush=True)
