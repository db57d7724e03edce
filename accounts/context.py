"""The context of every template."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts.models import LANGUAGES


def portal(request: HttpRequest) -> dict[str, Any]:
    """The portal's name, its support and its languages."""
    return {
        "portal_name": settings.PORTAL_NAME,
        "support_email": settings.PORTAL_SUPPORT_EMAIL,
        "demo": settings.PORTAL_DEMO,
        "language_choices": LANGUAGES,
    }
