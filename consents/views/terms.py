"""Accept the terms again, or end the consent: they changed, or who agreed has left."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods

from accounts.decorators import ask_again_after_15_minutes, office_view
from accounts.requests import OfficeRequest, office_page
from consents.actors import Actor
from consents.forms import AgreeForm
from consents.models import Consent, DecisionConflict, EventKind, NotAnAdmin, Status, Terms
from consents.presenters import Scope
from consents.terms_acceptance import Passage, accept_terms, beside_changes, differences
from consents.views.navigation import consent_of, to_detail, to_page
from core.clock import database_time


@require_http_methods(["GET", "HEAD", "POST"])
@office_view(admin=True)
def terms(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """Show the difference word by word, and take the acceptance."""
    consent = consent_of(request, uuid)
    if consent.status != Status.ALLOWED or consent.accept_terms_by is None:
        return to_detail(consent)
    return _agree(request, consent, EventKind.REACCEPTED, "consents/terms.html", {})


@require_http_methods(["GET", "HEAD", "POST"])
@office_view(admin=True)
def reaffirm(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """Show what was agreed to by somebody who left, and take the word that it goes on."""
    consent = consent_of(request, uuid)
    left = Consent.objects.filter(pk=consent.pk).whose_giver_left().first()
    if left is None:
        return to_detail(consent)
    context = {"left": left, "scope": Scope.of(consent)}
    return _agree(request, consent, EventKind.REAFFIRMED, "consents/reaffirm.html", context)


def _agree(
    request: OfficeRequest, consent: Consent, kind: EventKind, page: str, context: dict[str, Any]
) -> HttpResponse:
    """The page with the terms in force and the switch; with both, the agreement."""
    ask_again_after_15_minutes(request)
    in_force = Terms.objects.in_force(get_language() or "en")
    form = AgreeForm(request.POST if request.method == "POST" else None, in_force=in_force)
    if request.method == "POST" and form.is_valid():
        return _accept(request, consent, form.cleaned_data["terms"], kind)
    context = {
        **office_page(request, "consents"),
        **context,
        "now": database_time(),
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
        accept_terms(consent, Actor.of(request), words, kind)
    except DecisionConflict:
        return to_page("consents:result", consent, {"via": "overview"})
    except NotAnAdmin as error:
        raise PermissionDenied from error
    return to_detail(consent)


def _changes(consent: Consent, in_force: Terms) -> list[Passage]:
    """What differs from the accepted version, in the language of the page or as it was accepted."""
    accepted = consent.terms
    if accepted is None or accepted.version == in_force.version:
        return []
    same = Terms.objects.filter(version=accepted.version, language=in_force.language).first()
    return beside_changes(differences((same or accepted).body, in_force.body))
