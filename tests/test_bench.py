"""The bench compares like with like: what it times gives the same answers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.db import connections

from bench.day_software import WAYS
from bench.pages import PAGES
from bench.profile import Stats, by_room
from tests.conftest import ROOT
from tests.databases import address_of_database

DEFINITION = """
    select indexname, indexdef from pg_indexes where tablename = 'documents_document'
    union all select conname, pg_get_constraintdef(oid) from pg_constraint
    where conrelid = 'documents_document'::regclass
    union all select relname, relforcerowsecurity::text from pg_class
    where relname = 'documents_document' order by 1, 2
"""
# One file in five thousand of a day, fetched in three ways, and two cancels.
DAY = [
    *("| delivered, filed | 140 | 140 | met |", "| lost | 0 | 0 | met |"),
    *(
        "| doubled | 0 | 0 | met |",
        "| offices that gave data after one of 2 cancels | 0 | 0 | met |",
    ),
    *(f"| fetched by {way} | > 0 |" for way in WAYS),
]
SMALL_OFFICE = ["--companies", "4", "--documents", "800"]


@pytest.mark.usefixtures("committed")
def test_ours_the_floor_and_the_peer_give_the_same_answers() -> None:
    """`bench verify` on a small seed: a change of the product that the floor missed fails here.

    And `bench plans`, `partitions` and `pages`, whose times say nothing of so few rows: that they
    can still be asked counts.
    """
    try:
        verified, planned, parted = bench("verify"), bench("plans"), bench("partitions")
        pages, profile = bench("pages", *SMALL_OFFICE), bench("profile", "--seconds", "0.2")
        day = bench("day", "--share", "0.0002")
        tables = [
            documents_table(address_of_database("owner") + suffix) for suffix in ("", "_bench")
        ]
    finally:
        name = urlsplit(address_of_database("owner")).path[1:]
        with connections["owner"].cursor() as cursor:
            cursor.execute(f'drop database if exists "{name}_bench" with (force)')
    # The seed takes indexes, keys and row security away, and gives all of them back.
    assert tables[0] == tables[1]
    assert len(tables[0]) > 8, tables
    assert verified.returncode == 0, verified.stdout[-3000:] + verified.stderr[-3000:]
    assert verified.stdout.count("| met |") >= 8, verified.stdout
    compared = "ours, floor, peer, Fastify" if shutil.which("npm") else "ours, floor, peer"
    left_out = "npm could not install Fastify" in verified.stdout
    assert left_out or f"| servers |  | {compared} |" in verified.stdout, verified.stdout
    assert "| 8 | token, partner, office, consent | 1 statement | 1 | met |" in planned.stdout, (
        planned.stdout[-3000:] + planned.stderr[-3000:]
    )
    for span in ("month", "year"):
        line = f"| by {span}: one document by its identifier: "
        assert line in parted.stdout, parted.stdout + parted.stderr[-3000:]
    assert "companies, documents |  | 4, 800" in pages.stdout, pages.stdout + pages.stderr[-3000:]
    for line in DAY:
        assert line in day.stdout, day.stdout + day.stderr[-3000:]
    for room in ("server", "SQL", "token", "middleware"):
        assert f"search: {room} |" in profile.stdout, profile.stdout + profile.stderr[-3000:]
    assert all(f"{page.what}: statements" in pages.stdout for page in PAGES)


def test_the_time_of_a_library_counts_for_who_called_it() -> None:
    sql, token, own = ("/psycopg/cursor.py", 1, "execute"), ("x", 2, "sorted"), ("y", 3, "len")
    asks = ("partner_api/hot_path/authentication.py", 4, "authenticate")
    stats: Stats = {
        asks: (1, 1, 1.0, 9.0, {}),
        sql: (1, 1, 2.0, 3.0, {asks: (1, 1, 2.0, 3.0)}),
        token: (2, 2, 4.0, 4.0, {asks: (1, 1, 3.0, 3.0), sql: (1, 1, 1.0, 1.0)}),
        own: (1, 1, 8.0, 8.0, {token: (1, 1, 8.0, 8.0)}),
    }
    assert by_room(stats) == {"token": 1.0 + 3.0 + 6.0, "SQL": 2.0 + 1.0 + 2.0}


def test_without_node_fastify_is_left_out_with_a_sentence() -> None:
    ask = "from bench.node import fastify; print(fastify())"
    told = subprocess.run(
        [sys.executable, "-c", ask],
        cwd=ROOT,
        env=os.environ | {"PATH": "/nowhere"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert told.stdout == "Node or npm is missing here: Fastify is left out.\n\nNone\n"


def documents_table(address: str) -> list[tuple[str, str]]:
    with psycopg.connect(address) as connection:
        return connection.execute(DEFINITION).fetchall()


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "DATABASE_URL": address_of_database(),
        "DATABASE_OWNER_URL": address_of_database("owner"),
        "PORTAL_SECRET_KEY": settings.SECRET_KEY,
    }
    return subprocess.run(
        [sys.executable, "-m", "bench", *words, "--size", "T"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
