"""The consent from request to decision. GET changes nothing but who has seen the request."""

from __future__ import annotations

from contextlib import suppress

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import ask_again_after_15_minutes
from consents import seen
from consents.actors import Actor
from consents.choice import Choice, StaleChoice
from consents.forms import AskForm, ChoiceForm
from consents.models import DecisionConflict, NotAnAdmin, Status, Terms
from consents.screens import (
    ConsentRequest,
    Proof,
    Scope,
    consent_view,
    earlier_decisions,
    ended_by,
    just_decided,
    last_asked,
    way_back,
)
from consents.views.links import link, see_other, via_of

OUTCOME = {"allow": Status.ALLOWED, "deny": Status.DENIED}


@require_http_methods(["GET", "HEAD", "POST"])
@consent_view
def manage(request: ConsentRequest) -> HttpResponse:
    """Show who asks for what, and take the wish; a decided consent says what was decided."""
    consent, via = request.consent, via_of(request)
    if not consent.is_open:
        return _show_result(request, fresh=False)
    terms = Terms.objects.in_force(get_language() or "en")
    if request.method == "GET":
        seen.note(consent, request.user)
    if request.method != "POST":
        return _show_request(request, ChoiceForm(initial={"terms": terms.pk}), terms)
    if not request.membership.is_admin:
        raise PermissionDenied
    form = ChoiceForm(request.POST)
    if not form.is_valid():
        return _show_request(request, form, terms)
    if form.cleaned_data["choice"] == "allow" and form.cleaned_data["terms"] != terms.pk:
        return _show_request(request, ChoiceForm(initial={"terms": terms.pk}), terms, changed=True)
    choice = Choice(
        wish=form.cleaned_data["choice"],
        consent=str(consent.uuid),
        person=request.user.pk,
        terms=terms.pk,
        partner_name=consent.partner.name,
        partner_logo=consent.partner.logo_id or "",
        document_kinds=consent.shared_kinds,
        companies=Scope.of(consent).companies,
        scope_number=consent.scope_number,
    )
    return see_other("consents:confirm", consent, {"choice": choice.sign(), "via": via})


@require_http_methods(["GET", "HEAD", "POST"])
@consent_view
def confirm(request: ConsentRequest) -> HttpResponse:
    """Repeat the consequence in one sentence; on POST decide."""
    consent, via = request.consent, via_of(request)
    if not request.membership.is_admin:
        raise PermissionDenied
    signed = (request.POST if request.method == "POST" else request.GET).get("choice", "")
    try:
        choice = Choice.read(signed, consent=consent.uuid, person=request.user.pk)
    except StaleChoice:
        return see_other("consents:manage", consent, {"via": via})
    if request.method == "POST" or consent.is_open:
        ask_again_after_15_minutes(request)
    if request.method == "POST":
        return _decide(request, choice)
    if not consent.is_open:
        return see_other("consents:result", consent, {"via": via})
    return render(
        request,
        "consents/confirm.html",
        {
            "consent": consent,
            "choice": choice.wish,
            "scope": Scope.of(consent),
            "signed": signed,
            "via": via,
            "back_url": link("consents:manage", consent, {"via": via}),
        },
    )


def _decide(request: ConsentRequest, choice: Choice) -> HttpResponse:
    """Carry the wish out, or say calmly what came in between."""
    consent, via, by = request.consent, via_of(request), Actor.of(request)
    in_force = Terms.objects.in_force(get_language() or "en")
    shown = Terms.objects.get(pk=choice.terms)
    if choice.wish == "allow" and consent.is_open and shown.version != in_force.version:
        return see_other("consents:manage", consent, {"via": via, "terms": "changed"})
    try:
        if choice.wish == "allow":
            consent.allow(
                by,
                shown,
                choice.scope_number,
                partner_name=choice.partner_name,
                partner_logo=choice.partner_logo,
                document_kinds=choice.document_kinds,
                companies=choice.companies,
            )
        else:
            consent.deny(by)
    except DecisionConflict:
        if consent.is_open:  # a colleague changed what is shared in between
            return see_other("consents:manage", consent, {"via": via, "scope": "changed"})
        return see_other("consents:result", consent, {"via": via, "wish": choice.wish})
    except NotAnAdmin as error:
        raise PermissionDenied from error
    return see_other("consents:result", consent, {"via": via, "fresh": "1"})


@require_POST
@consent_view
def ask(request: ConsentRequest) -> HttpResponse:
    """A colleague who may not decide asks those who may."""
    consent, via = request.consent, via_of(request)
    if not consent.is_open:
        return see_other("consents:result", consent, {"via": via})
    form = AskForm(request.POST, office=consent.office)
    if not form.is_valid():
        return _show_request(request, form, Terms.objects.in_force(get_language() or "en"))
    with suppress(DecisionConflict):
        consent.ask_admins(Actor.of(request), form.people, form.cleaned_data["note"])
    return see_other("consents:manage", consent, {"via": via})


@require_safe
@consent_view
def result(request: ConsentRequest) -> HttpResponse:
    """Say what was decided and lead back to the software."""
    if request.consent.is_open:
        return see_other("consents:manage", request.consent, {"via": via_of(request)})
    return _show_result(request, fresh="fresh" in request.GET)


def _show_request(
    request: ConsentRequest, form: ChoiceForm | AskForm, terms: Terms, *, changed: bool = False
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
        **earlier_decisions(consent),
    }
    return render(request, "consents/manage.html", context)


def _show_result(request: ConsentRequest, *, fresh: bool) -> HttpResponse:
    consent, via = request.consent, via_of(request)
    wish = request.GET.get("wish")
    context = {
        "consent": consent,
        "fresh": fresh and just_decided(consent, request.user),
        "stands_still": consent.status == Status.ALLOWED and consent.access() is not None,
        "conflict": wish in OUTCOME and consent.status != OUTCOME[wish],
        "ended_by": ended_by(consent),
        "proof": Proof.of(consent) if consent.status == Status.CANCELLED else None,
        "via": via,
        "overview_url": reverse("consents:overview", args=[consent.office.slug])
        if request.membership.is_admin
        else "",
        **way_back(consent, via),
    }
    return render(request, "consents/result.html", context)


def _later_url(request: ConsentRequest) -> str:
    admins_page = via_of(request) and request.membership.is_admin
    page = "consents:overview" if admins_page else "dashboard:office"
    return reverse(page, args=[request.consent.office.slug])
