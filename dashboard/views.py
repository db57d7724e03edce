"""What waits for me? The rooms below each tell their part."""

from __future__ import annotations

from typing import cast

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.decorators import office_view, person_view
from accounts.models import Membership, Role
from accounts.requests import OfficeRequest, PersonRequest
from clients.models import Transfer
from consents.models import Consent, Status
from consents.querysets import ConsentQuerySet
from consents.screens import Health


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
    """The offices of the person, and what waits for her in all of them."""
    memberships = list(
        Membership.objects.active()
        .filter(user=request.user)
        .select_related("office")
        .order_by("office__name")
    )
    decides_for = [entry.office_id for entry in memberships if entry.role == Role.ADMIN]
    waiting = _waiting(request).filter(office__in=decides_for)
    coming = Transfer.objects.awaiting_answer().filter(to_office__in=decides_for)
    context = {
        "offices": memberships,
        "waiting": waiting,
        "arriving": coming.with_companies(),
        **_to_agree_anew(Consent.objects.filter(office__in=decides_for)),
    }
    return render(request, "dashboard/offices.html", context)


@require_safe
@office_view()
def office(request: OfficeRequest) -> HttpResponse:
    """One office at a glance: the requests that wait, the connections, and what needs care."""
    connected = list(
        Consent.objects.filter(office=request.office, status=Status.ALLOWED)
        .with_use()
        .select_related("partner")
        .order_by("partner__name")
    )
    for consent in connected:
        consent.health = Health.of(consent)
    context = {
        "office": request.office,
        "role": request.membership.role,
        "section": "dashboard",
        "waiting": _waiting(request).filter(office=request.office),
        "connected": connected,
        "arriving": request.office.transfers_in.awaiting_answer().with_companies(),
    }
    if request.membership.is_admin:
        context["invitations"] = request.office.invitations.about_to_expire().order_by("expires_at")
        context |= _to_agree_anew(Consent.objects.filter(office=request.office))
        context["only_admin"] = request.office.memberships.admins().count() == 1
    return render(request, "dashboard/office.html", context)


def _waiting(request: PersonRequest) -> ConsentQuerySet:
    waiting = Consent.objects.awaiting_decision().asked(request.user)
    return cast(
        ConsentQuerySet, waiting.select_related("partner", "office").order_by("requested_at")
    )


def _to_agree_anew(ours: ConsentQuerySet) -> dict[str, ConsentQuerySet]:
    """Consents of which an Admin is asked whether they go on: who agreed left, or terms changed."""
    return {
        name: asked.select_related("partner", "office").order_by("partner__name", "pk")
        for name, asked in zip(("left", "changed"), ours.to_agree_anew(), strict=True)
    }
