"""The documents of a company as a list: chosen, searched, paged by key, with its missing."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.decorators import office_view
from accounts.requests import OfficeRequest
from core.row_security import office_scope
from documents.forms import DocumentListFilter
from documents.missing_statements import missing_before
from documents.models import DocumentDetails
from documents.views.pages import PAGE, company_of, company_page


@require_safe
@office_view()
def document_list(request: OfficeRequest, number: str) -> HttpResponse:
    """Newest first; where the list ends stand those whose time was over."""
    client = company_of(request, number)
    with office_scope(request.office.pk):
        asked = DocumentListFilter(
            request.GET, counts=DocumentDetails.objects.filter(client=client).counts()
        )
        asked.is_valid()
        page = asked.page_of(PAGE, asked.documents(client), asked.deletion_records(client))
        documents = [row.pk for row in page.rows if isinstance(row, DocumentDetails)]
        shown = list(DocumentDetails.objects.for_list(documents))
        missing = {} if asked.words else missing_before(client, shown)
    context = {
        **company_page(request, client),
        "tab": "documents",
        "asked": asked,
        "rows": [(details, missing.get(details.pk, [])) for details in shown],
        "deletion_records": page.rows[len(documents) :],
        "page": page,
    }
    return render(request, "documents/document_list.html", context)
