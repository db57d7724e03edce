"""The bench's own database. It never touches the one that DATABASE_URL names."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import django
import psycopg
from django.core.management import call_command
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "var" / "bench"
MARK = "bench of size {size}, tables {tables}"
OWNER = "DATABASE_OWNER_URL"
URLS = ("DATABASE_URL", OWNER)


def prepare(word: str, size: str | None) -> str | None:
    """Make Django use the bench's database; return its size, or None when it is new and empty.

    The rows of an earlier run are used again while the migrations are the same.
    """
    for url in URLS:
        if url not in os.environ:
            sys.exit(f"{url} is not set; `python3 portal.py bench` sets it.")
    addresses = {url: urlsplit(os.environ[url]) for url in URLS}
    name = f"{addresses[OWNER].path.strip('/')}_bench"
    with psycopg.connect(os.environ[OWNER], autocommit=True) as connection:
        found = _size_of(connection, name)
        fits = found is not None and size in (None, found) and word != "seed"
        if not fits:
            _make_anew(connection, name)
    for url, address in addresses.items():
        os.environ[url] = urlunsplit(address._replace(path=f"/{name}"))
    os.environ.update(_environment())
    django.setup()
    if not fits:
        Path(os.environ["PORTAL_ENDED_CONSENTS_FILE"]).unlink(missing_ok=True)
        call_command("migrate", verbosity=0)
    return found if fits else None


def mark(connection: psycopg.Connection, size: str) -> None:
    """Write into the database that it is complete, its size and the migrations that made it."""
    statement = sql.SQL("comment on database {} is {}")
    told = MARK.format(size=size, tables=_tables())
    connection.execute(statement.format(sql.Identifier(connection.info.dbname), sql.Literal(told)))


def _tables() -> str:
    """A digest of all migrations: with others, the rows of an earlier run do not fit."""
    files = sorted(ROOT.glob("*/migrations/*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def _size_of(connection: psycopg.Connection, name: str) -> str | None:
    query = "select shobj_description(oid, 'pg_database') from pg_database where datname = %s"
    row = connection.execute(query, [name]).fetchone()
    told = re.fullmatch(MARK.format(size="(.+)", tables=_tables()), (row and row[0]) or "")
    return told and told[1]


def _make_anew(connection: psycopg.Connection, name: str) -> None:
    connection.execute(
        sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
    )
    connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))


def _environment() -> dict[str, str]:
    """The servers inherit this. Limits are counted as in production but never reached."""
    storage = KEPT / "documents"
    storage.mkdir(parents=True, exist_ok=True)
    return {
        "DJANGO_SETTINGS_MODULE": "codabox_portal.settings",
        "PORTAL_STORAGE": str(storage),
        # A register of its own: that of another database would keep the API closed.
        "PORTAL_ENDED_CONSENTS_FILE": str(KEPT / "ended-consents.jsonl"),
        "PORTAL_DEMO": "0",
        "PORTAL_DEBUG": "0",
        "PORTAL_HOSTS": "127.0.0.1,localhost",
        "PORTAL_MAIL_DIR": str(KEPT / "mails"),
        "PORTAL_STATIC_FROM_SOURCE": "1",
        "PORTAL_NGINX_LOCATION": "",
        "PORTAL_CALLS_PER_MINUTE": "100000000",
        # `day` hears webhooks on this machine, and its worker takes no tasks of another one.
        "PORTAL_WEBHOOKS_ALLOW_LOOPBACK": "1",
        "REDIS_URL": urlsplit(os.environ["REDIS_URL"])._replace(path="/15").geturl(),
    }
