"""Take files in: `manage.py ingest PATH…`, with folders, ZIPs and `-` for standard input."""

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

from documents.arrivals import Arrival, count, of_file, of_paths
from documents.filing import SOFTWARE
from documents.ingest import Taken, ingest
from documents.models import Kind

STDIN = "-"
# After so many new documents the index of the search wants to know which pages are all visible.
WORTH_A_VACUUM = 10_000


class Command(BaseCommand):
    help = (
        "Take files in: each is checked, filed under its company, or kept in quarantine. "
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
        # Nobody knows how much standard input holds, and where nobody looks nothing is counted.
        counted = sys.stderr.isatty() and STDIN not in paths
        self._expected = count(map(Path, paths)) if counted else 0
        total, reasons = Taken(), Counter[str]()
        try:
            for taken in ingest(_arrivals(paths), software):
                self._add(total, reasons, taken)
                self._progress(total)
        except KeyboardInterrupt:
            self.stderr.write("\nStopped. What is told below is filed; start again to go on.")
            self._summary(total, reasons)
            sys.exit(130)
        if total.filed.total() >= WORTH_A_VACUUM:
            with connection.cursor() as cursor:
                cursor.execute("vacuum (analyze) documents_document")
        self._summary(total, reasons)
        if reasons:
            sys.exit(1)

    def _add(self, total: Taken, reasons: Counter[str], taken: Taken) -> None:
        """Sum up; what was refused is told at once and not remembered."""
        total.files += taken.files
        total.filed += taken.filed
        total.newer += taken.newer
        total.known += taken.known
        for name, refused in taken.refused:
            reasons[refused.reason.value] += 1
            line = f" (line {refused.line})" if refused.line else ""
            text = f"{name}: {refused.reason.value}: {refused.detail}{line}"
            plain = "".join(letter if letter.isprintable() else "?" for letter in text)
            self.stderr.write(f"{self._clear()}{plain}")

    def _progress(self, total: Taken) -> None:
        if not sys.stderr.isatty():
            return
        speed = total.files / (time.monotonic() - self._began)
        if self._expected:
            filled = min(30 * total.files // self._expected, 30)
            told = f"{'█' * filled + '·' * (30 - filled)} {total.files:,} of {self._expected:,}"
        else:
            told = f"{total.files:,}"
        self.stderr.write(f"{self._clear()}  {told} files, {speed:,.0f}/s", ending="\r")

    def _clear(self) -> str:
        return "\r\x1b[2K" if sys.stderr.isatty() else ""

    def _summary(self, total: Taken, reasons: Counter[str]) -> None:
        lines = [f"{total.files:,} files"]
        lines += [
            f"  {count:,} × {Kind(kind).label.lower()}"
            for kind, count in sorted(total.filed.items())
        ]
        lines += [f"  {total.newer:,} of them a new version"] if total.newer else []
        lines += [f"  {total.known:,} known already"] if total.known else []
        lines += [f"  {count:,} refused: {reason}" for reason, count in sorted(reasons.items())]
        self.stdout.write("\n".join(lines))


def _arrivals(paths: list[str]) -> Iterator[Arrival]:
    yield from of_paths(Path(path) for path in paths if path != STDIN)
    if STDIN in paths:
        # On the disk: a ZIP is read from its end, and a long file is not for the memory.
        with closing(TemporaryFile()) as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
            file.seek(0)
            yield from of_file("stdin", cast(BinaryIO, file))
