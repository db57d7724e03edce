"""What people fill in to find documents."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.finding import ListFilter
from clients.models import Client
from documents.filings import Count, FilingQuerySet, Place
from documents.kinds import BY_KIND, BY_PATH
from documents.models import Filing, Kind, Tombstone
from documents.writing import in_fours


class FilingFilter(ListFilter):
    """Which documents of a company.

    `counts` are those of the company: only what it has can be chosen.
    """

    kind = forms.ChoiceField(required=False, label=_("Kind"))
    year = forms.TypedChoiceField(required=False, label=_("Year"), coerce=int, empty_value=None)
    series = forms.ChoiceField(required=False, label=_("Account, agency or card"))
    # Where the page before ended: among the documents, or among those that were deleted.
    after = forms.CharField(required=False, max_length=40)
    buried_before = forms.IntegerField(required=False, min_value=1, max_value=2**62)

    def __init__(self, *args: Any, counts: list[Count], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.counts = counts
        kinds = sorted({count.kind for count in counts})
        self._choose("kind", [(BY_KIND[kind].path, BY_KIND[kind].label) for kind in kinds])
        series = {count.series for count in counts if count.series and self._of_kind(count)}
        self._choose("series", [(one, in_fours(one)) for one in sorted(series)])
        years = sorted({count.year for count in counts}, reverse=True)
        self._choose("year", [(year, year) for year in years])

    def _choose(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        self.fields[name].choices = [("", _("All")), *choices]  # type: ignore[attr-defined]

    def _of_kind(self, count: Count) -> bool:
        asked = BY_PATH.get(str(self.data.get("kind", "")))
        return asked is None or asked.kind == count.kind

    @property
    def one_kind(self) -> Kind | None:
        path = self.given("kind")
        return BY_PATH[path].kind if path else None

    def filings(self, client: Client) -> FilingQuerySet:
        """The documents that are asked for, after the page before."""
        found = Filing.objects.filter(client=client).saying(self.words)
        if self.given("buried_before"):
            return found.none()
        if self.one_kind:
            found = found.filter(kind=self.one_kind)
        if self.given("series"):
            found = found.filter(series=self.given("series"))
        if self.given("year"):
            found = found.filter(dated_on__year=self.given("year"))
        return found.after(Place.read(self.given("after") or "")).newest_first()

    def buried(self, client: Client) -> QuerySet[Tombstone]:
        """Those whose time was over; a tombstone knows neither words nor account."""
        found = Tombstone.objects.filter(client=client).order_by("-pk")
        if self.words or self.given("series"):
            return found.none()
        if self.one_kind:
            found = found.filter(kind=self.one_kind)
        if self.given("year"):
            found = found.filter(available_at__year=self.given("year"))
        if self.given("buried_before"):
            found = found.filter(pk__lt=self.given("buried_before"))
        return found

    def next_url(self, last: Filing | Tombstone) -> str:
        """The link to the page behind this row."""
        if isinstance(last, Tombstone):
            return self.further(buried_before=last.pk)
        return self.further(after=Place(last.dated_on, last.pk))
