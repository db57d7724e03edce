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
        # The name of the provider at which operators may log in; empty: there is none.
        "operator_login": settings.PORTAL_OPERATOR_OIDC_ISSUER
        and settings.PORTAL_OPERATOR_OIDC_NAME,
        "language_choices": LANGUAGES,
    }
