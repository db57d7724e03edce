"""A primary and a standby that has every commit before the portal says that it is done."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from psycopg import connect

from devtools.passwords import new_passwords
from devtools.postgres import (
    find_programs,
    private_folder,
    start_postgres,
    unprivileged_account,
)
from devtools.processes import ChildProcess, ChildProcesses, become
from tests.deployment.durable import load_tables
from tests.hosts.network import ADDRESSES, Network

PORT = 5432
PRIMARY, STANDBY = ADDRESSES["db1"]["data"], ADDRESSES["db2"]["data"]
# A host that is left out of this list is refused; the standby is the only one that must confirm.
WHO_MAY = (
    "host all all 10.77.2.0/24 scram-sha-256\nhost replication all 10.77.2.0/24 scram-sha-256\n"
)


class Databases:
    """The primary is on the host db1, the standby on db2."""

    def __init__(self, network: Network, dumped: list[bytes]) -> None:
        """Start both; the primary gets the tables of `dumped`."""
        self.network, self.children = network, ChildProcesses()
        self.purpose = f"hosts-{os.getpid()}"
        self.passwords = new_passwords()
        self.account = unprivileged_account()
        self.folder = private_folder(self.purpose)
        with network.inside("db1"):
            self._start_primary()
            load_tables(f"{self.programs}/psql", self._url(PRIMARY, "portal_owner"), dumped)
        with network.inside("db2"):
            self._start_standby()
        with network.inside("db1"):
            self._as_superuser(PRIMARY, "alter system set synchronous_standby_names = 'standby'")
            self._as_superuser(PRIMARY, "select pg_reload_conf()")

    @property
    def url(self) -> str:
        """The address for the portal: both hosts, of which the one that can be written counts."""
        at = f"{PRIMARY}:{PORT},{STANDBY}:{PORT}/portal"
        return f"postgres://portal:{self.passwords.role}@{at}?target_session_attrs=read-write"

    def lose_primary(self) -> None:
        """Its host loses power: nothing of it answers, and nobody is told."""
        self.network.cut("db1")
        os.killpg(self.primary.process.pid, signal.SIGKILL)
        self.primary.process.wait()

    def promote(self) -> None:
        with self.network.inside("db2"):
            assert self._as_superuser(STANDBY, "select pg_promote()") == (True,)

    def replication(self) -> Any:
        """Whether the primary waits for the standby, in PostgreSQL's own word."""
        with self.network.inside("db1"):
            return self._as_superuser(PRIMARY, "select sync_state from pg_stat_replication")

    def stop(self) -> None:
        self.children.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start_primary(self) -> None:
        """As the demo's server, which makes the roles; then anew, for the other hosts too."""
        first = start_postgres(PORT, self.passwords, self.children, self.purpose)
        self.programs = find_programs(self.folder, self.account)
        with (self.folder / "data" / "pg_hba.conf").open("a") as file:
            file.write(WHO_MAY)
        first.stop()
        self.children.running.remove(first)
        assert isinstance(first.process.args, list)
        words = [str(word) for word in first.process.args]
        self.primary = self._start(
            f"postgres-{self.purpose}-primary",
            [word.replace("listen_addresses=127.0.0.1", "listen_addresses=*") for word in words],
        )
        self._wait(PRIMARY, self.primary)

    def _start_standby(self) -> None:
        data = self.folder / "standby"
        source = f"host={PRIMARY} port={PORT} user=postgres password={self.passwords.superuser}"
        subprocess.run(
            [
                *(f"{self.programs}/pg_basebackup", "-D", str(data), "--checkpoint=fast"),
                *("-R", "-d", f"{source} application_name=standby"),
            ],
            cwd="/",
            check=True,
            preexec_fn=lambda: become(self.account, signal.SIGTERM),
        )
        words = [str(word) for word in self.primary.process.args]  # type: ignore[union-attr]
        at = words.index(str(self.folder / "data"))
        self.standby = self._start(
            f"postgres-{self.purpose}-standby", [*words[:at], str(data), *words[at + 1 :]]
        )
        self._wait(STANDBY, self.standby)

    def _start(self, name: str, command: list[str]) -> ChildProcess:
        return self.children.start(name, command, os.environ, self.account, signal.SIGINT)

    def _wait(self, host: str, child: ChildProcess) -> None:
        command = [f"{self.programs}/pg_isready", "-q", "-h", host, "-p", str(PORT), "-t", "5"]
        while subprocess.run(command, check=False).returncode != 0:
            child.refuse_dead()

    def _url(self, host: str, role: str) -> str:
        passwords = {"postgres": self.passwords.superuser, "portal_owner": self.passwords.owner}
        return f"postgres://{role}:{passwords[role]}@{host}:{PORT}/portal"

    def _as_superuser(self, host: str, statement: str) -> Any:
        with connect(self._url(host, "postgres"), autocommit=True) as line:
            done = line.execute(statement)
            return done.fetchone() if done.description else None


@contextmanager
def databases(network: Network, dumped: list[bytes]) -> Iterator[Databases]:
    pair = Databases(network, dumped)
    try:
        yield pair
    finally:
        pair.stop()


@contextmanager
def rows_of_the_primary(pair: Databases) -> Iterator[None]:
    """Until the end of the block the rows of this process are those of the hosts."""
    at = connection.settings_dict
    before = dict(at)
    connection.close()
    at.update(
        HOST=f"{PRIMARY},{STANDBY}",
        PORT=f"{PORT},{PORT}",
        NAME="portal",
        PASSWORD=pair.passwords.role,
        OPTIONS={**at["OPTIONS"], "target_session_attrs": "read-write"},
    )
    try:
        yield
    finally:
        connection.close()
        at.update(before)
