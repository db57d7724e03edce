"""The documents of a company as a list: chosen, searched, paged by key, with its gaps."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.decorators import office_view
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
        page = list(asked.filings(client).values_list("pk", flat=True)[: PAGE + 1])
        shown = list(Filing.objects.for_list(page[:PAGE]))
        gaps = {} if asked.words else gaps_before(client, shown)
        buried = [] if page[PAGE:] else list(asked.buried(client)[: PAGE + 1])
    context = {
        **company_page(request, client),
        "tab": "documents",
        "asked": asked,
        "rows": [(filing, gaps.get(filing.pk, [])) for filing in shown],
        "next_url": asked.next_url(shown[-1]) if page[PAGE:] else None,
        "buried": buried[:PAGE],
        "buried_url": asked.next_url(buried[PAGE - 1]) if buried[PAGE:] else None,
    }
    return render(request, "documents/filings.html", context)
