"""The companies of an office: who can see each of them, and who fetched what."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.formats import number_format
from django.views.decorators.http import require_safe

from accounts.decorators import office_view
from accounts.requests import OfficeRequest
from core.row_security import office_scope
from documents.access_report import (
    DOWNLOADS_COUNTED,
    all_fetches,
    use_by_company,
    who_can_see,
)
from documents.models import DocumentDetails
from documents.models.document_list import by_year
from documents.views.pages import (
    PAGE,
    company_of,
    company_page,
    fetches_as_csv,
    office_page,
    who_read,
)
from documents.waiting_files import waiting_for


@require_safe
@office_view()
def company(request: OfficeRequest, number: str) -> HttpResponse:
    """The documents of a company: how many, by year, kind, and account, agency or card."""
    client = company_of(request, number)
    with office_scope(request.office.pk):
        years = by_year(DocumentDetails.objects.filter(client=client).counts())
    context = {
        **company_page(request, client),
        "tab": "documents",
        "years": years,
        "waiting": waiting_for(client),
    }
    return render(request, "documents/company.html", context)


@require_safe
@office_view()
def access_report(request: OfficeRequest, number: str) -> HttpResponse:
    """Who can see this company, and who fetched which document, when, in which format."""
    client = company_of(request, number)
    context = {
        **company_page(request, client),
        "tab": "access_report",
        "permissions": who_can_see(client),
        **who_read(request, client),
    }
    return render(request, "documents/access_report.html", context)


@require_safe
@office_view()
def access_report_csv(request: OfficeRequest, number: str) -> HttpResponseBase:
    """The same as CSV, all of it."""
    client = company_of(request, number)
    return fetches_as_csv(f"who-read-{client.company_number}.csv", all_fetches(client))


@require_safe
@office_view(admin=True)
def software_use(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """What software fetched lately, company by company."""
    consents = request.office.consents.select_related("partner")
    consent = get_object_or_404(consents, uuid=uuid)
    context = {
        **office_page(request),
        "section": "consents",
        "consent": consent,
        "lines": use_by_company(consent, PAGE * 2),
        "counted": number_format(DOWNLOADS_COUNTED, force_grouping=True),
    }
    return render(request, "documents/software_use.html", context)
