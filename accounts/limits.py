"""How often: allauth's rate limits for our own screens, and one clear page for all of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from allauth.core.internal import ratelimit
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

# Seconds: the longest window of a short limit. Who waits that long is served again.
RETRY_AFTER = 300

View = Callable[..., HttpResponse]


def limited(action: str) -> Callable[[View], View]:
    """Count the POSTs of a view against ACCOUNT_RATE_LIMITS[action]."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not ratelimit.consume(request, app="allauth.account", action=action):
                return too_many_requests(request)
            return view(request, *args, **kwargs)

        return cast(View, wrapped)

    return decorate


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """The page of every limit: how long to wait, and that nothing was changed."""
    response = render(request, "429.html", {"minutes": RETRY_AFTER // 60}, status=429)
    response["Retry-After"] = str(RETRY_AFTER)
    return response
