"""What the portal needs of a pooler: prepared look-ups, the office of a transaction, a time limit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest

from tests.databases import address_of_database
from tests.pooler import MODES, PGBOUNCER, pooled, version

pytestmark = pytest.mark.skipif(
    PGBOUNCER is None, reason="no pgbouncer (Debian: apt install pgbouncer)"
)


LEFT = """
    select pg_backend_pid(), current_setting('statement_timeout'),
        coalesce(current_setting('portal.office', true), ''),
        (select count(*) from pg_prepared_statements),
        (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid())
"""


@pytest.fixture(params=MODES)
def lines(request: pytest.FixtureRequest, committed: None) -> Iterator[list[psycopg.Connection]]:
    """Two connections, as two threads of a web process have them, through a pooler."""
    with pooled(request.param, address_of_database()) as url, ExitStack() as stack:
        yield [
            stack.enter_context(
                psycopg.connect(
                    url,
                    autocommit=True,
                    prepare_threshold=0,
                    options="-c statement_timeout=4000",
                )
            )
            for _thread in range(2)
        ]


def test_prepared_look_ups_work_in_session_mode_and_since_1_21_in_both(
    request: pytest.FixtureRequest, lines: list[psycopg.Connection]
) -> None:
    if "transaction" in request.node.name and version() < (1, 21):
        with pytest.raises(psycopg.errors.DatabaseError, match="prepared statement"):
            _look_up(lines)
    else:
        _look_up(lines)


def _look_up(lines: list[psycopg.Connection]) -> None:
    for _again in range(3):
        for number, line in enumerate(lines):
            assert line.execute("select %s::int + 1", [number]).fetchone() == (number + 1,)


def test_the_office_of_a_transaction_ends_with_it(lines: list[psycopg.Connection]) -> None:
    for line in lines:
        with line.transaction():
            cursor = psycopg.ClientCursor(line)
            cursor.execute("select set_config('portal.office', '7', true)")
            cursor.execute("select current_setting('portal.office', true)")
            assert cursor.fetchone() == ("7",)
    for line in lines:
        cursor = psycopg.ClientCursor(line)
        cursor.execute("select coalesce(current_setting('portal.office', true), '')")
        assert cursor.fetchone() == ("",)


def test_the_pooler_sets_the_time_limit_that_it_drops(lines: list[psycopg.Connection]) -> None:
    for line in lines:
        assert psycopg.ClientCursor(line).execute("show statement_timeout").fetchone() == ("4s",)


def test_whoever_gets_the_connection_next_finds_nothing_of_the_one_before(committed: None) -> None:
    """A waiting call gives its connection up and takes another one; a web process is replaced."""
    found = []
    with pooled("session", address_of_database()) as url:
        for _client in range(3):
            with psycopg.connect(url, autocommit=True, prepare_threshold=0) as line:
                _look_up([line])
                line.execute("select pg_advisory_lock(7)")
                line.execute("select set_config('portal.office', '7', false)")
                line.execute("set statement_timeout = 1")
            with psycopg.connect(url, autocommit=True) as line:
                cursor = psycopg.ClientCursor(line)
                cursor.execute(LEFT)
                found.append(cursor.fetchone())
    [(_connection, *left)] = set(filter(None, found))
    assert left == ["4s", "", 0, 0]
