"""The two databases of a test process: one is always rolled back, one is seen by other processes.

Events and evidence cannot be deleted, by anybody, so what a test commits stays. A test that is
rolled back may count a whole table, so it never shares a database with a test that commits.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, connections
from django.test.utils import override_settings, setup_databases, teardown_databases

from tests.owner import make_tests_able

ALIASES = ("default", "owner")
COMMITTED = "_committed"  # the end of the name of the second database
# Counts in Redis are kept by the keys of rows, and both databases use the same Redis. So the keys of
# the second database begin at a million.
OTHER_KEYS = """
    select setval(format('%I.%I', schemaname, sequencename)::regclass, least(1000000, max_value / 2))
    from pg_sequences
"""


@contextmanager
def two_databases(blocker: Any, *, keepdb: bool) -> Iterator[None]:
    """Make both as the owner of the tables; the tests then connect in the portal's own role.

    pytest-django makes a database only when a collected test is marked for it. Tests that commit
    carry no mark: run alone they would write into the database of DATABASE_URL itself.
    """
    owner = connections["owner"]
    with blocker.unblock():
        made = setup_databases(
            verbosity=0, interactive=False, keepdb=keepdb, aliases={"owner": False}
        )
        connection.settings_dict["NAME"] = owner.settings_dict["NAME"]
        assert connection.settings_dict["NAME"].startswith("test_")
        make_tests_able()
        _copy(connection.settings_dict["NAME"])
    yield
    with blocker.unblock():
        _end_connections()
        _to_server(f'drop database if exists "{_committed_name()}"')
        teardown_databases(made, verbosity=0, keepdb=keepdb)


@contextmanager
def committed_database() -> Iterator[None]:
    """Use the second database in this process, with its register of what ended."""
    name, before = _committed_name(), connection.settings_dict["NAME"]
    _use(name)
    try:
        with override_settings(PORTAL_ENDED_CONSENTS_FILE=os.environ["PORTAL_ENDED_CONSENTS_FILE"]):
            yield
    finally:
        _use(before)


def address_of_database(alias: str = "default") -> str:
    """The address of the database that other processes see, for the role of this alias."""
    at = connections[alias].settings_dict
    return f"postgres://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{_committed_name()}"


def _committed_name() -> str:
    """The name of the second database, whichever of the two is in use."""
    return f"{connection.settings_dict['NAME'].removesuffix(COMMITTED)}{COMMITTED}"


def _use(name: str) -> None:
    for alias in ALIASES:
        connections[alias].close()
        connections[alias].settings_dict["NAME"] = name


def _copy(name: str) -> None:
    """Make the second database, as empty as the first."""
    _use(name)
    _to_server(f'drop database if exists "{name}{COMMITTED}"')
    _to_server(f'create database "{name}{COMMITTED}" template "{name}"')
    _use(f"{name}{COMMITTED}")
    with connections["owner"].cursor() as cursor:
        cursor.execute(OTHER_KEYS)
    _use(name)


def _to_server(statement: str) -> None:
    server = connections["owner"].copy()
    server.settings_dict["NAME"] = "postgres"
    with server.cursor() as cursor:
        cursor.execute(statement)
    server.close()


def _end_connections() -> None:
    """A web process that was just stopped may not have hung up yet. Each role ends its own."""
    name = connection.settings_dict["NAME"]
    for one in (connections[alias] for alias in ALIASES):
        with one.cursor() as cursor:
            cursor.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = any(%s) and pid <> pg_backend_pid()"
                # Autovacuum is the server's own: it disconnects by itself.
                " and backend_type = 'client backend' and usename = current_user",
                [[name, name + COMMITTED]],
            )
        one.close()
