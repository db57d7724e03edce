"""What waits for me? Each app below gives its part of the answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.decorators import office_view, person_view
from accounts.models import Membership, Office, Role
from accounts.requests import OfficeRequest, PersonRequest, office_page
from clients.models import Transfer
from consents.access import AccessContext
from consents.models import Consent, Status
from consents.models.querysets import ConsentQuerySet
from consents.presenters import Health
from core.clock import database_time
from core.lists import ListFilter
from dashboard import to_do
from dashboard.figures import Lately
from dashboard.search import search as find
from dashboard.to_do import Task

# The health of a connection that somebody has to look at, the worst first.
SICK = ("bad", "warn")


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
    """The offices of the person, and what waits for them in all of them."""
    memberships = list(
        Membership.objects.active()
        .filter(user=request.user)
        .select_related("office")
        .order_by("office__name")
    )
    decides_for = [entry.office_id for entry in memberships if entry.role == Role.ADMIN]
    coming = Transfer.objects.awaiting_answer().filter(to_office__in=decides_for)
    now = database_time()
    tasks = to_do.by_deadline(
        to_do.requests(_waiting(request).filter(office__in=decides_for), now, decides=True),
        *_to_agree_anew(Consent.objects.filter(office__in=decides_for), now),
        to_do.transfers(coming.with_companies(), decides=True),
    )
    context = {"offices": memberships, "tasks": tasks}
    return render(request, "dashboard/offices.html", context)


@require_safe
@office_view()
def office(request: OfficeRequest) -> HttpResponse:
    """What must be done today, then what happened lately, then what works as it should."""
    connected, now = _connected(request.office), database_time()
    sick = [one for level in SICK for one in connected if one.health.level == level]
    paused = sum(one.is_paused(now) for one in connected)
    context = {
        **office_page(request, "dashboard"),
        "now": now,
        "tasks": _tasks(request, now),
        "connected": connected,
        "sick": sick,
        "paused": paused,
        "well": sum(not one.is_paused(now) for one in connected if one.health.level not in SICK),
        "lately": Lately.of(request.office, now),
    }
    return render(request, "dashboard/office.html", context)


@require_safe
@office_view()
def search(request: OfficeRequest) -> HttpResponse:
    """One search over companies, documents, consents and people."""
    asked = ListFilter(request.GET)
    asked.is_valid()
    context = {**office_page(request, "search"), "searched": asked.words, "now": database_time()}
    if asked.words:
        admin = request.membership.is_admin
        context["found"] = find(request.office, asked.words, admin=admin)
    return render(request, "dashboard/search.html", context)


def _tasks(request: OfficeRequest, now: datetime) -> list[Task]:
    """All that waits in this office; what only Admins can do is shown to them alone."""
    admin, ours = request.membership.is_admin, request.office
    groups = [
        to_do.requests(_waiting(request).filter(office=ours), now, decides=admin),
        to_do.transfers(ours.transfers_in.awaiting_answer().with_companies(), decides=admin),
        to_do.waiting_files(ours),
    ]
    if admin:
        groups += _to_agree_anew(Consent.objects.filter(office=ours), now)
        ending = ours.invitations.about_to_expire().order_by("expires_at")
        groups.append(to_do.invitations(ending, ours, now))
        if ours.memberships.admins().count() == 1:
            groups.append(iter([to_do.only_admin(ours)]))
    return to_do.by_deadline(*groups)


def _connected(ours: Office) -> list[Any]:
    """What may read documents now, or would if it were well, with its health."""
    connected: list[Any] = list(
        Consent.objects.filter(office=ours, status=Status.ALLOWED)
        .with_use()
        .select_related("partner")
        .order_by("partner__name")
    )
    access, now = AccessContext.of_consents(consent.pk for consent in connected), database_time()
    for consent in connected:
        consent.health = Health.of(consent, access[consent.pk], now)
    return connected


def _waiting(request: PersonRequest) -> ConsentQuerySet:
    waiting = Consent.objects.awaiting_decision().with_asks_for(request.user)
    return cast(
        ConsentQuerySet, waiting.select_related("partner", "office").order_by("requested_at")
    )


def _to_agree_anew(ours: ConsentQuerySet, now: datetime) -> list[Iterator[Task]]:
    """Consents of which an Admin is asked whether they go on: who agreed left, or terms changed."""
    left, changed = (
        asked.select_related("partner", "office").order_by("partner__name", "pk")
        for asked in ours.to_agree_anew()
    )
    return [to_do.whose_giver_left(left, now), to_do.whose_terms_changed(changed, now)]
