"""Read every kept file and name those that are damaged or gone."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from documents.storage.blobs import Damaged, load
from documents.storage.digests import stored_digests


class Command(BaseCommand):
    help = "Compare all stored bytes with their digests; ends with 1 when some are damaged or gone."

    def handle(self, **options: Any) -> None:
        looked = damaged = 0
        for sha256 in stored_digests():
            looked += 1
            try:
                load(sha256)
            except Damaged:
                damaged += 1
                self.stderr.write(f"damaged or gone: {sha256}")
        self.stdout.write(f"{looked:,} files read, {damaged:,} damaged or gone.")
        if damaged:
            sys.exit(1)
