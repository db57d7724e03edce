"""The database as its superuser sees it: `pg_dump`, `pg_restore` and a few questions."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from monitoring.backups.folder import CannotGoOn

SAME = "select system_identifier, current_database() from pg_control_system()"
# Any table, whoever owns it: into a database that has one, nothing is restored.
TABLES = """
    select count(*) from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
"""
OTHERS = """
    select count(*) from pg_stat_activity
    where datname = current_database() and usename = %s and pid <> pg_backend_pid()
"""


def dump(file: Path) -> None:
    _run("pg_dump", "--format=custom", f"--file={file}", database=True)


def read_whole(file: Path) -> None:
    """Read a dump to its end, and write nothing."""
    _run("pg_restore", f"--file={os.devnull}", str(file))


def restore(file: Path) -> None:
    """Restore a dump into the empty database; after a fault the database is empty again."""
    _run("pg_restore", "--single-transaction", "--exit-on-error", str(file), database=True)


def refuse_another_database() -> None:
    """The superuser must be in the portal's own database: a backup of another one is useless."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(SAME)
            ours = cursor.fetchone()
    finally:
        connection.close()
    if ask(SAME) != ours:
        raise CannotGoOn("DATABASE_SUPERUSER_URL and DATABASE_URL name different databases.")


def refuse_used_database() -> None:
    """Restore only where there is nothing to lose and nobody at work."""
    if ask(TABLES)[0]:
        raise CannotGoOn("The database is not empty. Restore into a new one, and keep the old one.")
    if ask(OTHERS, settings.DATABASES["default"]["USER"])[0]:
        raise CannotGoOn("The portal is connected to the database. Stop web, worker and beat.")


def ask(question: str, *parameters: str) -> tuple[Any, ...]:
    """Ask the database as its superuser, for one row."""
    try:
        with psycopg.connect(superuser_url()) as server:
            return server.execute(question, parameters).fetchone() or ()
    except psycopg.Error as error:
        raise CannotGoOn(f"DATABASE_SUPERUSER_URL: {_one_line(str(error))}") from error


def superuser_url() -> str:
    if not settings.DATABASE_SUPERUSER_URL:
        raise CannotGoOn(
            "DATABASE_SUPERUSER_URL is not set. Only a superuser sees every row "
            "(docs/operations/backup.md)."
        )
    return str(settings.DATABASE_SUPERUSER_URL)


def _run(program: str, *words: str, database: bool = False) -> None:
    path = shutil.which(program)
    if path is None:
        raise CannotGoOn(f"There is no {program} here (Debian: apt install postgresql-client).")
    # Every account of this machine can read a command line: the password is no part of it.
    server = conninfo_to_dict(superuser_url())
    secret = {"PGPASSWORD": str(server.pop("password"))} if server.get("password") else {}
    where = [f"--dbname={make_conninfo('', **server)}"] if database else []
    done = subprocess.run(  # noqa: S603  # no shell, and no word of a stranger
        [path, *where, *words], env=os.environ | secret, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CannotGoOn(f"{program} failed: {_one_line(done.stderr)}")


def _one_line(text: str) -> str:
    return "; ".join(line.strip() for line in text.strip().splitlines())
