"""A PostgreSQL that keeps what it acknowledged and a Valkey, both of our own: to be killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pwd import struct_passwd

from django.db import connection
from psycopg import connect

from core.rights import statements
from devtools.passwords import new_passwords
from devtools.ports import free_port
from devtools.postgres import (
    find_programs,
    private_folder,
    start_postgres,
    unprivileged_account,
)
from devtools.processes import ChildProcess, ChildProcesses
from devtools.valkey import data_folder, start_valkey


class Server:
    """A server that devtools started; it starts again with the same command."""

    def __init__(
        self, child: ChildProcess, children: ChildProcesses, account: struct_passwd | None
    ) -> None:
        self.child, self.children, self.account = child, children, account
        self.starts = 1

    @property
    def name(self) -> str:
        return self.child.name

    @property
    def is_dead(self) -> bool:
        return self.child.is_dead

    def kill(self) -> None:
        self.child.process.send_signal(signal.SIGKILL)
        self.child.process.wait()

    def start(self) -> None:
        self.starts += 1
        dead = self.child
        self.children.running.remove(dead)
        command = [str(word) for word in dead.process.args]  # type: ignore[union-attr]
        self.child = self.children.start(
            dead.name, command, os.environ, self.account, dead.stop_signal
        )


class Durable:
    """As durable as in production: with fsync, and every commit on the disk before its answer."""

    def __init__(self, purpose: str) -> None:
        self.purpose = purpose
        self.children = ChildProcesses()
        self.passwords = new_passwords()
        role, redis = self.passwords.role, self.passwords.redis
        redis_port, self.port = free_port(), free_port()
        self.redis = Server(
            start_valkey(redis_port, redis, self.children, purpose), self.children, None
        )
        self.postgres = Server(
            start_postgres(self.port, self.passwords, self.children, purpose),
            self.children,
            unprivileged_account(),
        )
        self.redis_url = f"redis://:{redis}@127.0.0.1:{redis_port}/0"
        at = f"127.0.0.1:{self.port}/portal"
        self.database_url = f"postgres://portal:{role}@{at}"
        self.owner_url = f"postgres://portal_owner:{self.passwords.owner}@{at}"

    def superuser_url(self, database: str) -> str:
        return f"postgres://postgres:{self.passwords.superuser}@127.0.0.1:{self.port}/{database}"

    @property
    def programs(self) -> str:
        """The folder of `pg_dump` and `pg_restore`, of the server's own version."""
        return str(find_programs(private_folder(self.purpose), unprivileged_account()))

    def superuser(self, program: str, *words: str) -> None:
        """Run a program of PostgreSQL as the docs say: as a superuser."""
        command = [self._program(program), "-h", "127.0.0.1", "-p", str(self.port)]
        environment = os.environ | {"PGPASSWORD": self.passwords.superuser, "PGUSER": "postgres"}
        subprocess.run([*command, *words], env=environment, check=True)

    def copy_tables(self, source: str) -> None:
        """The tables of a migrated database, with what its migrations wrote, and the rights."""
        load_tables(
            self._program("psql"), self.owner_url, dump_tables(self._program("pg_dump"), source)
        )

    def _program(self, name: str) -> str:
        return f"{self.programs}/{name}"

    def stop(self) -> None:
        self.children.stop()
        shutil.rmtree(private_folder(self.purpose), ignore_errors=True)
        shutil.rmtree(data_folder(self.purpose), ignore_errors=True)


def dump_tables(pg_dump: str, source: str) -> list[bytes]:
    """The tables of a migrated database, and what its migrations wrote; `load_tables` takes them.

    To migrate anew takes 15 times as long.
    """
    written = "--data-only --table=django_migrations --table=consents_terms*"
    return [
        subprocess.run(
            [pg_dump, "--no-owner", "--no-privileges", *what.split(), source],
            capture_output=True,
            check=True,
        ).stdout
        for what in ("--schema-only", written)
    ]


def load_tables(psql: str, owner_url: str, dumped: list[bytes]) -> None:
    """Make the tables of `dump_tables` in an empty database, with the rights of the portal."""
    load = [psql, "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", owner_url]
    for one in dumped:
        subprocess.run(load, input=one, stdout=subprocess.DEVNULL, check=True)
    with connect(owner_url) as owner:
        rows = owner.execute("select tablename from pg_tables where schemaname = 'public'")
        tables = {str(name) for (name,) in rows}
        for statement in statements("portal", owner.info.server_version, tables):
            owner.execute(statement)


@contextmanager
def durable() -> Iterator[Durable]:
    servers = Durable(f"kills-{os.getpid()}")
    try:
        yield servers
    finally:
        servers.stop()


@contextmanager
def rows_of(servers: Durable, database: str = "portal") -> Iterator[None]:
    """Until the end of the block the rows that this process reads and writes are theirs."""
    at = connection.settings_dict
    before = {name: at[name] for name in ("HOST", "PORT", "NAME", "USER", "PASSWORD")}
    theirs = {"HOST": "127.0.0.1", "PORT": servers.port, "NAME": database, "USER": "portal"}
    connection.close()
    at.update(theirs, PASSWORD=servers.passwords.role)
    try:
        yield
    finally:
        connection.close()
        at.update(before)


def wait_for_the_database(seconds: float = 60) -> None:
    """Until this process reaches it again after a kill."""
    end = time.monotonic() + seconds
    while True:
        connection.close()
        with suppress(Exception):
            connection.ensure_connection()
            return
        assert time.monotonic() < end, "the database does not come back"
        time.sleep(0.1)
