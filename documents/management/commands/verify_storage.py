"""Read every kept file and name those that are damaged or gone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from accounts.tenancy import every_office
from documents.storage import Damaged, load

TOGETHER = 1_000
NEXT = """
    select id, sha256 from documents_content where id > %s order by id limit %s
"""
WAITING = "select sha256 from documents_quarantined where state = 'waiting' order by id"


class Command(BaseCommand):
    help = "Compare all stored bytes with their digests; ends with 1 when some are damaged or gone."

    def handle(self, **options: Any) -> None:
        looked = damaged = 0
        for sha256 in _digests():
            looked += 1
            try:
                load(sha256)
            except Damaged:
                damaged += 1
                self.stderr.write(f"damaged or gone: {sha256}")
        self.stdout.write(f"{looked:,} files read, {damaged:,} damaged or gone.")
        if damaged:
            sys.exit(1)


def _digests() -> Iterator[str]:
    """Page by page, so that no transaction stays open while files are read."""
    last = 0
    while rows := _page(last):
        last = rows[-1][0]
        yield from dict.fromkeys(sha256 for _id, sha256 in rows)
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        waiting = [sha256 for (sha256,) in cursor.fetchall()]
    yield from waiting


def _page(after: int) -> list[tuple[int, str]]:
    with every_office(), connection.cursor() as cursor:
        cursor.execute(NEXT, [after, TOGETHER])
        return list(cursor.fetchall())
