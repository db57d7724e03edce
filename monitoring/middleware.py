"""Time every request, and answer health checks before anything looks at the host name."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import resolve

from monitoring.timings import timings

PATHS = ("/health/live", "/health/ready")
# What machines ask of one process says nothing about the portal.
NOT_TIMED = (*PATHS, "/metrics")
METHODS = {name: name for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")}
CLASSES = {number: f"{number}xx" for number in range(1, 6)}


def timed(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Count each request by route, method and class of status, and how long its answer took.

    A route is the name of its URL pattern: a path would say whose page it is. Of a long download
    the time until it begins is counted. Static files and unknown pages have no route.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path_info in NOT_TIMED:
            return get_response(request)
        began = time.perf_counter()
        response = get_response(request)
        match = request.resolver_match
        timings.count(
            "call",
            match.view_name if match is not None else "none",
            METHODS.get(request.method or "", "other"),
            CLASSES.get(response.status_code // 100, "other"),
            time.perf_counter() - began,
        )
        return response

    return middleware


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
