"""The support access log of an office, and the link that invites an operator."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from accounts.decorators import office_view
from accounts.emails import password_reset_path
from accounts.requests import OfficeRequest, office_page
from backoffice.operator_emails import LinkEnded, person_of
from core.http import see_other
from core.lists import Part, one_page

PAGE = 50


@require_safe
@office_view(admin=True)
def support_access(request: OfficeRequest) -> HttpResponse:
    """Show which operator opened which records of this office, the newest first."""
    found = Part(request.office.support_accesses.all(), ("-pk",))
    context = {
        **office_page(request, "organization"),
        "page": one_page(request.GET, PAGE, found),
    }
    return render(request, "backoffice/support_access.html", context)


@require_safe
def operator_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Lead an invited operator to the page that chooses the password, then to the admin.

    The admin lets nobody in who has no second factor.
    """
    try:
        person = person_of(token)
    except LinkEnded:
        return render(request, "backoffice/operator_invitation_over.html", status=410)
    next_page = urlencode({"next": reverse("admin:index")})
    return see_other(f"{password_reset_path(person)}?{next_page}")
