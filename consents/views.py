"""The consent from request to decision, and its overview. GET changes nothing."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Max, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import ask_again_after_15_minutes, office_view
from accounts.models import Office
from accounts.requests import OfficeRequest
from consents.actors import Actor
from consents.choice import Choice, StaleChoice
from consents.forms import CancelForm, ChoiceForm, OverviewFilter
from consents.models import Consent, DecisionConflict, NotAnAdmin, Status, Terms
from consents.screens import (
    ConsentRequest,
    Proof,
    Scope,
    consent_view,
    earlier_decisions,
    ended_by,
    just_decided,
    way_back,
)

PAGE = 25
OUTCOME = {"allow": Status.ALLOWED, "deny": Status.DENIED}


@require_http_methods(["GET", "HEAD", "POST"])
@consent_view
def manage(request: ConsentRequest) -> HttpResponse:
    """Show who asks for what, and take the wish; a decided consent says what was decided."""
    consent, via = request.consent, _via(request)
    if not consent.is_open:
        return _show_result(request, fresh=False)
    terms = Terms.objects.in_force(get_language() or "en")
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
        document_kinds=consent.partner.document_kinds,
        companies=Scope.of(consent).companies,
    )
    return _see_other("consents:confirm", consent, {"choice": choice.sign(), "via": via})


@require_http_methods(["GET", "HEAD", "POST"])
@consent_view
def confirm(request: ConsentRequest) -> HttpResponse:
    """Repeat the consequence in one sentence; on POST decide."""
    consent, via = request.consent, _via(request)
    if not request.membership.is_admin:
        raise PermissionDenied
    signed = (request.POST if request.method == "POST" else request.GET).get("choice", "")
    try:
        choice = Choice.read(signed, consent=consent.uuid, person=request.user.pk)
    except StaleChoice:
        return _see_other("consents:manage", consent, {"via": via})
    if request.method == "POST" or consent.is_open:
        ask_again_after_15_minutes(request)
    if request.method == "POST":
        return _decide(request, choice)
    if not consent.is_open:
        return _see_other("consents:result", consent, {"via": via})
    return render(
        request,
        "consents/confirm.html",
        {
            "consent": consent,
            "choice": choice.wish,
            "scope": Scope.of(consent),
            "signed": signed,
            "via": via,
            "back_url": _url("consents:manage", consent, {"via": via}),
        },
    )


def _decide(request: ConsentRequest, choice: Choice) -> HttpResponse:
    """Carry the wish out, or say calmly what came in between."""
    consent, via, by = request.consent, _via(request), Actor.of(request)
    in_force = Terms.objects.in_force(get_language() or "en")
    shown = Terms.objects.get(pk=choice.terms)
    if choice.wish == "allow" and consent.is_open and shown.version != in_force.version:
        return _see_other("consents:manage", consent, {"via": via, "terms": "changed"})
    try:
        if choice.wish == "allow":
            consent.allow(
                by,
                shown,
                partner_name=choice.partner_name,
                document_kinds=choice.document_kinds,
                companies=choice.companies,
            )
        else:
            consent.deny(by)
    except DecisionConflict:
        return _see_other("consents:result", consent, {"via": via, "wish": choice.wish})
    except NotAnAdmin as error:
        raise PermissionDenied from error
    return _see_other("consents:result", consent, {"via": via, "fresh": "1"})


@require_safe
@consent_view
def result(request: ConsentRequest) -> HttpResponse:
    """Say what was decided and lead back to the software."""
    if request.consent.is_open:
        return _see_other("consents:manage", request.consent, {"via": _via(request)})
    return _show_result(request, fresh="fresh" in request.GET)


@require_safe
@office_view(admin=True)
def overview(request: OfficeRequest) -> HttpResponse:
    """All consents of the office, newest first, paged by key."""
    wanted = OverviewFilter(request.GET)
    # What is no filter is left out; the others still hold.
    wanted.is_valid()
    chosen = wanted.cleaned_data
    status = chosen.get("status") if chosen.get("status") in Status.values else ""
    consents = _found(request.office, status or "", chosen.get("q", ""))
    if chosen.get("before"):
        consents = consents.filter(pk__lt=chosen["before"])
    page = list(consents[: PAGE + 1])
    more = {
        "status": status,
        "q": chosen.get("q", ""),
        "before": page[PAGE - 1].pk if page[PAGE:] else "",
    }
    context = {
        **_office_page(request),
        "consents": page[:PAGE],
        "status": status,
        "q": chosen.get("q", ""),
        "statuses": Status.choices,
        "next_url": f"?{urlencode(more)}" if page[PAGE:] else None,
    }
    return render(request, "consents/overview.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@office_view(admin=True)
def cancel(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """End a given consent, after showing what the software will miss."""
    consent = get_object_or_404(
        Consent.objects.select_related("partner", "office"), office=request.office, uuid=uuid
    )
    if consent.status != Status.ALLOWED:
        return _see_other("consents:result", consent, {"via": "overview"})
    ask_again_after_15_minutes(request)
    form = CancelForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            consent.cancel(Actor.of(request))
        except NotAnAdmin as error:
            raise PermissionDenied from error
        return _see_other("consents:result", consent, {"via": "overview", "fresh": "1"})
    context = {
        **_office_page(request),
        "consent": consent,
        "form": form,
        "scope": Scope.of(consent),
        "last_served_at": Proof.of(consent).last_served_at,
    }
    return render(request, "consents/cancel.html", context)


def _found(office: Office, status: str, words: str) -> Any:
    consents = (
        office.consents.select_related("partner", "decided_by")
        .annotate(last_served_at=Max("activity__last_served_at"))
        .order_by("-pk")
    )
    if status:
        consents = consents.filter(status=status)
    if words:
        by_name = Q(partner__name__icontains=words) | Q(partner__vendor__icontains=words)
        consents = consents.filter(by_name | Q(uuid__icontains=words))
    return consents


def _office_page(request: OfficeRequest) -> dict[str, Any]:
    return {"office": request.office, "role": request.membership.role, "section": "consents"}


def _show_request(
    request: ConsentRequest, form: ChoiceForm, terms: Terms, *, changed: bool = False
) -> HttpResponse:
    consent, membership = request.consent, request.membership
    admins = [m.user.name for m in consent.office.memberships.admins().select_related("user")]
    stage = "decide" if membership.is_admin else "read_only" if admins else "no_admin"
    context = {
        "consent": consent,
        "stage": stage,
        "scope": Scope.of(consent),
        "terms": terms,
        "form": form,
        "terms_changed": changed or request.GET.get("terms") == "changed",
        "admins": admins,
        "via": _via(request),
        "later_url": _later_url(request),
        **earlier_decisions(consent),
    }
    return render(request, "consents/manage.html", context)


def _show_result(request: ConsentRequest, *, fresh: bool) -> HttpResponse:
    consent, via = request.consent, _via(request)
    wish = request.GET.get("wish")
    context = {
        "consent": consent,
        "fresh": fresh and just_decided(consent, request.user),
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
    admins_page = _via(request) and request.membership.is_admin
    page = "consents:overview" if admins_page else "dashboard:office"
    return reverse(page, args=[request.consent.office.slug])


def _via(request: ConsentRequest) -> str:
    """Whether the person came from the overview, and so goes back there."""
    asked = request.POST.get("via") or request.GET.get("via")
    return "overview" if asked == "overview" else ""


def _url(name: str, consent: Consent, query: dict[str, str]) -> str:
    given = {key: value for key, value in query.items() if value}
    path = reverse(name, args=[consent.uuid])
    return f"{path}?{urlencode(given)}" if given else path


def _see_other(name: str, consent: Consent, query: dict[str, str]) -> HttpResponse:
    """303, so that the browser comes with GET and Back and reload are harmless."""
    response = redirect(_url(name, consent, query))
    response.status_code = 303
    return response
