"""Delete what is only needed for a while, in short transactions, however much there is."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

# Rows in one transaction: a fraction of a second, so nobody who needs one of them waits long.
BATCH = 2_000


def delete_in_batches(rows: QuerySet[Any], batch: int = BATCH) -> int:
    """Delete these rows by ascending key; return how many. Outside a transaction, each for itself.

    The whole is one walk along the primary key. A row that no longer fits when its batch is deleted
    stays; what is killed in between has deleted whole batches.
    """
    deleted = 0
    rest = rows.order_by("pk")
    while keys := list(rest.values_list("pk", flat=True)[:batch]):
        deleted += rows.filter(pk__in=keys).order_by().delete()[0]
        if len(keys) < batch:
            break
        rest = rows.filter(pk__gt=keys[-1]).order_by("pk")
    return deleted
