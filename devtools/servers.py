"""PostgreSQL and Valkey for one purpose, unless DATABASE_URL and REDIS_URL name servers."""

from __future__ import annotations

import os
from dataclasses import dataclass

from devtools.console import CannotContinueError
from devtools.passwords import Passwords, new_passwords, remembered_passwords
from devtools.ports import free_port
from devtools.postgres import start_postgres
from devtools.processes import ChildProcesses
from devtools.valkey import start_valkey

Environment = dict[str, str]


@dataclass(frozen=True)
class Purpose:
    """The purpose of the servers; each has its own folders."""

    name: str
    is_kept: bool = False  # the rows stay for the next run
    is_durable: bool = True  # commits survive a power cut, as in production


DEMO = Purpose("demo", is_kept=True)
TEST = Purpose("test", is_durable=False)
FAST_TEST = Purpose("fast", is_kept=True, is_durable=False)
PLANTED = Purpose("planted", is_kept=True, is_durable=False)
BENCH = Purpose("bench", is_kept=True)
PURPOSES = (DEMO, TEST, FAST_TEST, PLANTED, BENCH)


def start_servers(
    environment: Environment, children: ChildProcesses, passwords: Passwords, purpose: Purpose
) -> None:
    """Start the servers that the environment does not name yet, and name them there."""
    if not environment.get("REDIS_URL"):
        port = free_port()
        environment["REDIS_URL"] = f"redis://:{passwords.redis}@127.0.0.1:{port}/0"
        start_valkey(port, passwords.redis, children, purpose.name)
    if not environment.get("DATABASE_URL"):
        port = free_port()
        start_postgres(
            port,
            passwords,
            children,
            purpose.name,
            is_kept=purpose.is_kept,
            is_durable=purpose.is_durable,
        )
        for name, role, password in (
            ("DATABASE_URL", "portal", passwords.role),
            ("DATABASE_OWNER_URL", "portal_owner", passwords.owner),
        ):
            environment[name] = f"postgres://{role}:{password}@127.0.0.1:{port}/portal"
    elif not environment.get("DATABASE_OWNER_URL"):
        raise CannotContinueError(
            "DATABASE_URL names a PostgreSQL of yours: name the owner of its tables too, "
            "in DATABASE_OWNER_URL."
        )


def environment_of_tests(children: ChildProcesses, purpose: Purpose) -> Environment:
    """Start servers that nobody else uses; return the environment that names them."""
    passwords = remembered_passwords() if purpose.is_kept else new_passwords()
    environment = dict(
        os.environ,
        PORTAL_SECRET_KEY=passwords.key,
        PORTAL_URL="http://localhost:8000",
        PORTAL_DEMO="0",
        PORTAL_STATIC_FROM_SOURCE="1",
        PORTAL_MAIL_DIR="",
    )
    start_servers(environment, children, passwords, purpose)
    return environment


def without_owner(environment: Environment) -> Environment:
    """Return the environment of web processes and workers, which know no owner or superuser."""
    others = ("DATABASE_OWNER_URL", "DATABASE_SUPERUSER_URL")
    return {name: value for name, value in environment.items() if name not in others}


def environment_without_servers() -> Environment:
    """Return the environment that the settings need, for commands that use no server."""
    nowhere = "postgres://nowhere/nowhere"
    defaults = {
        "PORTAL_SECRET_KEY": "not-secret",
        "PORTAL_URL": "http://localhost:8000",
        "DATABASE_URL": nowhere,
        "REDIS_URL": "redis://nowhere",
    }
    return {**defaults, **os.environ}
