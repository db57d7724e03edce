"""The middleware of every page of the portal."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from django.db import DataError
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.urls import is_valid_path
from django.views.csrf import csrf_failure
from django.views.defaults import page_not_found

from core.streams import TRY_AGAIN, WHOLE, SlotStream, slots

# The limits of a request's body; an operator may send a picture of 1 MB.
MOST_BYTES, MOST_BYTES_OF_OPERATOR = 1024 * 1024, 2 * 1024 * 1024
SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
UUID = re.compile(r"[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}", re.IGNORECASE)


def private_pages(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Forbid caching: a page may be outdated a second later, or shown to somebody else."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("X-Frame-Options", "DENY")
        return response

    return middleware


def bounded_streams(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Send a short file in one piece, and a long one only while there is a slot for it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not isinstance(response, StreamingHttpResponse) or response.is_async:
            return response
        if isinstance(response.streaming_content, SlotStream):
            return response
        if int(response.headers.get("Content-Length", WHOLE + 1)) <= WHOLE:
            response.streaming_content = [b"".join(response.streaming_content)]
            return response
        slot = slots.take("pages")
        if slot is None:
            response.close()
            refusal = HttpResponse("Too many downloads\n", status=429, content_type="text/plain")
            refusal["Retry-After"] = str(TRY_AGAIN)
            return refusal
        response.streaming_content = SlotStream(slot, response.streaming_content)
        return response

    return middleware


class BoundedBodies:
    """Refuse a body that is too large before anything reads it, such as the check of the form.

    Operators may send more. A page that takes files sets its limit as `most_bytes`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, _arguments: Any, _named: Any
    ) -> HttpResponse | None:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        if length <= MOST_BYTES:
            return None
        if request.user.is_staff and length <= getattr(view, "most_bytes", MOST_BYTES_OF_OPERATOR):
            return None
        return render(request, "400.html", status=413)


class OwnFormsOnly:
    """Refuse a form that another site sent, as the browser reports it, even with a valid token."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, _arguments: Any, _named: Any
    ) -> HttpResponse | None:
        sent_by = request.headers.get("Sec-Fetch-Site", "")
        if sent_by not in ("cross-site", "same-site") or request.method in SAFE:
            return None
        if getattr(view, "csrf_exempt", False):
            return None
        return csrf_failure(request, reason=f"Sec-Fetch-Site: {sent_by}")


class ForgivingAddresses:
    """Redirect from an address that is nearly right, such as one with two slashes or capitals."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        unknown = response.status_code == 404 and request.resolver_match is None
        if unknown and request.method in ("GET", "HEAD"):
            for path in _nearly(request.path_info):
                if is_valid_path(path):
                    query = request.META.get("QUERY_STRING", "")
                    return HttpResponseRedirect(f"{path}?{query}" if query else path)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """PostgreSQL cannot store NUL, so an address with it names nothing that exists."""
        if isinstance(exception, ValueError | DataError) and "\0" in request.path_info:
            return page_not_found(request, exception)
        return None


def _nearly(path: str) -> Iterator[str]:
    """The addresses that the person may have meant, without the requested one."""
    plain = UUID.sub(lambda found: found[0].lower(), re.sub("/{2,}", "/", path))
    for meant in (plain, plain.rstrip("/"), plain.rstrip("/") + "/"):
        if meant and meant != path:
            yield meant
