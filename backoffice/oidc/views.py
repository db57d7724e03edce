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
    BEGUN_FOR,
    Begun,
    NotBelieved,
    Provider,
    ProviderFailed,
    begin,
    is_on,
)
from core.http import safe_next

log = structlog.get_logger(__name__)
BEGUN = "operator_login"


@require_GET
def there(request: HttpRequest) -> HttpResponse:
    """Send the browser to the provider, with secrets that only this session knows."""
    if not is_on():
        raise Http404
    if not ratelimit.consume(request, app=APP, action="operator_login", limit_get=True):
        return too_many_requests(request)
    begun = begin(safe_next(request, reverse("admin:index")))
    try:
        address = Provider.ask().login_address(begun, _back())
    except ProviderFailed as error:
        return _refused(request, "provider", error)
    request.session[BEGUN] = begun
    return HttpResponseRedirect(address)


@require_GET
def back(request: HttpRequest) -> HttpResponse:
    """Log the operator in whom the provider names; the second factor of the portal comes next.

    Each login that was begun counts for one answer.
    """
    if not is_on():
        raise Http404
    if not ratelimit.consume(request, app=APP, action="operator_login", limit_get=True):
        return too_many_requests(request)
    begun: Begun | None = request.session.pop(BEGUN, None)
    given = request.GET
    if begun is None or not constant_time_compare(given.get("state", ""), begun["state"]):
        return _refused(request, "over", NotBelieved("no login was begun in this session"))
    if time.time() - begun["at"] > BEGUN_FOR:
        return _refused(request, "over", NotBelieved("the login took too long"))
    try:
        if given.get("iss", settings.PORTAL_OPERATOR_OIDC_ISSUER) != (
            settings.PORTAL_OPERATOR_OIDC_ISSUER
        ):
            raise NotBelieved("the answer is of another issuer")
        if "code" not in given:
            raise NotBelieved(f"no code, but the error {given.get('error', '')[:80]!r}")
        identity = Provider.ask().identity(given["code"], begun, _back())
        person = operator_of(identity, request)
    except ProviderFailed as error:
        return _refused(request, "provider", error)
    except NotBelieved as error:
        return _refused(request, "unknown", error)
    if request.user.is_authenticated:
        logout(request)
    record_authentication(request, person, "oidc", issuer=identity.issuer)
    response: HttpResponse = perform_login(request, Login(person, redirect_url=begun["next"]))
    return response


def _back() -> str:
    """Return the address to which the provider sends browsers; it must know it (in the docs)."""
    return f"{settings.PORTAL_URL}{reverse('backoffice:oidc_back')}"


STATUS = {"provider": 502, "over": 400, "unknown": 403}


def _refused(request: HttpRequest, why: str, error: Exception) -> HttpResponse:
    """Say that nobody was logged in, and nothing about which accounts there are."""
    log.warning("operator_login_refused", why=why, detail=str(error))
    context: dict[str, Any] = {"why": why, "provider": settings.PORTAL_OPERATOR_OIDC_NAME}
    return render(request, "backoffice/operator_login_refused.html", context, status=STATUS[why])
