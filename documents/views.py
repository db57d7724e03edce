"""The companies of an office: who can see each of them, and who fetched what."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.decorators import office_view
from accounts.requests import OfficeRequest
from accounts.spreadsheet import csv_file, iso
from clients.models import Client
from documents.forms import ReadsFilter
from documents.watching import all_fetches, fetches, use_by_company

PAGE = 50


@require_safe
@office_view()
def company(request: OfficeRequest, number: str) -> HttpResponse:
    """Who can see this company, and who fetched which document, when, in which format."""
    client = _one(request, number)
    asked = ReadsFilter(request.GET)
    asked.is_valid()
    page = fetches(client, PAGE + 1, asked.cleaned_data.get("before"))
    consents = request.office.consents.covering(client).with_use().select_related("partner")
    context = {
        **_office_page(request),
        "client": client,
        "consents": consents.order_by("partner__name"),
        "fetches": page[:PAGE],
        "next_url": f"?before={page[PAGE - 1].key}" if page[PAGE:] else None,
    }
    return render(request, "documents/company.html", context)


@require_safe
@office_view()
def reads(request: OfficeRequest, number: str) -> HttpResponse:
    """The same as CSV, all of it."""
    client = _one(request, number)
    heads = [_("When"), _("Software"), _("Kind"), _("Document"), _("Format"), _("Whole")]
    rows = (
        [iso(one.at), one.software, one.kind, one.document, one.format, str(int(one.whole))]
        for one in all_fetches(client)
    )
    return csv_file(f"who-read-{client.company_number}.csv", heads, rows)


@require_safe
@office_view(admin=True)
def use(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """What a software fetched in the last 30 days, company by company."""
    consents = request.office.consents.select_related("partner")
    consent = get_object_or_404(consents, uuid=uuid)
    page = use_by_company(consent, PAGE * 2)
    context = {**_office_page(request), "section": "consents", "consent": consent, "lines": page}
    return render(request, "documents/use.html", context)


def _one(request: OfficeRequest, number: str) -> Client:
    clients = Client.objects.active().filter(office=request.office)
    return get_object_or_404(clients, company_number=number)


def _office_page(request: OfficeRequest) -> dict[str, Any]:
    return {"office": request.office, "role": request.membership.role, "section": "companies"}
