"""Administration > Organization > what the operators of the portal looked at."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.decorators import office_view
from accounts.pages import office_page
from accounts.requests import OfficeRequest

ON_A_PAGE = 50


@require_safe
@office_view(admin=True)
def looks(request: OfficeRequest) -> HttpResponse:
    """Who of the portal saw what of this office and when, the newest first."""
    found = request.office.looks.order_by("-pk")
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        found = found.filter(pk__lt=int(before))
    rows = list(found[: ON_A_PAGE + 1])
    context = {
        **office_page(request, "organization"),
        "looks": rows[:ON_A_PAGE],
        "older": rows[ON_A_PAGE - 1].pk if len(rows) > ON_A_PAGE else None,
        "begins_here": not before,
    }
    return render(request, "accounts/looks.html", context)
