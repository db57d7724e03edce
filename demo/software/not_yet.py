"""Until the demo's data and the portal are there: a page that says so, and comes back by itself."""

from __future__ import annotations

from collections.abc import Callable

import httpx
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from demo.software.state import NotLoadedError

TRY_AGAIN = 2  # seconds


class NotYet:
    """Middleware: 503 with `Retry-After` instead of the page of a crash."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, NotLoadedError | httpx.TransportError):
            return None
        context = {
            "is_loading": isinstance(error, NotLoadedError),
            # A form that was sent is not sent again.
            "comes_back": TRY_AGAIN if request.method == "GET" else None,
        }
        answer = render(request, "not_yet.html", context, status=503)
        answer.headers["Retry-After"] = str(TRY_AGAIN)
        return answer
