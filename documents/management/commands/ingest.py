"""Ingest files: `manage.py ingest PATH…`, with folders, ZIPs and `-` for standard input."""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from core.document_kinds import BY_KIND
from documents.ingest.classify import SOFTWARE
from documents.ingest.pipeline import BatchResult, ingest
from documents.ingest.sources import DeliveredFile, count, files_in, files_in_paths

STDIN = "-"
# After so many new documents a vacuum marks pages as visible, for index-only scans of the search.
WORTH_A_VACUUM = 10_000


class Command(BaseCommand):
    help = (
        "Ingest files: each is checked and filed under its company, or put into quarantine. "
        "Safe to stop and to start again. Ends with 1 when a file was refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="PATH", help="file, folder, ZIP, or -")
        parser.add_argument(
            "--software", default=SOFTWARE, help="the invoicing software that made sales invoices"
        )

    def handle(self, *, paths: list[str], software: str, **options: Any) -> None:
        for path in paths:
            if path != STDIN and not Path(path).exists():
                raise CommandError(f"{path} does not exist.")
        self._began = time.monotonic()
        # The length of standard input is not known, and without a terminal there is no bar.
        counted = sys.stderr.isatty() and STDIN not in paths
        self._expected = count(map(Path, paths)) if counted else 0
        total, reasons = BatchResult(), Counter[str]()
        try:
            for result in ingest(_delivered(paths), software):
                self._add(total, reasons, result)
                self._progress(total)
        except KeyboardInterrupt:
            self.stderr.write("\nStopped. What is listed below is filed; start again to go on.")
            self._summary(total, reasons)
            sys.exit(130)
        if total.filed.total() >= WORTH_A_VACUUM:
            with connection.cursor() as cursor:
                cursor.execute("vacuum (analyze) documents_document")
        self._summary(total, reasons)
        if reasons:
            sys.exit(1)

    def _add(self, total: BatchResult, reasons: Counter[str], result: BatchResult) -> None:
        """Add up the results; print each refused file at once instead of remembering it."""
        total.files += result.files
        total.filed += result.filed
        total.new_versions += result.new_versions
        total.already_filed += result.already_filed
        for name, refused in result.refused:
            reasons[refused.reason.value] += 1
            line = f" (line {refused.line})" if refused.line else ""
            text = f"{name}: {refused.reason.value}: {refused.detail}{line}"
            plain = "".join(letter if letter.isprintable() else "?" for letter in text)
            self.stderr.write(f"{self._clear()}{plain}")

    def _progress(self, total: BatchResult) -> None:
        if not sys.stderr.isatty():
            return
        speed = total.files / (time.monotonic() - self._began)
        if self._expected:
            filled = min(30 * total.files // self._expected, 30)
            progress = f"{'█' * filled + '·' * (30 - filled)} {total.files:,} of {self._expected:,}"
        else:
            progress = f"{total.files:,}"
        self.stderr.write(f"{self._clear()}  {progress} files, {speed:,.0f}/s", ending="\r")

    def _clear(self) -> str:
        return "\r\x1b[2K" if sys.stderr.isatty() else ""

    def _summary(self, total: BatchResult, reasons: Counter[str]) -> None:
        lines = [f"{total.files:,} files"]
        lines += [
            f"  {count:,} × {BY_KIND[kind].label.lower()}"
            for kind, count in sorted(total.filed.items())
        ]
        lines += [f"  {total.new_versions:,} of them a new version"] if total.new_versions else []
        lines += [f"  {total.already_filed:,} already filed"] if total.already_filed else []
        lines += [f"  {count:,} refused: {reason}" for reason, count in sorted(reasons.items())]
        self.stdout.write("\n".join(lines))


def _delivered(paths: list[str]) -> Iterator[DeliveredFile]:
    yield from files_in_paths(Path(path) for path in paths if path != STDIN)
    if STDIN in paths:
        # Copied to the disk: a ZIP is read from its end, and a long file may not fit in memory.
        with closing(TemporaryFile()) as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
            file.seek(0)
            yield from files_in("stdin", cast(BinaryIO, file))
