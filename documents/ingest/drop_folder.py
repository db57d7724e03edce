"""The drop folder: a worker ingests the files that others put there and moves them to `done/`."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import connection

from documents.ingest.pipeline import BatchResult, ingest
from documents.ingest.sources import files_in_paths, is_ignored, pdf_beside

LOCK = (20_003, 0)
DONE = "done"
# A writer pauses no longer than this; a name ending in .part or .tmp is never ingested.
STABLE_AFTER = 10.0
# A worker has other jobs as well: the rest is ingested the next time.
MOST_FILES = 5_000


class ObservedFile(NamedTuple):
    """A file as it was when we looked: one that changes afterwards is ingested again."""

    path: Path
    size: int
    changed_at: int


@contextmanager
def drop_folder_lock() -> Iterator[bool]:
    """Tell whether this worker got the lock; it is released when the worker dies, too."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_lock(%s, %s)", LOCK)
        got = bool(cursor.fetchone()[0])
    try:
        yield got
    finally:
        if got:
            with connection.cursor() as cursor:
                cursor.execute("select pg_advisory_unlock(%s, %s)", LOCK)


def ingest_waiting_files() -> list[BatchResult]:
    """Ingest the files that nobody writes any more; return the result of each batch."""
    if not settings.PORTAL_DROP_FOLDER:
        return []
    folder = Path(settings.PORTAL_DROP_FOLDER)
    with drop_folder_lock() as got:
        if not got:
            return []
        observed = list(islice(stable_files(folder), MOST_FILES))
        results = list(ingest(files_in_paths(file.path for file in observed)))
        # Only now: every file is committed, as filed or in the quarantine.
        for file in observed:
            _move(file, folder)
    return results


def stable_files(folder: Path) -> Iterator[ObservedFile]:
    """The files that have not changed for a while; one whose PDF still grows waits for it."""
    for top, folders, names in os.walk(folder):
        if Path(top) == folder and DONE in folders:
            folders.remove(DONE)
        folders[:] = [name for name in folders if not is_ignored(name)]
        settled = {name: observed for name in names if (observed := _settled(Path(top) / name))}
        for name, observed in settled.items():
            pdf = pdf_beside(name, set(names).__contains__)
            if pdf is None or pdf in settled:
                yield observed


def _settled(path: Path) -> ObservedFile | None:
    if is_ignored(path.name) or path.is_symlink():
        return None
    with suppress(FileNotFoundError):
        stat = path.stat()
        if time.time() - stat.st_mtime >= STABLE_AFTER:
            return ObservedFile(path, stat.st_size, stat.st_mtime_ns)
    return None


def _move(file: ObservedFile, folder: Path) -> None:
    """Move a file to the same place below `done/`, unless it changed while we read it."""
    with suppress(FileNotFoundError):
        stat = file.path.stat()
        if (stat.st_size, stat.st_mtime_ns) != (file.size, file.changed_at):
            return
        target = folder / DONE / file.path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(file.path, target)
