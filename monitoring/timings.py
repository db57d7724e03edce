"""Count how often calls of a route and runs of a task took how long, for all processes together.

A process counts in its memory, which costs a call about a microsecond, and every two seconds one
statement adds that to the table. So every web process tells the same, and workers, which nobody
scrapes, are told of as well. A process that is killed loses what it counted since.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from multiprocessing.util import Finalize
from typing import NamedTuple

import structlog
from django.db import Error, close_old_connections, connection

log = structlog.get_logger(__name__)

# The upper bounds of the buckets, in seconds; one more bucket has all that took longer.
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
WRITE_EVERY = 2.0
# The rows are in one order for all processes, so none waits for another in a circle.
ADD = """
    insert into monitoring_timing as t (kind, name, method, outcome, bucket, count, seconds)
    select * from unnest(
        %s::text[], %s::text[], %s::text[], %s::text[], %s::smallint[], %s::bigint[], %s::float8[]
    )
    on conflict (kind, name, method, outcome, bucket)
    do update set count = t.count + excluded.count, seconds = t.seconds + excluded.seconds
"""


class Timed(NamedTuple):
    """What is counted together; `bucket` is the place of its bound in BOUNDS."""

    kind: str
    name: str
    method: str
    outcome: str
    bucket: int


class Timings:
    """What this process has counted and not yet written."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted: dict[Timed, tuple[int, float]] = {}

    def count(self, kind: str, name: str, method: str, outcome: str, seconds: float) -> None:
        key = Timed(kind, name, method, outcome, bisect_left(BOUNDS, seconds))
        with self._lock:
            number, sum_of_seconds = self._counted.get(key, (0, 0.0))
            self._counted[key] = number + 1, sum_of_seconds + seconds

    def write(self) -> None:
        """Add what was counted to the table; raises Django's Error, and then nothing is lost."""
        with self._lock:
            counted, self._counted = self._counted, {}
        if not counted:
            return
        rows = [(*key, *counted[key]) for key in sorted(counted)]
        try:
            with connection.cursor() as cursor:
                cursor.execute(ADD, [list(column) for column in zip(*rows, strict=True)])
        except Error:
            self._put_back(counted)
            raise

    def _put_back(self, counted: dict[Timed, tuple[int, float]]) -> None:
        with self._lock:
            for key, (number, seconds) in counted.items():
                newer = self._counted.get(key, (0, 0.0))
                self._counted[key] = number + newer[0], seconds + newer[1]


timings = Timings()


def write_regularly() -> None:
    """Write what this process counts from now on, and what is left when it ends."""
    threading.Thread(target=_write_for_ever, name="timings", daemon=True).start()
    # Granian ends its web processes without `atexit`.
    Finalize(None, _write, exitpriority=1)


def _write_for_ever() -> None:
    while True:
        time.sleep(WRITE_EVERY)
        _write()


def _write() -> None:
    close_old_connections()
    try:
        timings.write()
    except Error as error:
        log.warning("timings_not_written", reason=type(error).__name__)
