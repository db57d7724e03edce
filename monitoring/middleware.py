"""Time every request, and answer health checks before anything looks at the host name."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import resolve

from core.telemetry import SpanKind, telemetry
from monitoring.timings import timings

PATHS = ("/health/live", "/health/ready")
# What machines ask of one process says nothing about the portal.
NOT_TIMED = (*PATHS, "/metrics")
METHODS = {name: name for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")}
CLASSES = {number: f"{number}xx" for number in range(1, 6)}


def route_of(request: HttpRequest) -> str:
    """The name of the URL pattern: a path would say whose page it is."""
    match = request.resolver_match
    return match.view_name if match is not None else "none"


def timed(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Count each request by route, method and class of status, and how long its answer took.

    Of a long download the time until it begins is counted. Static files and unknown pages have no
    route.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path_info in NOT_TIMED:
            return get_response(request)
        began = time.perf_counter()
        response = get_response(request)
        timings.count(
            "call",
            route_of(request),
            METHODS.get(request.method or "", "other"),
            CLASSES.get(response.status_code // 100, "other"),
            time.perf_counter() - began,
        )
        return response

    return middleware


def traced(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Put each request into a span, in the trace of the caller if there is one."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path_info in NOT_TIMED:
            return get_response(request)
        parent = request.META.get("HTTP_TRACEPARENT", "")
        with telemetry.tracing.span("request", SpanKind.SERVER, parent) as span:
            response = get_response(request)
            route, method = route_of(request), METHODS.get(request.method or "", "other")
            span.rename(f"{method} {route}")
            span.note("http.request.method", method)
            span.note("http.route", route)
            span.note("http.response.status_code", response.status_code)
            if response.status_code >= 500:
                span.failed(str(response.status_code))
            if request_id := response.headers.get("ibanity-request-id"):
                span.note("portal.request_id", request_id)
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
