"""The event log in the admin: everything that operators did, with filters, and as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import Office, User
from backoffice.admin.site import AdminPage
from backoffice.event_log import Filter, Place, all_entries, entries
from core.csv_export import csv_file
from core.enterprise_number import plain_number
from partners.models import Partner

PAGE = 50
HEADS = ["when", "operator", "kind", "about", "what"]


class EventFilter(forms.Form):
    """The filter above the log. An office and software are found by number or name."""

    operator = forms.ModelChoiceField(User.objects.none(), required=False, empty_label="Everybody")
    office = forms.CharField(required=False, help_text="Number or whole name.")
    software = forms.CharField(required=False, help_text="Number or whole name.")
    first = forms.DateField(
        required=False, label="From", widget=forms.DateInput(attrs={"type": "date"})
    )
    last = forms.DateField(
        required=False, label="Until", widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Who is or was an operator: who stands in the log, or could.
        field = cast(Any, self.fields["operator"])
        field.queryset = User.objects.filter(is_staff=True) | User.objects.filter(
            logentry__isnull=False
        )
        field.queryset = field.queryset.distinct().order_by("email")

    def clean_office(self) -> Office | None:
        words = self.cleaned_data["office"].strip()
        if not words:
            return None
        offices = Office.objects
        number = plain_number(words)
        found = offices.filter(company_number=number).first() if number else None
        found = found or offices.filter(name__iexact=words).order_by("pk").first()
        if found is None:
            raise forms.ValidationError("No office has this number or name.")
        return found

    def clean_software(self) -> Partner | None:
        words = self.cleaned_data["software"].strip()
        if not words:
            return None
        number = plain_number(words)
        found = Partner.objects.filter(name__iexact=words).order_by("pk").first()
        if found is None and number:
            found = Partner.objects.filter(legal_number=number).order_by("pk").first()
        if found is None:
            raise forms.ValidationError("No software has this number or name.")
        return found

    @property
    def chosen(self) -> Filter:
        said = self.cleaned_data
        operator = said["operator"]
        return Filter(
            operator=operator.pk if operator else None,
            office=said["office"],
            partner=said["software"],
            first=said["first"],
            last=said["last"],
        )


def event_log(page: AdminPage, request: HttpRequest) -> HttpResponse:
    """Show the newest entries that fit the filter, fifty to a page."""
    form = EventFilter(request.GET)
    rows: list[Any] = []
    older = ""
    if form.is_valid():
        before = Place.read(request.GET.get("before", ""))
        chosen = Filter(**{**vars(form.chosen), "before": before})
        found = entries(chosen, PAGE + 1)
        rows = found[:PAGE]
        if len(found) > PAGE:
            older = _address(request, before=str(rows[-1].place))
    return page.render_page(
        request,
        "admin/operator_events.html",
        "Event log of the operators",
        form=form,
        rows=rows,
        older=older,
        same=_address(request),
    )


def event_log_csv(page: AdminPage, request: HttpRequest) -> HttpResponse:
    """Answer with all entries that fit the filter; a filter with a mistake gives none."""
    form = EventFilter(request.GET)
    found = _cells(form.chosen) if form.is_valid() else iter(())
    return cast(HttpResponse, csv_file("operator-events.csv", HEADS, found))


def _cells(chosen: Filter) -> Iterator[list[str]]:
    for entry in all_entries(chosen):
        at = timezone.localtime(entry.at).isoformat(timespec="seconds")
        yield [at, entry.operator, entry.kind, entry.about, entry.what]


def _address(request: HttpRequest, **more: str) -> str:
    """Return the query of the same filter, from its first page or from `before` on."""
    kept = {name: value for name, value in request.GET.items() if value and name != "before"}
    return urlencode({**kept, **more})
