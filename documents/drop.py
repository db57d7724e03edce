"""The drop folder: what others put there is taken in by a worker, and moved to `done/` after."""

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

from documents.arrivals import is_left_out, of_paths, paper_of
from documents.ingest import Taken, ingest

LOCK = (20_003, 0)
DONE = "done"
# Whoever writes pauses no longer than this; a name ending in .part or .tmp is never taken.
STABLE_AFTER = 10.0
# A worker has other things to do as well: the rest is taken the next time.
MOST_FILES = 5_000


class Seen(NamedTuple):
    """A file as it was when we looked: one that changes meanwhile is looked at again."""

    path: Path
    size: int
    changed_at: int


@contextmanager
def alone() -> Iterator[bool]:
    """Tell whether this worker is the only one; the lock is let go also when it dies."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_lock(%s, %s)", LOCK)
        got = bool(cursor.fetchone()[0])
    try:
        yield got
    finally:
        if got:
            with connection.cursor() as cursor:
                cursor.execute("select pg_advisory_unlock(%s, %s)", LOCK)


def take_drop_folder_in() -> list[Taken]:
    """Take in the files that nobody writes any more; what came of each batch."""
    if not settings.PORTAL_DROP_FOLDER:
        return []
    folder = Path(settings.PORTAL_DROP_FOLDER)
    with alone() as got:
        if not got:
            return []
        seen = list(islice(stable(folder), MOST_FILES))
        taken = list(ingest(of_paths(file.path for file in seen)))
        # Only now: all of it is committed, filed or in the quarantine.
        for file in seen:
            _move(file, folder)
    return taken


def stable(folder: Path) -> Iterator[Seen]:
    """The files that nobody has changed for a while; one whose paper still grows waits for it."""
    for top, folders, names in os.walk(folder):
        if Path(top) == folder and DONE in folders:
            folders.remove(DONE)
        folders[:] = [name for name in folders if not is_left_out(name)]
        settled = {name: seen for name in names if (seen := _settled(Path(top) / name))}
        for name, seen in settled.items():
            paper = paper_of(name, set(names).__contains__)
            if paper is None or paper in settled:
                yield seen


def _settled(path: Path) -> Seen | None:
    if is_left_out(path.name) or path.is_symlink():
        return None
    with suppress(FileNotFoundError):
        stat = path.stat()
        if time.time() - stat.st_mtime >= STABLE_AFTER:
            return Seen(path, stat.st_size, stat.st_mtime_ns)
    return None


def _move(file: Seen, folder: Path) -> None:
    """To the same place below `done/`, unless it changed while we read it."""
    with suppress(FileNotFoundError):
        stat = file.path.stat()
        if (stat.st_size, stat.st_mtime_ns) != (file.size, file.changed_at):
            return
        target = folder / DONE / file.path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(file.path, target)
