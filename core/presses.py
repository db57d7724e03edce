"""Pressed twice is pressed once: a second press of a button shows the result of the first.

Each rendering of a form has a token of its own (Django masks the CSRF secret anew each time), so
the same token with the same fields is the same press, where the same browser sends it. The view
always runs again, so no act is lost. Only where it could show nothing but an error, because the
first press has done it already, is the person led to where the first press led.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

FIELD = "csrfmiddlewaretoken"
# A double click on a slow line is over by then.
REMEMBERED_FOR = 60  # seconds
# The body was refused before anything read it.
UNREAD = (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.BAD_REQUEST)


class PressedTwice:
    """Remember where a press led, and lead its repetition there instead of to an error."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method != "POST" or response.status_code in UNREAD:
            return response
        key = key_of_press(request)
        if not key:
            return response
        if isinstance(response, HttpResponseRedirect):
            browser = cookies_before(request) | cookies_after(request)
            cache.set(key, (response.url, browser), REMEMBERED_FOR)
        elif remembered := cache.get(key):
            led_to, browser = remembered
            if browser & cookies_before(request):
                return HttpResponseRedirect(led_to, status=HTTPStatus.SEE_OTHER)
        return response


def cookies_before(request: HttpRequest) -> set[str]:
    """By which its browser is known: digests of its session, or of its CSRF cookie if it has none.

    A login gives both anew. The second of two quick presses brings the cookies from before it, a
    later one those that the first press left.
    """
    names = (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME)
    brought = [request.COOKIES[name] for name in names if request.COOKIES.get(name)]
    return set(map(_digest, brought[:1]))


def cookies_after(request: HttpRequest) -> set[str]:
    """The session that the browser has after this press, if any."""
    key = request.session.session_key
    return {_digest(key)} if key else set()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def key_of_press(request: HttpRequest) -> str:
    """What a press and its repetition have in common; empty where no form of ours was sent."""
    token = request.POST.get(FIELD, "")
    if not token:
        return ""
    said = [request.get_full_path(), *sorted(map(repr, request.POST.lists()))]
    return f"press:{_digest(chr(0).join(said))}"
