"""Pressed twice is pressed once: a second press of a button shows the result of the first.

Each rendering of a form has a token of its own (Django masks the CSRF secret anew each time), so
the same token with the same fields is the same press. The view always runs again, so no act is
lost. Only where it could show nothing but an error, because the first press has done it already,
is the person led to where the first press led.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from http import HTTPStatus

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
            cache.set(key, response.url, REMEMBERED_FOR)
        elif led_to := cache.get(key):
            return HttpResponseRedirect(led_to, status=HTTPStatus.SEE_OTHER)
        return response


def key_of_press(request: HttpRequest) -> str:
    """What a press and its repetition have in common; empty where no form of ours was sent."""
    token = request.POST.get(FIELD, "")
    if not token:
        return ""
    said = [request.get_full_path(), *sorted(map(repr, request.POST.lists()))]
    return f"press:{hashlib.sha256(chr(0).join(said).encode()).hexdigest()}"
