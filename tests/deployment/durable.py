"""A PostgreSQL that keeps what it acknowledged and a Valkey, both of our own: to be killed."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.db import connection

import portal


class Server:
    """A server that portal.py started, and starts again with the same command."""

    def __init__(self, children: portal.Children, account: Any) -> None:
        self.children, self.account = children, account
        self.name, self.process, _log, self.end_with = children.running[-1]
        self.starts = 1

    @property
    def is_dead(self) -> bool:
        return self.process.poll() is not None

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def start(self) -> None:
        self.starts += 1
        command = self.process.args
        self.children.running = [one for one in self.children.running if one[0] != self.name]
        self.children.start(self.name, command, os.environ, self.account, self.end_with)
        self.process = self.children.running[-1][1]


class Durable:
    """As durable as in production: with fsync, and every commit on the disk before its answer."""

    def __init__(self, purpose: str) -> None:
        self.purpose = purpose
        self.children = portal.Children()
        known = {name: secrets.token_hex(16) for name in ("superuser", "role", "redis")}
        redis_port, self.port = portal.free_port(), portal.free_port()
        portal.start_valkey(redis_port, known["redis"], self.children, purpose)
        self.redis = Server(self.children, None)
        portal.start_postgres(self.port, known, self.children, purpose)
        self.postgres = Server(self.children, portal.unprivileged_account())
        self.known = known
        self.redis_url = f"redis://:{known['redis']}@127.0.0.1:{redis_port}/0"
        self.database_url = f"postgres://portal:{known['role']}@127.0.0.1:{self.port}/portal"

    def superuser(self, program: str, *words: str) -> None:
        """Run a program of PostgreSQL as the docs say: as a superuser."""
        command = [self._program(program), "-h", "127.0.0.1", "-p", str(self.port)]
        environment = os.environ | {"PGPASSWORD": self.known["superuser"], "PGUSER": "postgres"}
        subprocess.run([*command, *words], env=environment, check=True)

    def copy_tables(self, source: str) -> None:
        """The tables of a migrated database, with what its migrations wrote.

        To migrate anew takes 15 times as long.
        """
        written = "--data-only --table=django_migrations --table=consents_terms*"
        for what in ("--schema-only", written):
            dump = [self._program("pg_dump"), "--no-owner", "--no-privileges", *what.split()]
            made = subprocess.run([*dump, source], capture_output=True, check=True)
            load = [
                self._program("psql"),
                "--quiet",
                "--single-transaction",
                "--set=ON_ERROR_STOP=1",
            ]
            quiet = subprocess.DEVNULL
            subprocess.run([*load, self.database_url], input=made.stdout, stdout=quiet, check=True)

    def _program(self, name: str) -> str:
        folder = portal.private_folder(self.purpose)
        return str(Path(portal.postgres_programs(folder, portal.unprivileged_account())) / name)

    def stop(self) -> None:
        self.children.stop()
        shutil.rmtree(portal.private_folder(self.purpose), ignore_errors=True)
        shutil.rmtree(Path(portal.VAR) / f"valkey-{self.purpose}", ignore_errors=True)


@contextmanager
def durable() -> Iterator[Durable]:
    servers = Durable(f"kills-{os.getpid()}")
    try:
        yield servers
    finally:
        servers.stop()


@contextmanager
def rows_of(servers: Durable) -> Iterator[None]:
    """Until the end of the block the rows that this process reads and writes are theirs."""
    at = connection.settings_dict
    before = {name: at[name] for name in ("HOST", "PORT", "NAME", "USER", "PASSWORD")}
    theirs = {"HOST": "127.0.0.1", "PORT": servers.port, "NAME": "portal", "USER": "portal"}
    connection.close()
    at.update(theirs, PASSWORD=servers.known["role"])
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
