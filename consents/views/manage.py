"""Administration > CodaBox Connect: what an office allowed, how it is used, how to stop it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import ask_again_after_15_minutes, office_view
from accounts.models import Office
from accounts.requests import OfficeRequest, office_page
from clients.forms import UnderstoodForm
from consents.access import AccessContext
from consents.actors import Actor
from consents.evidence.bundle import evidence_bundle
from consents.evidence.receipt import public_key, signed_receipt
from consents.forms import OverviewFilter, PauseForm
from consents.groups import groups_of
from consents.models import (
    Consent,
    ConsentEvent,
    DecisionConflict,
    Evidence,
    NotAnAdmin,
    Status,
)
from consents.presenters import (
    Health,
    Proof,
    Scope,
    Use,
    denial_in_words,
    denial_of,
    last_download_at,
    timeline,
)
from consents.views.navigation import consent_of, to_detail, to_page
from core.clock import database_time
from core.csv_export import csv_file
from core.dates import iso
from core.lists import Part

PAGE = 25
# The export reads so many consents at a time.
BATCH = 500


@require_safe
@office_view(admin=True)
def overview(request: OfficeRequest) -> HttpResponse:
    """The consents by what they need; or found and sorted as somebody asks, paged by key."""
    asked, now = OverviewFilter(request.GET), database_time()
    asked.is_valid()
    context = {**office_page(request, "consents"), "now": now, "asked": asked}
    if not (asked.is_narrow or asked.given("sort")):
        context |= _by_need(request.office, request.GET.get("group", ""), now)
        return render(request, "consents/overview.html", context)
    consents = _found(request.office, asked.given("status"), asked.words)
    page = asked.page_of(PAGE, Part(consents, asked.order), counted=True)
    _judge(page.rows, now)
    context |= {"consents": page.rows, "page": page}
    return render(request, "consents/overview.html", context)


def _by_need(office: Office, wanted: str, now: datetime) -> dict[str, Any]:
    """All live consents in groups, one of them where it is asked for; the newest ended ones."""
    rows = office.consents.with_use().select_related("partner", "decided_by")
    lapsed = Q(status=Status.TO_BE_DETERMINED, lapses_at__lte=now)
    live = list(rows.live().exclude(lapsed).order_by("partner__name", "pk"))
    _judge(live, now)
    groups = groups_of(live, now)
    known = wanted if wanted in {group.name for group in groups} else ""
    ended = rows.exclude(pk__in=[consent.pk for consent in live]).order_by("-pk")
    newest = list(ended[: PAGE + 1])
    return {
        "chips": groups,
        "live": len(live),
        "wanted": known,
        "groups": [one for one in groups if one.consents and known in ("", one.name)],
        "ended": [] if known else newest[:PAGE],
        "more_ended": len(newest) > PAGE,
    }


def _judge(consents: list[Any], now: datetime) -> None:
    """Give each consent its `health`."""
    access = AccessContext.of_consents(consent.pk for consent in consents)
    for consent in consents:
        consent.health = Health.of(consent, access[consent.pk], now)


@require_safe
@office_view(admin=True)
def detail(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """The whole story of a consent, the words that were agreed, and what was fetched."""
    consent = consent_of(request, uuid)
    now = database_time()
    agreed = Evidence.objects.select_related("terms").filter(event__consent=consent)
    context = {
        **office_page(request, "consents"),
        "consent": consent,
        "now": now,
        "timeline": timeline(consent),
        "denial": denial_of(consent),
        "left": Consent.objects.filter(pk=consent.pk).whose_giver_left().first(),
        "evidence": agreed.order_by("-pk").first(),
        "scope": Scope.of(consent),
        "use": Use.of(consent, now),
        "proof": Proof.of(consent) if consent.status == Status.CANCELLED else None,
    }
    return render(request, "consents/detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@office_view(admin=True)
def cancel(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """End a given consent, after showing what the software will miss."""
    consent = consent_of(request, uuid)
    if consent.status != Status.ALLOWED:
        return to_page("consents:result", consent, {"via": "overview"})
    ask_again_after_15_minutes(request)
    form = UnderstoodForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with _conflict_shown_on_next_page():
            consent.cancel(Actor.of(request))
        return to_page("consents:result", consent, {"via": "overview", "fresh": "1"})
    context = {
        **office_page(request, "consents"),
        "consent": consent,
        "now": database_time(),
        "form": form,
        "scope": Scope.of(consent),
        "last_download_at": last_download_at(consent),
    }
    return render(request, "consents/cancel.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@office_view(admin=True)
def pause(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """Stop access for a while: until a day, or until somebody resumes it."""
    consent = consent_of(request, uuid)
    if consent.status != Status.ALLOWED or consent.is_paused(database_time()):
        return to_detail(consent)
    ask_again_after_15_minutes(request)
    form = PauseForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        with _conflict_shown_on_next_page():
            consent.pause(Actor.of(request), form.ends_at)
            _say(
                request,
                consent,
                _("Access is paused. %(software)s cannot read anything until you resume it."),
            )
        return to_detail(consent)
    context = {**office_page(request, "consents"), "consent": consent, "form": form}
    return render(request, "consents/pause.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@office_view(admin=True)
def resume(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """Undo a pause, after saying what the software reads again."""
    consent = consent_of(request, uuid)
    if consent.status != Status.ALLOWED or not consent.is_paused(database_time()):
        return to_detail(consent)
    ask_again_after_15_minutes(request)
    if request.method == "POST":
        with _conflict_shown_on_next_page():
            consent.resume(Actor.of(request))
            _say(
                request,
                consent,
                _("Access is resumed. %(software)s can read the documents again."),
            )
        return to_detail(consent)
    context = {**office_page(request, "consents"), "consent": consent, "scope": Scope.of(consent)}
    return render(request, "consents/resume.html", context)


@require_safe
@office_view(admin=True)
def export(request: OfficeRequest) -> HttpResponseBase:
    """All consents of the office as CSV; no cell can run as a formula in a spreadsheet."""
    heads = [_("Software"), _("Vendor"), _("Status"), _("Consent ID"), _("Requested")]
    heads += [
        _("Decided on"),
        _("Decided by"),
        _("Cancelled on"),
        _("Last download"),
        _("Access now"),
    ]
    consents = _found(request.office, "", "").iterator(chunk_size=BATCH)
    return csv_file("consents.csv", heads, _lines(consents))


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
    response = HttpResponse(evidence_bundle(event), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="evidence-{uuid}.zip"'
    return response


@require_safe
def keys(request: HttpRequest) -> JsonResponse:
    """The public key of our receipts (JSON Web Key Set)."""
    return JsonResponse({"keys": [public_key()]})


def _lines(consents: Iterator[Any]) -> Iterator[list[str]]:
    """The lines of the export; the access contexts are read a batch at a time."""
    while batch := list(islice(consents, BATCH)):
        access = AccessContext.of_consents(consent.pk for consent in batch)
        for consent in batch:
            reason = access[consent.pk].denial_reason()
            yield [*_cells(consent), denial_in_words(reason) if reason else _("Allowed")]


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
def _conflict_shown_on_next_page() -> Iterator[None]:
    """When somebody else decided first, go on: the next page shows what holds now."""
    try:
        with suppress(DecisionConflict):
            yield
    except NotAnAdmin as error:
        raise PermissionDenied from error


def _found(office: Office, status: str, words: str) -> Any:
    consents = office.consents.with_use().select_related("partner", "decided_by").order_by("-pk")
    if status:
        consents = consents.filter(status=status)
    if words:
        by_name = Q(partner__name__icontains=words) | Q(partner__vendor__icontains=words)
        consents = consents.filter(by_name | Q(uuid__icontains=words))
    return consents


def _say(request: OfficeRequest, consent: Consent, sentence: str) -> None:
    """Say on the next page what was done."""
    messages.success(request, sentence % {"software": consent.partner.name})
