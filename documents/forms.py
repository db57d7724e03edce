"""What people fill in to find documents."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Office
from clients.models import Client
from core.document_kinds import BY_KIND, BY_PATH, KINDS, Kind
from core.lists import ListFilter
from documents.models import DeletionRecord, DocumentDetails, MissingMonth, NotDownloaded
from documents.models.document_list import Count, DocumentDetailsQuerySet, PagePosition
from documents.rendering.formatting import in_fours


class DocumentListFilter(ListFilter):
    """Which documents of a company.

    `counts` are those of the company: only what it has can be chosen.
    """

    kind = forms.ChoiceField(required=False, label=_("Type"))
    year = forms.TypedChoiceField(required=False, label=_("Year"), coerce=int, empty_value=None)
    series = forms.ChoiceField(required=False, label=_("Account, payroll agency or card"))
    # Where the page before ended: among the documents, or among those that were deleted.
    after = forms.CharField(required=False, max_length=40)
    deleted_before = forms.IntegerField(required=False, min_value=1, max_value=2**62)

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

    def documents(self, client: Client) -> DocumentDetailsQuerySet:
        """The documents that are asked for, after the page before."""
        found = DocumentDetails.objects.filter(client=client).matching(self.words)
        if self.given("deleted_before"):
            return found.none()
        if self.one_kind:
            found = found.filter(kind=self.one_kind)
        if self.given("series"):
            found = found.filter(series=self.given("series"))
        if self.given("year"):
            found = found.filter(dated_on__year=self.given("year"))
        return found.after(PagePosition.read(self.given("after") or "")).newest_first()

    def deletion_records(self, client: Client) -> QuerySet[DeletionRecord]:
        """Those whose time was over; a tombstone knows neither words nor account."""
        found = DeletionRecord.objects.filter(client=client).order_by("-pk")
        if self.words or self.given("series"):
            return found.none()
        if self.one_kind:
            found = found.filter(kind=self.one_kind)
        if self.given("year"):
            found = found.filter(available_at__year=self.given("year"))
        if self.given("deleted_before"):
            found = found.filter(pk__lt=self.given("deleted_before"))
        return found

    def next_url(self, last: DocumentDetails | DeletionRecord) -> str:
        """The link to the page behind this row."""
        if isinstance(last, DeletionRecord):
            return self.further(deleted_before=last.pk)
        return self.further(after=PagePosition(last.dated_on, last.pk))


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
    after = forms.UUIDField(required=False)

    @property
    def kinds(self) -> list[Kind]:
        path = self.given("kind")
        return [BY_PATH[path].kind] if path else list(Kind)

    def companies(self, office: Office, with_files: set[int]) -> QuerySet[Client]:
        """The companies that are asked for, after the page before."""
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
            return self._most_missing_first(found, months)
        return found.sorted_after("name", self.given("after"))

    def _most_missing_first(
        self, found: QuerySet[Client], months: QuerySet[MissingMonth]
    ) -> QuerySet[Client]:
        total = months.order_by().values("client").annotate(n=Sum("documents")).values("n")
        counted = found.annotate(missing=Coalesce(Subquery(total), 0))
        last = counted.filter(uuid=self.given("after")).first() if self.given("after") else None
        if last is not None:
            same = Q(missing=last.missing, pk__gt=last.pk)
            counted = counted.filter(Q(missing__lt=last.missing) | same)
        return counted.order_by("-missing", "pk")
