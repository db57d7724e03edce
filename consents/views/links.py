"""Where a person came from, and where she goes next: the office and the consent are in the URL."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode

from accounts.requests import OfficeRequest
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
    return to(link(name, consent, query))


def to(address: str) -> HttpResponse:
    """303, so that the browser comes with GET and Back and reload are harmless."""
    response = redirect(address)
    response.status_code = 303
    return response


def consent_of(request: OfficeRequest, uuid: UUID) -> Consent:
    """The consent of this office, or 404."""
    consents = Consent.objects.select_related("partner", "office", "decided_by", "terms")
    consent: Consent = get_object_or_404(consents, office=request.office, uuid=uuid)
    return consent


def office_page(request: OfficeRequest) -> dict[str, Any]:
    """What every page below Administration > CodaBox Connect tells its frame."""
    return {"office": request.office, "role": request.membership.role, "section": "consents"}
