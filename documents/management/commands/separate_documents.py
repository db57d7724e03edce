"""Name the documents that were filed as versions of one and are not, and separate them."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from documents.separation import Separated, wrongly_joined


class Command(BaseCommand):
    help = (
        "Read the stored files of all documents that have a later version, name those that are "
        "documents of their own, and separate them. Safe to stop and to start again. Ends with 1 "
        "when some were found with --dry-run, or when a stored file cannot be read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="name them and change nothing")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        separated = unreadable = 0
        for found in wrongly_joined(separate=not dry_run):
            if isinstance(found, Separated):
                separated += 1
                self.stdout.write(str(found))
            else:
                unreadable += 1
                self.stderr.write(str(found))
        done = "to separate" if dry_run else "separated"
        self.stdout.write(f"{separated:,} documents {done}, {unreadable:,} cannot be read.")
        if unreadable or (dry_run and separated):
            sys.exit(1)
