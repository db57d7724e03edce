"""The completeness board: what arrived for each company, month by month, and what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.decorators import office_view
from accounts.models import Office
from accounts.requests import OfficeRequest
from clients.models import Client
from consents.models import Status
from core.csv_export import csv_file
from core.document_kinds import Kind
from core.lists import query
from core.row_security import office_scope
from documents.completeness import board
from documents.completeness.rhythm import month_of
from documents.completeness.series import series_of
from documents.forms import CompletenessFilter
from documents.models import CompletenessCheck, QuarantinedFile
from documents.views.pages import company_of, company_page, office_page
from documents.waiting_files import in_words

PAGE = 25
# The export reads so many companies at a time.
COMPANIES_PER_QUERY = 200


@require_safe
@office_view()
def completeness(request: OfficeRequest) -> HttpResponse:
    """Companies and months: how much arrived, was downloaded, waits, and is missing."""
    asked, waiting = _asked(request), _waiting(request.office)
    with_files = {client for client, _month in waiting}
    page = asked.page_of(PAGE, asked.companies(request.office, with_files), counted=True)
    today, connected = timezone.localdate(), _is_connected(request.office)
    with office_scope(request.office.pk):
        rows = board.of_companies(
            page.rows, asked.kinds, today, connected=connected, waiting=waiting
        )
    active = Client.objects.active().filter(office=request.office)
    context = {
        **office_page(request),
        "section": "completeness",
        "asked": asked,
        "months": board.Months(today).days,
        "rows": rows,
        "counts": {
            "all": active.count(),
            "missing": active.filter(missing_months__isnull=False).distinct().count(),
            "waiting": len(with_files),
            "not_downloaded": active.filter(not_downloaded__isnull=False).distinct().count(),
        },
        "connected": connected,
        "checked": CompletenessCheck.objects.filter(office=request.office).first(),
        "page": page,
        "csv_query": query(asked.kept),
    }
    return render(request, "documents/completeness.html", context)


@require_safe
@office_view()
def completeness_csv(request: OfficeRequest) -> HttpResponseBase:
    """A line for each company, series and month, of all the companies that the board would show."""
    asked, waiting = _asked(request), _waiting(request.office)
    asked_for = asked.companies(request.office, {client for client, _month in waiting})
    companies = list(asked_for.rows.order_by(*asked_for.order))
    heads = [
        *(_("Company"), _("Enterprise number"), _("Company code"), _("Type")),
        *(_("Account, payroll agency or card"), _("Month")),
        *(_("Arrived"), _("Downloaded"), _("Missing"), _("First number"), _("Last number")),
    ]
    return csv_file("completeness.csv", heads, _lines(request.office, companies, asked.kinds))


def _lines(office: Office, companies: list[Client], kinds: list[Kind]) -> Iterator[list[str]]:
    today = timezone.localdate()
    months = board.Months(today)
    for at in range(0, len(companies), COMPANIES_PER_QUERY):
        some = {client.pk: client for client in companies[at : at + COMPANIES_PER_QUERY]}
        with office_scope(office.pk):
            found = series_of(some, kinds, today)
        for series in found:
            client = some[series.client_id]
            for month, day in zip(months.numbers, months.days, strict=True):
                arrived, missing = series.arrived.get(month), series.missing.get(month)
                if arrived or missing:
                    yield [
                        *(client.name, client.company_number, client.code),
                        *(series.kind.row.label, series.name, f"{day:%Y-%m}"),
                        str(arrived.documents if arrived else 0),
                        str(arrived.fetched if arrived else 0),
                        str(missing.documents if missing else 0),
                        *(str(number or "") for number in (missing[1:] if missing else (0, 0))),
                    ]


@require_safe
@office_view()
def company_completeness(request: OfficeRequest, number: str) -> HttpResponse:
    """One company: its accounts, agencies, cards and invoices by month, and what is missing."""
    client = company_of(request, number)
    today = timezone.localdate()
    with office_scope(request.office.pk):
        rows = board.of_series(client, today, connected=_is_connected(request.office))
        sentences = board.missing_in_words(series_of([client.pk], Kind, today))
    context = {
        **company_page(request, client),
        "tab": "completeness",
        "months": board.Months(today).days,
        "rows": rows,
        "sentences": sentences,
    }
    return render(request, "documents/company_completeness.html", context)


def _asked(request: OfficeRequest) -> CompletenessFilter:
    asked = CompletenessFilter(request.GET)
    asked.is_valid()
    return asked


def _is_connected(office: Office) -> bool:
    """Some software reads the documents of this office."""
    return bool(office.consents.filter(status=Status.ALLOWED).exists())


def _waiting(office: Office) -> Counter[tuple[int, int]]:
    """How many files wait, by company and month."""
    counts: Counter[tuple[int, int]] = Counter()
    for one in in_words(office, QuarantinedFile.objects.concerning(office)):
        for client in one.companies:
            counts[client.pk, month_of(timezone.localdate(one.file.received_at))] += 1
    return counts
