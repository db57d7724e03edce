"""The two addresses of the login at a provider: there, and back."""

from __future__ import annotations

import time
from typing import Any

import structlog
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_GET

from accounts.login.rate_limits import APP, too_many_requests
from backoffice.oidc.operator import operator_of
from backoffice.oidc.provider import (
    LONGEST_ATTEMPT,
    LoginAttempt,
    LoginRejected,
    Provider,
    ProviderFailed,
    begin,
    is_on,
)
from core.http import safe_next

log = structlog.get_logger(__name__)
ATTEMPT = "operator_login"


@require_GET
def start_login(request: HttpRequest) -> HttpResponse:
    """Send the browser to the provider, with secrets that only this session knows."""
    if not is_on():
        raise Http404
    if not ratelimit.consume(request, app=APP, action="operator_login", limit_get=True):
        return too_many_requests(request)
    attempt = begin(safe_next(request, reverse("admin:index")))
    try:
        address = Provider.ask().login_address(attempt, _redirect_uri())
    except ProviderFailed as error:
        return _refused(request, "provider", error)
    request.session[ATTEMPT] = attempt
    return HttpResponseRedirect(address)


@require_GET
def finish_login(request: HttpRequest) -> HttpResponse:
    """Log the operator in whom the provider names; the second factor of the portal comes next.

    An attempt accepts one answer.
    """
    if not is_on():
        raise Http404
    if not ratelimit.consume(request, app=APP, action="operator_login", limit_get=True):
        return too_many_requests(request)
    attempt: LoginAttempt | None = request.session.pop(ATTEMPT, None)
    given = request.GET
    if attempt is None or not constant_time_compare(given.get("state", ""), attempt["state"]):
        return _refused(request, "expired", LoginRejected("no login was begun in this session"))
    if time.time() - attempt["at"] > LONGEST_ATTEMPT:
        return _refused(request, "expired", LoginRejected("the login took too long"))
    try:
        if given.get("iss", settings.PORTAL_OPERATOR_OIDC_ISSUER) != (
            settings.PORTAL_OPERATOR_OIDC_ISSUER
        ):
            raise LoginRejected("the answer is of another issuer")
        if "code" not in given:
            raise LoginRejected(f"no code, but the error {given.get('error', '')[:80]!r}")
        identity = Provider.ask().identity(given["code"], attempt, _redirect_uri())
        person = operator_of(identity, request)
    except ProviderFailed as error:
        return _refused(request, "provider", error)
    except LoginRejected as error:
        return _refused(request, "unknown", error)
    if request.user.is_authenticated:
        logout(request)
    record_authentication(request, person, "oidc", issuer=identity.issuer)
    response: HttpResponse = perform_login(request, Login(person, redirect_url=attempt["next"]))
    return response


def _redirect_uri() -> str:
    """Return the address to which the provider sends browsers; it is registered there."""
    return f"{settings.PORTAL_URL}{reverse('backoffice:oidc_finish')}"


STATUS = {"provider": 502, "expired": 400, "unknown": 403}


def _refused(request: HttpRequest, why: str, error: Exception) -> HttpResponse:
    """Say that nobody was logged in, and nothing about which accounts there are."""
    log.warning("operator_login_refused", why=why, detail=str(error))
    context: dict[str, Any] = {"why": why, "provider": settings.PORTAL_OPERATOR_OIDC_NAME}
    return render(request, "backoffice/operator_login_refused.html", context, status=STATUS[why])
