"""The web process: what granian serves."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import resolve

from core.slow_readers import cut_slow_readers
from monitoring.database_role import refuse_wrong_role
from monitoring.switch_on import switch_on
from monitoring.unknown_settings import log_unknown_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "codabox_portal.settings")
# A database that hangs must not hang the callers: they get 503 and come back (PostgreSQL's own
# variable, so that jobs and migrations, which may take longer, are left alone).
os.environ.setdefault("PGOPTIONS", "-c statement_timeout=4000")
_django = get_wsgi_application()
refuse_wrong_role()
log_unknown_settings()
switch_on()
cut_slow_readers(settings.PORTAL_SLOWEST_READER)
# Load every view now and keep all of it: otherwise each full garbage collection looks through
# 200,000 objects that never go, which a search for 5,000 companies starts every few calls.
resolve("/codabox-connect")
gc.collect()
gc.freeze()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Django, spared of what it cannot read: an encoded parameter (RFC 2231) of a Content-Type."""
    media_type, encoded, _ = environ.get("CONTENT_TYPE", "").partition("*=")
    if encoded:
        environ["CONTENT_TYPE"] = media_type.rpartition(";")[0]
    return _django(environ, start_response)
