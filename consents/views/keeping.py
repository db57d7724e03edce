"""Administration > CodaBox Connect: what an office allowed, who used it, and how it stops."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import ask_again_after_15_minutes, office_view
from accounts.finding import one_page
from accounts.models import Office
from accounts.requests import OfficeRequest
from accounts.spreadsheet import csv_file, iso
from clients.forms import UnderstoodForm
from consents.actors import Actor
from consents.forms import OverviewFilter, PauseForm
from consents.models import (
    Consent,
    ConsentEvent,
    DecisionConflict,
    Evidence,
    NotAnAdmin,
    Status,
)
from consents.pack import evidence_pack
from consents.receipt import public_key, signed_receipt
from consents.screens import Health, Proof, Scope, Use, timeline
from consents.views.links import consent_of, office_page, see_other, to

PAGE = 25


@require_safe
@office_view(admin=True)
def overview(request: OfficeRequest) -> HttpResponse:
    """All consents of the office, paged by key."""
    asked = OverviewFilter(request.GET)
    asked.is_valid()
    consents = _found(request.office, asked.given("status"), asked.words)
    page, last = one_page(consents.sorted_after(asked.given("sort"), asked.given("last")), PAGE)
    for consent in page:
        consent.health = Health.of(consent)
    context = {
        **office_page(request),
        "consents": page,
        "asked": asked,
        "next_url": last and asked.further(last=last.pk),
    }
    return render(request, "consents/overview.html", context)


@require_safe
@office_view(admin=True)
def detail(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """The whole story of a consent, the words that were agreed, and what was fetched."""
    consent = consent_of(request, uuid)
    agreed = Evidence.objects.select_related("terms").filter(event__consent=consent)
    context = {
        **office_page(request),
        "consent": consent,
        "timeline": timeline(consent),
        "left": Consent.objects.filter(pk=consent.pk).whose_giver_left().first(),
        "evidence": agreed.order_by("-pk").first(),
        "scope": Scope.of(consent),
        "use": Use.of(consent),
        "proof": Proof.of(consent) if consent.status == Status.CANCELLED else None,
    }
    return render(request, "consents/detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@office_view(admin=True)
def cancel(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """End a given consent, after showing what the software will miss."""
    consent = consent_of(request, uuid)
    if consent.status != Status.ALLOWED:
        return see_other("consents:result", consent, {"via": "overview"})
    ask_again_after_15_minutes(request)
    form = UnderstoodForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with _told_calmly():
            consent.cancel(Actor.of(request))
        return see_other("consents:result", consent, {"via": "overview", "fresh": "1"})
    context = {
        **office_page(request),
        "consent": consent,
        "form": form,
        "scope": Scope.of(consent),
        "last_served_at": Proof.of(consent).last_served_at,
    }
    return render(request, "consents/cancel.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@office_view(admin=True)
def pause(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """Stop access for a while: until a day, or until somebody resumes it."""
    consent = consent_of(request, uuid)
    if consent.status != Status.ALLOWED or consent.is_paused:
        return _to_detail(request, consent)
    ask_again_after_15_minutes(request)
    form = PauseForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        with _told_calmly():
            consent.pause(Actor.of(request), form.ends_at)
        return _to_detail(request, consent)
    context = {**office_page(request), "consent": consent, "form": form}
    return render(request, "consents/pause.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@office_view(admin=True)
def resume(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """Undo a pause, after saying what the software reads again."""
    consent = consent_of(request, uuid)
    if consent.status != Status.ALLOWED or not consent.is_paused:
        return _to_detail(request, consent)
    ask_again_after_15_minutes(request)
    if request.method == "POST":
        with _told_calmly():
            consent.resume(Actor.of(request))
        return _to_detail(request, consent)
    context = {**office_page(request), "consent": consent, "scope": Scope.of(consent)}
    return render(request, "consents/resume.html", context)


@require_safe
@office_view(admin=True)
def export(request: OfficeRequest) -> HttpResponse:
    """All consents of the office as CSV; no cell can run as a formula in a spreadsheet."""
    heads = [_("Software"), _("Vendor"), _("Status"), _("Consent ID"), _("Requested")]
    heads += [_("Decided"), _("Decided by"), _("Cancelled"), _("Last fetch")]
    consents = _found(request.office, "", "").iterator(chunk_size=500)
    return csv_file("consents.csv", heads, (_cells(consent) for consent in consents))


@require_safe
@office_view(admin=True)
def receipt(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """The signed receipt of a given consent, for the office's own files."""
    event = _agreed_event(consent_of(request, uuid))
    response = HttpResponse(signed_receipt(event), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="receipt-{uuid}.json"'
    return response


@require_safe
@office_view(admin=True)
def evidence(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """Everything an auditor needs, in one ZIP that can be checked without us."""
    event = _agreed_event(consent_of(request, uuid))
    response = HttpResponse(evidence_pack(event), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="evidence-{uuid}.zip"'
    return response


@require_safe
def keys(request: HttpRequest) -> JsonResponse:
    """The public key of our receipts (JSON Web Key Set)."""
    return JsonResponse({"keys": [public_key()]})


def _cells(consent: Any) -> list[str]:
    times = (consent.decided_at, consent.cancelled_at, consent.last_served_at)
    decided, cancelled, fetched = (iso(moment) for moment in times)
    cells = [consent.partner.name, consent.partner.vendor, str(consent.get_status_display())]
    cells += [str(consent.uuid), iso(consent.requested_at), decided, str(consent.decided_by or "")]
    return [*cells, cancelled, fetched]


def _agreed_event(consent: Consent) -> ConsentEvent:
    """The newest agreement: the allow, or a later one to share more."""
    events = consent.events.select_related("office", "consent__partner", "evidence__terms")
    found = events.exclude(evidence=None).order_by("-number").first()
    if found is None:
        raise Http404
    return found


@contextmanager
def _told_calmly() -> Iterator[None]:
    """Somebody else was first: the next page says what holds now."""
    try:
        with suppress(DecisionConflict):
            yield
    except NotAnAdmin as error:
        raise PermissionDenied from error


def _to_detail(request: OfficeRequest, consent: Consent) -> HttpResponse:
    return to(reverse("consents:detail", args=[request.office.slug, consent.uuid]))


def _found(office: Office, status: str, words: str) -> Any:
    consents = office.consents.with_use().select_related("partner", "decided_by").order_by("-pk")
    if status:
        consents = consents.filter(status=status)
    if words:
        by_name = Q(partner__name__icontains=words) | Q(partner__vendor__icontains=words)
        consents = consents.filter(by_name | Q(uuid__icontains=words))
    return consents
