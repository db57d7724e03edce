"""Wake a background worker without making the request depend on Redis."""

from __future__ import annotations

from typing import Any

from django.db import transaction


def delay_after_commit(task: Any, key: int | list[int]) -> None:
    """Queue a Celery task for one row, or for some, once the transaction is committed.

    While Redis is away the failure is only logged, and a periodic sweep finds the rows.
    """
    # Not a partial: Django logs the name of a callback that fails, and a partial has none.
    transaction.on_commit(lambda: task.delay(key) and None, robust=True)
