"""A database of the bench's own, beside the one of DATABASE_URL, which is never touched."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import django
import psycopg
from django.core.management import call_command
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "var" / "bench"
MARK = "bench of size "


def prepare(word: str, size: str | None) -> str | None:
    """Point Django at the bench's database; return its size, or None when it is empty and new."""
    if "DATABASE_URL" not in os.environ:
        sys.exit("DATABASE_URL is not set; `python3 portal.py bench` sets it.")
    address = urlsplit(os.environ["DATABASE_URL"])
    name = f"{address.path.strip('/')}_bench"
    with psycopg.connect(urlunsplit(address), autocommit=True) as connection:
        found = _size_of(connection, name)
        fits = found is not None and size in (None, found) and word != "seed"
        if not fits:
            _make_anew(connection, name)
    os.environ.update(_environment(urlunsplit(address._replace(path=f"/{name}"))))
    django.setup()
    if not fits:
        call_command("migrate", verbosity=0)
    return found if fits else None


def mark(connection: psycopg.Connection, size: str) -> None:
    """Say in the database itself that it is complete, and of which size."""
    statement = sql.SQL("comment on database {} is {}")
    connection.execute(
        statement.format(sql.Identifier(connection.info.dbname), sql.Literal(MARK + size))
    )


def _size_of(connection: psycopg.Connection, name: str) -> str | None:
    query = "select shobj_description(oid, 'pg_database') from pg_database where datname = %s"
    row = connection.execute(query, [name]).fetchone()
    if row is None or not row[0] or not row[0].startswith(MARK):
        return None
    return str(row[0].removeprefix(MARK))


def _make_anew(connection: psycopg.Connection, name: str) -> None:
    connection.execute(
        sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
    )
    connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))


def _environment(url: str) -> dict[str, str]:
    """The servers inherit this; limits are counted as in production, but never reached."""
    storage = KEPT / "documents"
    storage.mkdir(parents=True, exist_ok=True)
    return {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "codabox_portal.settings",
        "PORTAL_STORAGE": str(storage),
        "PORTAL_DEMO": "0",
        "PORTAL_DEBUG": "0",
        "PORTAL_HOSTS": "127.0.0.1,localhost",
        "PORTAL_STATIC_FROM_SOURCE": "1",
        "PORTAL_ACCEL": "",
        "PORTAL_CALLS_PER_MINUTE": "100000000",
    }
