"""Where a person came from, and where she goes next: the office and the consent are in the URL."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from consents.models import Consent
from consents.screens import ConsentRequest


def via_of(request: ConsentRequest) -> str:
    """Whether the person came from the overview, and so goes back there."""
    asked = request.POST.get("via") or request.GET.get("via")
    return "overview" if asked == "overview" else ""


def link(name: str, consent: Consent, query: dict[str, str]) -> str:
    given = {key: value for key, value in query.items() if value}
    path = reverse(name, args=[consent.uuid])
    return f"{path}?{urlencode(given)}" if given else path


def see_other(name: str, consent: Consent, query: dict[str, str]) -> HttpResponse:
    """303, so that the browser comes with GET and Back and reload are harmless."""
    response = redirect(link(name, consent, query))
    response.status_code = 303
    return response
