"""The web application: Django in one file, without a database.

Started as `granian --interface wsgi demo.software.app:application --port 8001`.
"""

import os
import secrets
from pathlib import Path

from django.conf import settings

HERE = Path(__file__).resolve().parent

settings.configure(
    SECRET_KEY=secrets.token_urlsafe(40),
    ALLOWED_HOSTS=["localhost", "127.0.0.1"],
    ROOT_URLCONF="demo.software.views",
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "csp.middleware.CSPMiddleware",
        "demo.software.not_yet.NotYet",
    ],
    INSTALLED_APPS=["csp"],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [HERE / "templates"],
            "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
        }
    ],
    # Cookies ignore the port, so the names must differ from those of the portal on the same host.
    CSRF_COOKIE_NAME="ledgerly_csrf",
    CONTENT_SECURITY_POLICY={
        "DIRECTIVES": {
            "default-src": ["'none'"],
            "style-src": ["'self'"],
            # The button "Connect CodaBox" posts here, and the answer redirects to the portal.
            "form-action": ["'self'", os.environ.get("PORTAL_URL", "http://localhost:8000")],
            "frame-ancestors": ["'none'"],
            "base-uri": ["'none'"],
        }
    },
    USE_TZ=True,
    TIME_ZONE="Europe/Brussels",
    DEBUG=False,
)

from django.core.wsgi import get_wsgi_application  # noqa: E402  # after the settings

application = get_wsgi_application()
