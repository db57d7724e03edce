"""Answer health checks before anything looks at the host name of the request."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import resolve

PATHS = ("/health/live", "/health/ready")


def health_checks(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Answer health checks by any host name: a load balancer asks by IP address.

    Every other page answers 400 to a host name that is not in `ALLOWED_HOSTS`.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info not in PATHS:
            return get_response(request)
        response: HttpResponse = resolve(request.path_info).func(request)
        return response

    return middleware
