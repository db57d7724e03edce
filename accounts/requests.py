"""The request after it was checked: whose it is, and for which office."""

from django.conf import settings
from django.http import HttpRequest

from accounts.models import Membership, Office, User


class PersonRequest(HttpRequest):
    """A request of a person who is logged in."""

    user: User


class OfficeRequest(PersonRequest):
    """A request of a person for an office she works for; `membership` was read for this request."""

    office: Office
    membership: Membership


def address_of(request: HttpRequest) -> str:
    """The caller's address as the outermost trusted proxy saw it, not as anybody says."""
    proxies = settings.PORTAL_TRUSTED_PROXIES
    entries = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if proxies and len(entries) >= proxies and entries[-proxies].strip():
        return str(entries[-proxies].strip()[:45])
    return str(request.META.get("REMOTE_ADDR") or "")
