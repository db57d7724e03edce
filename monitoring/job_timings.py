"""Count each run of a task: how it ended, and how long it took."""

from __future__ import annotations

import time
from typing import Any

from celery.signals import task_postrun, task_prerun

from monitoring.timings import timings

# How a run can end; `retry` runs once more.
OUTCOMES = {"SUCCESS": "success", "FAILURE": "failure", "RETRY": "retry"}


def note_the_beginning(task: Any, **kwargs: Any) -> None:
    task.request.began_to_run = time.perf_counter()


def count_the_run(task: Any, state: str | None = None, **kwargs: Any) -> None:
    began = getattr(task.request, "began_to_run", None)
    seconds = time.perf_counter() - began if began is not None else 0.0
    timings.count("job", task.name, "", OUTCOMES.get(state or "", "other"), seconds)


task_prerun.connect(note_the_beginning)
task_postrun.connect(count_the_run)
