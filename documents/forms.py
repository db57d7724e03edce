"""What people fill in to find documents."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Office
from clients.models import Client
from core.document_kinds import BY_KIND, BY_PATH, KINDS, Kind
from core.lists import ListFilter, Part
from documents.models import DeletionRecord, DocumentDetails, MissingMonth, NotDownloaded
from documents.models.document_list import NEWEST_FIRST, Count
from documents.rendering.formatting import in_fours


class DocumentListFilter(ListFilter):
    """Which documents of a company.

    `counts` are those of the company: only what it has can be chosen.
    """

    kind = forms.ChoiceField(required=False, label=_("Type"))
    year = forms.TypedChoiceField(required=False, label=_("Year"), coerce=int, empty_value=None)
    series = forms.ChoiceField(required=False, label=_("Account, payroll agency or card"))

    def __init__(self, *args: Any, counts: list[Count], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.counts = counts
        kinds = sorted({count.kind for count in counts})
        self._choose(
            "kind", _("All types"), [(BY_KIND[kind].path, BY_KIND[kind].label) for kind in kinds]
        )
        series = {count.series for count in counts if count.series and self._of_kind(count)}
        ours = [(one, in_fours(one)) for one in sorted(series)]
        self._choose("series", _("All accounts, agencies and cards"), ours)
        years = sorted({count.year for count in counts}, reverse=True)
        self._choose("year", _("All years"), [(year, year) for year in years])

    def _choose(self, name: str, everything: Promise, choices: list[tuple[Any, Any]]) -> None:
        self.fields[name].choices = [("", everything), *choices]  # type: ignore[attr-defined]

    def _of_kind(self, count: Count) -> bool:
        asked = BY_PATH.get(str(self.data.get("kind", "")))
        return asked is None or asked.kind == count.kind

    @property
    def one_kind(self) -> Kind | None:
        path = self.given("kind")
        return BY_PATH[path].kind if path else None

    def documents(self, client: Client) -> Part:
        """The documents that are asked for, the newest first: their keys and days alone."""
        found = DocumentDetails.objects.filter(client=client).matching(self.words)
        if self.one_kind:
            found = found.filter(kind=self.one_kind)
        if self.given("series"):
            found = found.filter(series=self.given("series"))
        if self.given("year"):
            found = found.filter(dated_on__year=self.given("year"))
        return Part(found.only("document_id", "dated_on"), NEWEST_FIRST)

    def deletion_records(self, client: Client) -> Part:
        """Those whose time was over; a tombstone knows neither words nor account."""
        found = DeletionRecord.objects.filter(client=client)
        if self.words or self.given("series"):
            found = found.none()
        if self.one_kind:
            found = found.filter(kind=self.one_kind)
        if self.given("year"):
            found = found.filter(available_at__year=self.given("year"))
        return Part(found, ("-pk",), "deleted")


SHOWN = [
    ("", _("All companies")),
    ("missing", _("Only missing")),
    ("waiting", _("Files that wait")),
    ("not_downloaded", _("Not downloaded yet")),
]
ORDERS = [("name", _("By name")), ("missing", _("Most missing first"))]


class CompletenessFilter(ListFilter):
    """Which companies and documents the completeness board shows."""

    kind = forms.ChoiceField(
        required=False,
        label=_("Type"),
        choices=[("", _("All types")), *((kind.path, kind.name) for kind in KINDS)],
    )
    show = forms.ChoiceField(required=False, label=_("Show"), choices=SHOWN)
    sort = forms.ChoiceField(required=False, label=_("Sort"), choices=ORDERS, initial="name")

    @property
    def kinds(self) -> list[Kind]:
        path = self.given("kind")
        return [BY_PATH[path].kind] if path else list(Kind)

    def companies(self, office: Office, with_files: set[int]) -> Part:
        """The companies that are asked for, in their order."""
        found = Client.objects.active().filter(office=office).named(self.words)
        kinds = [kind.value for kind in self.kinds]
        months = MissingMonth.objects.filter(client=OuterRef("pk"), kind__in=kinds)
        if self.given("show") == "missing":
            found = found.filter(Exists(months))
        if self.given("show") == "waiting":
            found = found.filter(pk__in=with_files)
        if self.given("show") == "not_downloaded":
            left = NotDownloaded.objects.filter(client=OuterRef("pk"), kind__in=kinds)
            found = found.filter(Exists(left))
        if self.given("sort") == "missing":
            total = months.order_by().values("client").annotate(n=Sum("documents")).values("n")
            counted = found.annotate(missing=Coalesce(Subquery(total), 0))
            return Part(counted, ("-missing", "pk"))
        return Part(found, ("name", "pk"))
