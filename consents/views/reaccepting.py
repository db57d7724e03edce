"""Agree anew, or end the consent: the terms changed, or the person who agreed has left."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods

from accounts.decorators import ask_again_after_15_minutes, office_view
from accounts.requests import OfficeRequest
from consents.actors import Actor
from consents.forms import AgreeForm
from consents.models import Consent, DecisionConflict, EventKind, NotAnAdmin, Status, Terms
from consents.reacceptance import Passage, beside_changes, differences, reaccept
from consents.screens import Scope
from consents.views.links import consent_of, office_page, see_other, to


@require_http_methods(["GET", "HEAD", "POST"])
@office_view(admin=True)
def terms(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """Show the difference word by word, and take the acceptance."""
    consent = consent_of(request, uuid)
    if consent.status != Status.ALLOWED or consent.reaccept_by is None:
        return _to_detail(consent)
    return _agree(request, consent, EventKind.REACCEPTED, "consents/terms.html", {})


@require_http_methods(["GET", "HEAD", "POST"])
@office_view(admin=True)
def reaffirm(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """Show what was agreed to by somebody who left, and take the word that it goes on."""
    consent = consent_of(request, uuid)
    left = Consent.objects.filter(pk=consent.pk).whose_giver_left().first()
    if left is None:
        return _to_detail(consent)
    told = {"left": left, "scope": Scope.of(consent)}
    return _agree(request, consent, EventKind.REAFFIRMED, "consents/reaffirm.html", told)


def _agree(
    request: OfficeRequest, consent: Consent, kind: EventKind, page: str, told: dict[str, Any]
) -> HttpResponse:
    """The page with the terms in force and the switch; with both, the agreement."""
    ask_again_after_15_minutes(request)
    in_force = Terms.objects.in_force(get_language() or "en")
    form = AgreeForm(request.POST if request.method == "POST" else None, in_force=in_force)
    if request.method == "POST" and form.is_valid():
        return _accept(request, consent, form.cleaned_data["terms"], kind)
    context = {
        **office_page(request),
        **told,
        "consent": consent,
        "terms": in_force,
        "passages": _changes(consent, in_force),
        "form": form,
    }
    return render(request, page, context)


def _accept(
    request: OfficeRequest, consent: Consent, words: Terms, kind: EventKind
) -> HttpResponse:
    try:
        reaccept(consent, Actor.of(request), words, kind)
    except DecisionConflict:
        return see_other("consents:result", consent, {"via": "overview"})
    except NotAnAdmin as error:
        raise PermissionDenied from error
    return _to_detail(consent)


def _changes(consent: Consent, in_force: Terms) -> list[Passage]:
    """What differs from the accepted version, in the language of the page or as it was accepted."""
    accepted = consent.terms
    if accepted is None or accepted.version == in_force.version:
        return []
    same = Terms.objects.filter(version=accepted.version, language=in_force.language).first()
    return beside_changes(differences((same or accepted).body, in_force.body))


def _to_detail(consent: Consent) -> HttpResponse:
    return to(reverse("consents:detail", args=[consent.office.slug, consent.uuid]))
