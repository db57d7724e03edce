"""allauth's rate limits for our own screens, and one page that explains all of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from allauth.core.internal import ratelimit
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

# Seconds: the longest window of a short limit. After that time a person can try again.
RETRY_AFTER = 300
APP = "allauth.account"

View = Callable[..., HttpResponse]


def limited(action: str) -> Callable[[View], View]:
    """Count the POSTs of a view against ACCOUNT_RATE_LIMITS[action]."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not ratelimit.consume(request, app=APP, action=action):
                return too_many_requests(request)
            return view(request, *args, **kwargs)

        return cast(View, wrapped)

    return decorate


def too_many_requests(request: HttpRequest, seconds: int = RETRY_AFTER) -> HttpResponse:
    """The page of every limit. It says how long to wait, and that nothing was changed."""
    minutes = math.ceil(seconds / 60)
    response = render(request, "429.html", {"minutes": minutes}, status=429)
    response["Retry-After"] = str(seconds)
    return response
