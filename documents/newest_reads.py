"""The access log of a company, newest first: a page of it reads few months of the log, not all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Min
from django.utils import timezone

from clients.models import Client
from core.lists import Part
from documents.models import Document
from documents.models.access_log import BEFORE_ARRIVAL

ORDER = ("-at", "-pk")
# How long the first windows are; the last one is all that is left. Each costs a look at every
# document of the company for each of its months.
WINDOWS = (timedelta(days=60), timedelta(days=300))


@dataclass(frozen=True, eq=False)
class NewestReads(Part):
    """Reads in `ORDER`, asked for window by window until a page is full; in the office's scope.

    No window reaches back before the first document of the company. `place` is where a page begins.
    """

    client: Client = field(kw_only=True)
    place: datetime | None = field(default=None, kw_only=True)

    def beyond(self, values: Sequence[Any], *, backward: bool) -> Part:
        """The rows after these values, or before them."""
        rest = super().beyond(values, backward=backward)
        return replace(self, rows=rest.rows, place=values[0])

    def first(self, limit: int, *, backward: bool) -> Iterable[Any]:
        """So many rows from the beginning; or from the end, the last one first."""
        found: list[Any] = []
        for window in self._newer() if backward else self._older():
            part = Part(self.rows.filter(**window), self.order)
            found += part.first(limit - len(found), backward=backward)
            if len(found) == limit:
                break
        return found

    def _older(self) -> Iterator[dict[str, datetime]]:
        until: dict[str, datetime] = {}
        end = self.place or timezone.now()
        oldest = None
        for length in WINDOWS:
            yield {"at__gte": max(end - length, oldest or end - length), **until}
            oldest = oldest or self._oldest()
            end -= length
            until = {"at__lt": end}
            if oldest is None or oldest >= end:
                return
        if oldest is not None:
            yield {"at__gte": oldest, **until}

    def _newer(self) -> Iterator[dict[str, datetime]]:
        start = self.place or self._oldest()
        if start is None:
            return
        for length in WINDOWS:
            yield {"at__gte": start, "at__lt": start + length}
            start += length
            if start > timezone.now():
                break
        yield {"at__gte": start}

    def _oldest(self) -> datetime | None:
        found = Document.objects.filter(client=self.client).aggregate(first=Min("available_at"))
        return found["first"] - BEFORE_ARRIVAL if found["first"] else None
