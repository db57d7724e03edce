"""Administration > Organization > what the operators of the portal looked at."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.decorators import office_view
from accounts.finding import older_than, one_page
from accounts.pages import office_page
from accounts.requests import OfficeRequest

PAGE = 50


@require_safe
@office_view(admin=True)
def looks(request: OfficeRequest) -> HttpResponse:
    """Who of the portal saw what of this office and when, the newest first."""
    found = request.office.looks.order_by("-pk")
    if before := older_than(request):
        found = found.filter(pk__lt=before)
    page, last = one_page(found, PAGE)
    context = {
        **office_page(request, "organization"),
        "looks": page,
        "older": last and last.pk,
        "begins_here": not before,
    }
    return render(request, "accounts/looks.html", context)
