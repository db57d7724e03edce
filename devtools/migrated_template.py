"""A migrated database that the test databases are copies of: migrating takes much longer.

`test-fast` keeps it until a migration changes; `test` makes one in every run. The copies are made
in every run, so that no test sees the rows of another run.
"""

from __future__ import annotations

import hashlib
import subprocess
from urllib.parse import urlsplit

from devtools.console import CannotContinueError, say
from devtools.paths import ROOT
from devtools.postgres import find_programs, private_folder, unprivileged_account
from devtools.processes import manage
from devtools.servers import Environment, Purpose

PREFIX = "migrated_"


def make_template(environment: Environment, purpose: Purpose) -> str:
    """Return the name of the database that test databases are copied from."""
    name = PREFIX + _fingerprint()
    databases = _query(environment, purpose, "select datname from pg_database").split()
    for old in databases:
        if old.startswith(PREFIX) and old != name:
            _query(environment, purpose, f'drop database "{old}" with (force)')
    if name not in databases:
        new = f"{name}_new"
        _query(environment, purpose, f'create database "{new}"')
        if purpose.is_kept:
            say("The migrations are new or changed.")
        there = {
            url: urlsplit(environment[url])._replace(path=f"/{new}").geturl()
            for url in ("DATABASE_URL", "DATABASE_OWNER_URL")
        }
        manage("Migrating", ["migrate", "-v0"], {**environment, **there})
        # Renamed only now: a run that was interrupted leaves no half-migrated template.
        _query(environment, purpose, f'alter database "{new}" rename to "{name}"')
    return name


def _fingerprint() -> str:
    """Return a short digest of all migrations, ours and those of the pinned libraries."""
    digest = hashlib.sha256((ROOT / "requirements" / "portal.txt").read_bytes())
    for path in sorted(ROOT.glob("*/migrations/*.py")):
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _query(environment: Environment, purpose: Purpose, sql: str) -> str:
    programs = find_programs(private_folder(purpose.name), unprivileged_account())
    done = subprocess.run(
        [
            *(str(programs / "psql"), "-X", "-q", "-A", "-t", "-c", sql),
            environment["DATABASE_OWNER_URL"],
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CannotContinueError(f"PostgreSQL refused `{sql}`:\n{done.stderr}")
    return done.stdout
