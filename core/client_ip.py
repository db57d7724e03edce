"""The address of the caller, as the trusted proxy reports it."""

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """The caller's address as the outermost trusted proxy saw it; other headers are ignored."""
    proxies = settings.PORTAL_TRUSTED_PROXIES
    entries = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if proxies and len(entries) >= proxies and entries[-proxies].strip():
        return str(entries[-proxies].strip()[:45])
    return str(request.META.get("REMOTE_ADDR") or "")
