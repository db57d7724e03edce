"""The terms changed: read what is different, accept it, or end the consent."""

from __future__ import annotations

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
from consents.models import Consent, DecisionConflict, NotAnAdmin, Status, Terms
from consents.reacceptance import differences, reaccept
from consents.views.links import consent_of, office_page, see_other, to


@require_http_methods(["GET", "HEAD", "POST"])
@office_view(admin=True)
def terms(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """Show the difference word by word, and take the acceptance."""
    consent = consent_of(request, uuid)
    if consent.status != Status.ALLOWED or consent.reaccept_by is None:
        return to(reverse("consents:detail", args=[request.office.slug, uuid]))
    ask_again_after_15_minutes(request)
    in_force = Terms.objects.in_force(get_language() or "en")
    form = AgreeForm(request.POST if request.method == "POST" else None, in_force=in_force)
    if request.method == "POST" and form.is_valid():
        return _accept(request, consent, form.cleaned_data["terms"])
    context = {
        **office_page(request),
        "consent": consent,
        "terms": in_force,
        "passages": differences(_accepted(consent, in_force.language), in_force.body),
        "form": form,
    }
    return render(request, "consents/terms.html", context)


def _accept(request: OfficeRequest, consent: Consent, words: Terms) -> HttpResponse:
    try:
        reaccept(consent, Actor.of(request), words)
    except DecisionConflict:
        return see_other("consents:result", consent, {"via": "overview"})
    except NotAnAdmin as error:
        raise PermissionDenied from error
    return to(reverse("consents:detail", args=[request.office.slug, consent.uuid]))


def _accepted(consent: Consent, language: str) -> str:
    """The accepted version in the language of the page, or as it was accepted."""
    accepted = consent.terms
    if accepted is None:
        return ""
    same = Terms.objects.filter(version=accepted.version, language=language).first()
    return (same or accepted).body
