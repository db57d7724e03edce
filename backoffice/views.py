"""Administration > Organization > support access log."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.decorators import office_view
from accounts.requests import OfficeRequest, office_page
from core.lists import older_than, one_page

PAGE = 50


@require_safe
@office_view(admin=True)
def support_access(request: OfficeRequest) -> HttpResponse:
    """Show which operator opened which records of this office, the newest first."""
    found = request.office.support_accesses.order_by("-pk")
    if before := older_than(request):
        found = found.filter(pk__lt=before)
    page, last = one_page(found, PAGE)
    context = {
        **office_page(request, "organization"),
        "accesses": page,
        "older": last and last.pk,
        "begins_here": not before,
    }
    return render(request, "backoffice/support_access.html", context)
