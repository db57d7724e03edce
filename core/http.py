"""Redirects that are safe to follow, and the page of last resort."""

from __future__ import annotations

import sys
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.defaults import server_error

# When a page may be asked for again after the database was away or gave up, in seconds.
TRY_AGAIN_IN = 5


def see_other(to: str, *args: Any, **kwargs: Any) -> HttpResponse:
    """Redirect with 303: the browser follows with GET, so Back and reload do no harm."""
    response: HttpResponse = redirect(to, *args, **kwargs)
    response.status_code = 303
    return response


def safe_next(request: HttpRequest, otherwise: str = "") -> str:
    """The path in the portal to which the person was going; other addresses are ignored."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return otherwise


def last_resort(request: HttpRequest) -> HttpResponse:
    """The page for an exception that nobody expected; Django calls it while it is handled.

    503 where the database is away, too slow, or ended the transaction twice for the sake of another
    one: nothing of it was kept, so the same request may be sent again in a moment.
    """
    page = server_error(request)
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        page.status_code = 503
        page["Retry-After"] = str(TRY_AGAIN_IN)
    return page
