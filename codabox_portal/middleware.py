"""What every page of the portal has in common."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.csrf import csrf_failure

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")


def private_pages(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Forbid keeping a page: what it says may be untrue, or somebody else's, a second later."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("X-Frame-Options", "DENY")
        return response

    return middleware


class OwnFormsOnly:
    """Refuse what the browser itself says another site sent, whatever token it carries."""

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
