"""What a consent covers: leave companies and kinds out at once, share more after a confirmation."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods

from accounts.decorators import ask_again_after_15_minutes, office_view
from accounts.finding import one_page
from accounts.requests import OfficeRequest
from clients.models import Client
from consents.actors import Actor
from consents.forms import AgreeForm, ScopeFilter, ScopeForm
from consents.models import Consent, DecisionConflict, NotAnAdmin, Status, Terms
from consents.scope import ScopeChange, change_scope, clients_in_scope, differing
from consents.screens import Scope, kinds_in_words
from consents.views.links import consent_of, office_page, see_other, to

PAGE = 50


@require_http_methods(["GET", "HEAD", "POST"])
@office_view(admin=True)
def scope(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """Choose what is shared. Less holds at once; more of a given consent is confirmed first."""
    consent = consent_of(request, uuid)
    if not (consent.is_open or consent.status == Status.ALLOWED):
        return see_other("consents:result", consent, {"via": "overview"})
    form = ScopeForm(request.POST if request.method == "POST" else None, consent=consent)
    if request.method == "POST" and form.is_valid():
        return _save(request, consent, form.change())
    context = {
        **office_page(request),
        **_companies(request, consent),
        "consent": consent,
        "scope": Scope.of(consent),
        "form": form,
        "back_url": _back(consent),
    }
    return render(request, "consents/scope.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@office_view(admin=True)
def more(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """Confirm that a software may read more than before."""
    consent = consent_of(request, uuid)
    change = ScopeChange.read(request.GET.get("change", ""), consent)
    if change is None or consent.status != Status.ALLOWED:
        return to(reverse("consents:scope", args=[request.office.slug, consent.uuid]))
    ask_again_after_15_minutes(request)
    terms = Terms.objects.in_force(get_language() or "en")
    form = AgreeForm(request.POST if request.method == "POST" else None, in_force=terms)
    if request.method == "POST" and form.is_valid():
        return _carried_out(request, consent, change, form.cleaned_data["terms"])
    added = Client.objects.active().filter(office=request.office, pk__in=change.clients_in)
    context = {
        **office_page(request),
        "consent": consent,
        "kinds": kinds_in_words(change.kinds_in),
        "companies": added.order_by("name")[:PAGE],
        "count": added.count(),
        "new_clients": change.new_clients,
        "terms": terms,
        "form": form,
    }
    return render(request, "consents/more.html", context)


def _save(request: OfficeRequest, consent: Consent, change: ScopeChange) -> HttpResponse:
    if consent.is_open:
        return _carried_out(request, consent, change)
    answer = _carried_out(request, consent, change.narrowing())
    widening = differing(consent, change.widening())
    if not widening or consent.status != Status.ALLOWED:
        return answer
    page = reverse("consents:more", args=[request.office.slug, consent.uuid])
    return to(f"{page}?{urlencode({'change': widening.sign(consent)})}")


def _carried_out(
    request: OfficeRequest, consent: Consent, change: ScopeChange, terms: Terms | None = None
) -> HttpResponse:
    try:
        change_scope(consent, Actor.of(request), change, terms)
    except DecisionConflict:
        return see_other("consents:result", consent, {"via": "overview"})
    except NotAnAdmin as error:
        raise PermissionDenied from error
    return to(_back(consent))


def _companies(request: OfficeRequest, consent: Consent) -> dict[str, Any]:
    """One page of the office's companies by name, after the one with the number `after`."""
    asked = ScopeFilter(request.GET)
    asked.is_valid()
    clients = Client.objects.active().filter(office=request.office).named(asked.words)
    page, last = one_page(clients.by_name(asked.given("after") or ""), PAGE)
    covered = clients_in_scope(consent).filter(pk__in=[client.pk for client in page])
    return {
        "companies": page,
        "covered": set(covered.values_list("pk", flat=True)),
        "asked": asked,
        "next_url": last and asked.further(after=last.company_number),
    }


def _back(consent: Consent) -> str:
    if consent.is_open:
        return reverse("consents:manage", args=[consent.uuid])
    return reverse("consents:detail", args=[consent.office.slug, consent.uuid])
