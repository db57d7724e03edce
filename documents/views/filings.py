"""The documents of a company as a list: chosen, searched, paged by key, with its gaps."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.decorators import office_view
from accounts.finding import one_page
from accounts.requests import OfficeRequest
from accounts.tenancy import office_scope
from documents.forms import FilingFilter
from documents.gaps import gaps_before
from documents.models import Filing
from documents.views.pages import PAGE, company_of, company_page


@require_safe
@office_view()
def filings(request: OfficeRequest, number: str) -> HttpResponse:
    """Newest first; where the list ends stand those whose time was over."""
    client = company_of(request, number)
    with office_scope(request.office.pk):
        asked = FilingFilter(request.GET, counts=Filing.objects.filter(client=client).counts())
        asked.is_valid()
        page, more = one_page(asked.filings(client).values_list("pk", flat=True), PAGE)
        shown = list(Filing.objects.for_list(page))
        gaps = {} if asked.words else gaps_before(client, shown)
        buried, last = one_page([] if more else asked.buried(client), PAGE)
    context = {
        **company_page(request, client),
        "tab": "documents",
        "asked": asked,
        "rows": [(filing, gaps.get(filing.pk, [])) for filing in shown],
        "next_url": more and asked.next_url(shown[-1]),
        "buried": buried,
        "buried_url": last and asked.next_url(last),
    }
    return render(request, "documents/filings.html", context)
