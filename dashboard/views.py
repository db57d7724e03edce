"""What waits for me? The rooms below each tell their part."""

from __future__ import annotations

from django.db.models import Count, Q
from django.db.models.functions import Now
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.decorators import office_view, person_view
from accounts.models import Membership
from accounts.requests import OfficeRequest, PersonRequest
from consents.models import Status


@require_safe
@person_view
def home(request: PersonRequest) -> HttpResponse:
    """Straight to the only office, to the choice among several, or to the operators' pages."""
    memberships = list(
        Membership.objects.active().filter(user=request.user).select_related("office")
    )
    if len(memberships) == 1:
        return redirect("dashboard:office", slug=memberships[0].office.slug)
    if not memberships and request.user.is_staff:
        return redirect("admin:index")
    return redirect("dashboard:offices")


@require_safe
@person_view
def offices(request: PersonRequest) -> HttpResponse:
    """The offices of the person, with the number of requests that wait in each."""
    waiting = Q(
        office__consents__status=Status.TO_BE_DETERMINED,
        office__consents__closed_at=None,
        office__consents__lapses_at__gt=Now(),
    )
    memberships = (
        Membership.objects.active()
        .filter(user=request.user)
        .select_related("office")
        .annotate(waiting=Count("office__consents", filter=waiting))
        .order_by("office__name")
    )
    return render(request, "dashboard/offices.html", {"offices": memberships})


@require_safe
@office_view()
def office(request: OfficeRequest) -> HttpResponse:
    """One office at a glance: the requests that wait, and what is connected."""
    consents = request.office.consents
    context = {
        "office": request.office,
        "role": request.membership.role,
        "section": "dashboard",
        "waiting": consents.awaiting_decision().select_related("partner").order_by("requested_at"),
        "connected": consents.filter(status=Status.ALLOWED).count(),
    }
    return render(request, "dashboard/office.html", context)
