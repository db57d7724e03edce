"""PgBouncer between the web processes of the tests and PostgreSQL, as docs/operations/growing.md has it.

`portal.py test --pgbouncer session tests/partner_api` runs these tests through it.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from devtools.ports import free_port
from devtools.postgres import unprivileged_account

ROOT = Path(__file__).resolve().parent.parent
PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
MODES = ("session", "transaction")


def version() -> tuple[int, ...]:
    """The version that is installed: (1, 18, 0)."""
    told = subprocess.run([str(PGBOUNCER), "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"PgBouncer (\d+)\.(\d+)\.(\d+)", told.stdout)
    assert found is not None, told.stdout
    return tuple(int(part) for part in found.groups())


def configuration(mode: str, port: int, database: str, users: Path) -> str:
    """The example of the docs, with this machine's ports and files."""
    page = (ROOT / "docs/operations/growing.md").read_text()
    example = re.search(r"```ini\n(.*?)```", page, re.DOTALL)
    assert example is not None
    text = example[1]
    at = urlsplit(database)
    for ours, here in {
        "portal = host=10.0.0.5 port=5432": f"* = host={at.hostname} port={at.port}",
        "listen_addr = 10.0.0.4": "listen_addr = 127.0.0.1",
        "listen_port = 6432": f"listen_port = {port}",
        "/etc/pgbouncer/userlist.txt": str(users),
        "pool_mode = session": f"pool_mode = {mode}",
    }.items():
        assert ours in text, ours
        text = text.replace(ours, here)
    if version() >= (1, 21):
        text += "max_prepared_statements = 100\n"
    return text


@contextmanager
def pooled(mode: str, database: str) -> Iterator[str]:
    """A PgBouncer in front of this database, until the end of the block; gives its address."""
    if PGBOUNCER is None:
        pytest.fail("no pgbouncer (Debian: apt install pgbouncer)")
    at, port = urlsplit(database), free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        users, settings = folder / "userlist.txt", folder / "pgbouncer.ini"
        users.write_text(f'"{at.username}" "{at.password}"\n')
        settings.write_text(configuration(mode, port, database, users))
        command = [PGBOUNCER, str(settings)]
        if account := unprivileged_account():
            for path in (folder, users, settings):
                os.chown(path, account.pw_uid, account.pw_gid)
            command = [PGBOUNCER, "--user", account.pw_name, str(settings)]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _wait(port, process, folder / "log")
            yield f"postgres://{at.username}:{at.password}@127.0.0.1:{port}{at.path}"
        finally:
            process.terminate()
            process.wait(10)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _try in range(100):
        assert process.poll() is None, log.read_text()
        with socket.socket() as line:
            if line.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(log.read_text())
