"""Lists that stay quick whatever the tables grow to: counted to a bound, found by an index."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Q

# So many rows a list offers; whoever wants an older one searches for it.
REACH = 2000
HEX = frozenset("0123456789abcdef")


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # generic for the stubs only
    """Counts no further than REACH: the exact number of a million rows tells nobody anything."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:REACH].count())


def uuids_beginning(field: str, term: str) -> Q | None:
    """The identifiers that begin so, as a range that an index serves; None for other words."""
    written = term.strip().lower()
    digits = written.replace("-", "")
    if not digits or len(digits) > 32 or not HEX.issuperset(digits):
        return None
    first, last = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    return Q(**{f"{field}__gte": first, f"{field}__lte": last})
