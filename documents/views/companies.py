"""The companies of an office: who can see each of them, and who fetched what."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.decorators import office_view
from accounts.finding import older_than, one_page
from accounts.requests import OfficeRequest
from accounts.tenancy import office_scope
from documents.filings import by_year
from documents.models import Filing
from documents.views.pages import PAGE, company_of, company_page, fetches_as_csv, office_page
from documents.watching import all_fetches, fetches, use_by_company


@require_safe
@office_view()
def company(request: OfficeRequest, number: str) -> HttpResponse:
    """The documents of a company: how many, by year, kind, and account, agency or card."""
    client = company_of(request, number)
    with office_scope(request.office.pk):
        years = by_year(Filing.objects.filter(client=client).counts())
    context = {**company_page(request, client), "tab": "documents", "years": years}
    return render(request, "documents/company.html", context)


@require_safe
@office_view()
def watchers(request: OfficeRequest, number: str) -> HttpResponse:
    """Who can see this company, and who fetched which document, when, in which format."""
    client = company_of(request, number)
    page, last = one_page(fetches(client, PAGE + 1, older_than(request)), PAGE)
    consents = request.office.consents.covering(client).with_use().select_related("partner")
    context = {
        **company_page(request, client),
        "tab": "watchers",
        "consents": consents.order_by("partner__name"),
        "fetches": page,
        "next_url": last and f"?before={last.key}",
    }
    return render(request, "documents/watchers.html", context)


@require_safe
@office_view()
def reads(request: OfficeRequest, number: str) -> HttpResponse:
    """The same as CSV, all of it."""
    client = company_of(request, number)
    return fetches_as_csv(f"who-read-{client.company_number}.csv", all_fetches(client))


@require_safe
@office_view(admin=True)
def use(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """What a software fetched in the last 30 days, company by company."""
    consents = request.office.consents.select_related("partner")
    consent = get_object_or_404(consents, uuid=uuid)
    page = use_by_company(consent, PAGE * 2)
    context = {**office_page(request), "section": "consents", "consent": consent, "lines": page}
    return render(request, "documents/use.html", context)
