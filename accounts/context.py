"""What every template knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts.models import LANGUAGES, Office, User


def portal(request: HttpRequest) -> dict[str, Any]:
    """The portal's name, the languages and the offices among which the person can switch."""
    person = getattr(request, "user", None)
    return {
        "portal_name": settings.PORTAL_NAME,
        "support_email": settings.PORTAL_SUPPORT_EMAIL,
        "demo": settings.PORTAL_DEMO,
        "language_choices": LANGUAGES,
        "my_offices": Office.objects.of(person) if isinstance(person, User) else [],
    }
