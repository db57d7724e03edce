"""What the office's own lists show of a company's documents: years, pages by key, versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from django.db import models
from django.db.models.functions import ExtractYear

from documents import search_query

if TYPE_CHECKING:
    from documents.models import Document, DocumentDetails  # noqa: F401


NEWEST_FIRST = "-dated_on", "-document_id"


class Count(NamedTuple):
    """How many documents a year has of one kind, and of one account, agency or card."""

    year: int
    kind: int
    series: str
    documents: int


class Part(NamedTuple):
    """One kind of a year with its accounts, agencies or cards."""

    kind: int
    documents: int
    series: list[Count]


class Year(NamedTuple):
    year: int
    documents: int
    parts: list[Part]


class WarningCount(NamedTuple):
    """How many documents of a sender have a warning of this code."""

    sender: str
    code: str
    documents: int


class DocumentDetailsQuerySet(models.QuerySet["DocumentDetails"]):
    def newest_first(self) -> DocumentDetailsQuerySet:
        return self.order_by(*NEWEST_FIRST)

    def matching(self, text: str) -> DocumentDetailsQuerySet:
        return self.filter(search_query.matching(text))

    def with_newest_version(self) -> DocumentDetailsQuerySet:
        """Add `newest_version`, so that a row can say whether another one has replaced it."""
        same = self.model.objects.filter(
            client=models.OuterRef("client"),
            kind=models.OuterRef("kind"),
            natural_key=models.OuterRef("natural_key"),
        )
        newest = same.order_by("-version").values("version")[:1]
        return self.annotate(newest_version=models.Subquery(newest))

    def for_list(self, page: Sequence[int]) -> DocumentDetailsQuerySet:
        """The filings of a page with what their rows show beside their own.

        Asked after the page is known: the database would look it up for every row it sorts.
        """
        shown = self.filter(pk__in=page).newest_first().with_newest_version()
        return shown.annotate(uuid=models.F("document__uuid"))

    def versions_of(self, document: Document) -> DocumentDetailsQuerySet:
        """What was delivered of the same paper, this document included, newest first."""
        mine = self.filter(document=document)
        same = self.filter(
            client=document.client_id,
            kind=document.kind,
            natural_key__in=mine.values("natural_key"),
        )
        return same.annotate(uuid=models.F("document__uuid")).order_by("-version")

    def warnings_by_sender(self) -> list[WarningCount]:
        """Who sends odd files, and what is odd about them; the most frequent first."""
        codes = models.Func(
            models.F("warnings"),
            models.Value("$[*].code"),
            function="jsonb_path_query_array",
            template="%(function)s(%(expressions)s::jsonpath)",
            output_field=models.JSONField(),
        )
        rows = self.exclude(warnings=[]).values_list("sender", codes)
        counts: Counter[tuple[str, str]] = Counter()
        for sender, found, documents in rows.annotate(documents=models.Count("*")):
            for code in found:
                counts[sender, code] += documents
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return [WarningCount(*sender_and_code, documents) for sender_and_code, documents in ordered]

    def counts(self) -> list[Count]:
        """Documents per year, kind and series, newest year first: one pass over an index."""
        years = self.values_list(ExtractYear("dated_on"), "kind", "series")
        found = years.annotate(documents=models.Count("*"))
        return sorted((Count(*row) for row in found), key=lambda c: (-c.year, c.kind, c.series))


def by_year(counts: Iterable[Count]) -> list[Year]:
    """The counts as a page shows them: year, kind, series."""
    years = []
    for year, of_year in groupby(counts, key=lambda count: count.year):
        parts = []
        for kind, of_kind in groupby(of_year, key=lambda count: count.kind):
            series = list(of_kind)
            parts.append(Part(kind, sum(count.documents for count in series), series))
        years.append(Year(year, sum(part.documents for part in parts), parts))
    return years
