"""The addresses of a consent's pages, and the consent that a request is about."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode

from accounts.requests import OfficeRequest
from consents.decorators import ConsentRequest
from consents.models import Consent
from core.http import see_other


def via_of(request: ConsentRequest) -> str:
    """Whether the person came from the overview, and so goes back there."""
    asked = request.POST.get("via") or request.GET.get("via")
    return "overview" if asked == "overview" else ""


def link(name: str, consent: Consent, query: dict[str, str]) -> str:
    """The address of a page of this consent, with what is not empty of the query."""
    given = {key: value for key, value in query.items() if value}
    path = reverse(name, args=[consent.uuid])
    return f"{path}?{urlencode(given)}" if given else path


def to_page(name: str, consent: Consent, query: dict[str, str]) -> HttpResponse:
    """Send the browser to a page of this consent."""
    return see_other(link(name, consent, query))


def to_detail(consent: Consent) -> HttpResponse:
    """Send the browser to the detail page of this consent."""
    return see_other("consents:detail", consent.office.slug, consent.uuid)


def consent_of(request: OfficeRequest, uuid: UUID) -> Consent:
    """The consent of this office, or 404."""
    consents = Consent.objects.select_related("partner", "office", "decided_by", "terms")
    consent: Consent = get_object_or_404(consents, office=request.office, uuid=uuid)
    return consent
