"""The companies of an office: who can see each of them, and who fetched what."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.decorators import office_view
from accounts.requests import OfficeRequest
from accounts.spreadsheet import csv_file, iso
from clients.models import Client
from documents.forms import CompanyFilter, ReadsFilter
from documents.kinds import BY_KIND
from documents.models import Document
from documents.watching import all_fetches, document_of, fetches, use_by_company

PAGE = 50


@require_safe
@office_view()
def companies(request: OfficeRequest) -> HttpResponse:
    """The companies by name, searched and paged by key."""
    asked = CompanyFilter(request.GET)
    asked.is_valid()
    words, after = asked.cleaned_data.get("q", ""), asked.cleaned_data.get("after", "")
    clients = Client.objects.active().filter(office=request.office)
    page = list(clients.named(words).by_name(after)[: PAGE + 1])
    further = {"q": words, "after": page[PAGE - 1].company_number} if page[PAGE:] else None
    context = {
        **_office_page(request),
        "companies": page[:PAGE],
        "q": words,
        "next_url": further and f"?{urlencode(further)}",
    }
    return render(request, "documents/companies.html", context)


@require_safe
@office_view()
def company(request: OfficeRequest, number: str) -> HttpResponse:
    """Who can see this company, or one document of it, and who fetched what, when and how."""
    client = _one(request, number)
    asked, document = _asked(request, client)
    page = fetches(client, PAGE + 1, asked.get("before"), document)
    only = {"document": str(document.uuid)} if document else {}
    kind = BY_KIND[document.kind].type if document else None
    consents = request.office.consents.covering(client, kind).with_use().select_related("partner")
    context = {
        **_office_page(request),
        "client": client,
        "document": document,
        "consents": consents.order_by("partner__name"),
        "fetches": page[:PAGE],
        "next_url": page[PAGE:] and f"?{urlencode(only | {'before': str(page[PAGE - 1].key)})}",
    }
    return render(request, "documents/company.html", context)


@require_safe
@office_view()
def reads(request: OfficeRequest, number: str) -> HttpResponse:
    """The same as CSV, all of it."""
    client = _one(request, number)
    _rest, document = _asked(request, client)
    heads = [_("When"), _("Software"), _("Kind"), _("Document"), _("Format"), _("Whole")]
    rows = (
        [iso(one.at), one.software, one.kind, one.document, one.format, str(int(one.whole))]
        for one in all_fetches(client, document)
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


def _asked(request: OfficeRequest, client: Client) -> tuple[dict[str, Any], Document | None]:
    """What the address asks for; a document of another company is 404, nonsense is left out."""
    form = ReadsFilter(request.GET)
    form.is_valid()
    wanted = form.cleaned_data.get("document")
    document = document_of(client, wanted) if wanted else None
    if wanted and document is None:
        raise Http404
    return form.cleaned_data, document


def _office_page(request: OfficeRequest) -> dict[str, Any]:
    return {"office": request.office, "role": request.membership.role, "section": "companies"}
