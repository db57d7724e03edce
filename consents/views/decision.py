"""The consent from request to decision. A GET changes nothing but the view log."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import ask_again_after_15_minutes
from consents.actors import Actor
from consents.decorators import ConsentRequest, consent_view
from consents.forms import AskForm, DecisionForm
from consents.models import Consent, DecisionConflict, NotAnAdmin, Status, Terms, view_log
from consents.presenters import (
    Proof,
    Scope,
    denial_of,
    earlier_decisions,
    ended_by,
    just_decided,
    last_asked,
    way_back,
)
from consents.scope import snapshot_of
from consents.signed_decision import SignedDecision, StaleDecision
from consents.views.navigation import link, to_page, via_of
from core.clock import database_time

OUTCOME = {"allow": Status.ALLOWED, "deny": Status.DENIED}


@require_http_methods(["GET", "HEAD", "POST"])
@consent_view
def manage(request: ConsentRequest) -> HttpResponse:
    """Show who asks for what and take the decision; a decided consent shows what was decided."""
    consent, via = request.consent, via_of(request)
    if not consent.is_open(database_time()):
        return _show_result(request, fresh=False)
    terms = Terms.objects.in_force(get_language() or "en")
    if request.method == "GET":
        view_log.record_view(consent, request.user)
    if request.method != "POST":
        return _show_request(request, DecisionForm(initial={"terms": terms.pk}), terms)
    if not request.membership.is_admin:
        raise PermissionDenied
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _show_request(request, form, terms)
    if form.cleaned_data["choice"] == "allow" and form.cleaned_data["terms"] != terms.pk:
        return _show_request(
            request, DecisionForm(initial={"terms": terms.pk}), terms, changed=True
        )
    decision = SignedDecision(
        choice=form.cleaned_data["choice"],
        consent=str(consent.uuid),
        person=request.user.pk,
        terms=terms.pk,
        scope_number=consent.scope_number,
        snapshot=snapshot_of(consent),
    )
    return to_page("consents:confirm", consent, {"choice": decision.sign(), "via": via})


@require_http_methods(["GET", "HEAD", "POST"])
@consent_view
def confirm(request: ConsentRequest) -> HttpResponse:
    """Repeat the consequence in one sentence; on POST decide."""
    consent, via = request.consent, via_of(request)
    if not request.membership.is_admin:
        raise PermissionDenied
    signed = (request.POST if request.method == "POST" else request.GET).get("choice", "")
    try:
        decision = SignedDecision.read(signed, consent=consent.uuid, person=request.user.pk)
    except StaleDecision:
        return to_page("consents:manage", consent, {"via": via})
    now = database_time()
    is_open = consent.is_open(now)
    if request.method == "POST" or is_open:
        ask_again_after_15_minutes(request)
    if request.method == "POST":
        return _decide(request, decision)
    if not is_open:
        return to_page("consents:result", consent, {"via": via})
    return render(
        request,
        "consents/confirm.html",
        {
            "consent": consent,
            "choice": decision.choice,
            "scope": Scope.of(consent),
            "signed": signed,
            "via": via,
            "back_url": link("consents:manage", consent, {"via": via}),
            "asks_again_at": Consent.objects.asks_again_at(consent, now),
        },
    )


def _decide(request: ConsentRequest, decision: SignedDecision) -> HttpResponse:
    """Carry out the decision, or show what happened in between."""
    consent, via, by = request.consent, via_of(request), Actor.of(request)
    is_open = consent.is_open(database_time())
    in_force = Terms.objects.in_force(get_language() or "en")
    shown = Terms.objects.get(pk=decision.terms)
    if decision.choice == "allow" and is_open and shown.version != in_force.version:
        return to_page("consents:manage", consent, {"via": via, "terms": "changed"})
    try:
        if decision.choice == "allow":
            consent.allow(by, shown, decision.snapshot, decision.scope_number)
        else:
            consent.deny(by)
    except DecisionConflict:
        if consent.is_open(database_time()):  # a colleague changed what is shared in between
            return to_page("consents:manage", consent, {"via": via, "scope": "changed"})
        return to_page("consents:result", consent, {"via": via, "wish": decision.choice})
    except NotAnAdmin as error:
        raise PermissionDenied from error
    return to_page("consents:result", consent, {"via": via, "fresh": "1"})


@require_POST
@consent_view
def ask(request: ConsentRequest) -> HttpResponse:
    """A colleague who may not decide asks those who may."""
    consent, via = request.consent, via_of(request)
    if not consent.is_open(database_time()):
        return to_page("consents:result", consent, {"via": via})
    form = AskForm(request.POST, office=consent.office)
    if not form.is_valid():
        return _show_request(request, form, Terms.objects.in_force(get_language() or "en"))
    with suppress(DecisionConflict):
        consent.ask_admins(Actor.of(request), form.people, form.cleaned_data["note"])
    return to_page("consents:manage", consent, {"via": via})


@require_safe
@consent_view
def result(request: ConsentRequest) -> HttpResponse:
    """Say what was decided and lead back to the software."""
    if request.consent.is_open(database_time()):
        return to_page("consents:manage", request.consent, {"via": via_of(request)})
    return _show_result(request, fresh="fresh" in request.GET)


def _show_request(
    request: ConsentRequest, form: DecisionForm | AskForm, terms: Terms, *, changed: bool = False
) -> HttpResponse:
    consent, membership = request.consent, request.membership
    admins = list(consent.office.memberships.admins().select_related("user").order_by("user__name"))
    stage = "decide" if membership.is_admin else "read_only" if admins else "no_admin"
    context = {
        "consent": consent,
        "stage": stage,
        "scope": Scope.of(consent),
        "terms": terms,
        "form": form,
        "scope_changed": request.GET.get("scope") == "changed",
        "terms_changed": changed or request.GET.get("terms") == "changed",
        "admins": admins,
        "admin_names": [membership.user.name for membership in admins],
        "asked_at": last_asked(consent, request.user),
        "via": via_of(request),
        "later_url": _later_url(request),
        "earlier": earlier_decisions(consent),
    }
    return render(request, "consents/manage.html", context)


def _show_result(request: ConsentRequest, *, fresh: bool) -> HttpResponse:
    consent, via = request.consent, via_of(request)
    choice, now = request.GET.get("wish"), database_time()
    context = {
        "now": now,
        "consent": consent,
        "fresh": fresh and just_decided(consent, request.user, now),
        "denial": denial_of(consent),
        "conflict": choice in OUTCOME and consent.status != OUTCOME[choice],
        "ended_by": ended_by(consent),
        "asks_again_at": _asks_again_at(consent, now),
        "proof": Proof.of(consent) if consent.status == Status.CANCELLED else None,
        "via": via,
        "overview_url": reverse("consents:overview", args=[consent.office.slug])
        if request.membership.is_admin
        else "",
        "way_back": way_back(consent, via),
    }
    return render(request, "consents/result.html", context)


def _later_url(request: ConsentRequest) -> str:
    admins_page = via_of(request) and request.membership.is_admin
    page = "consents:overview" if admins_page else "dashboard:office"
    return reverse(page, args=[request.consent.office.slug])


def _asks_again_at(consent: Consent, now: datetime) -> datetime | None:
    """When the software may ask again; None when nobody was denied, or the time has come."""
    if consent.status != Status.DENIED:
        return None
    at: datetime | None = Consent.objects.asks_again_at(consent, now)
    return at if at and at > now else None
