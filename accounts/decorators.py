"""Decorators that say who may open a page: strangers get 404, colleagues without the role 403."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from accounts.login.sessions import ask_again_when_idle, newest_proof
from accounts.models import Membership, second_factors
from accounts.requests import OfficeRequest, PersonRequest

P = ParamSpec("P")
PersonView = Callable[Concatenate[PersonRequest, P], HttpResponse]
OfficeView = Callable[Concatenate[OfficeRequest, P], HttpResponseBase]
AnyView = Callable[..., HttpResponse]


def person_view(view: PersonView[P]) -> AnyView:
    """Ask for a login; after it the person comes back to this page."""
    return login_required(cast(AnyView, view))


def fresh_view(view: AnyView) -> AnyView:
    """For screens that show or change a secret: ask for a login and a recent proof of identity."""

    @login_required
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        _require_recent_proof(cast(PersonRequest, request))
        return view(request, *args, **kwargs)

    return cast(AnyView, wrapped)


def second_factor_first(request: HttpRequest, membership: Membership) -> HttpResponse | None:
    """The grace screen for an Admin whose office asks for a second factor that they do not have."""
    if not (membership.is_admin and membership.office.second_factor_required):
        return None
    if second_factors(membership.user_id).exists():
        return None
    context = {"office": membership.office, "next": request.get_full_path()}
    return render(request, "accounts/second_factor_first.html", context, status=403)


def office_view(*, admin: bool = False) -> Callable[[OfficeView[P]], AnyView]:
    """Find the office of the URL's slug, if the person works for it now.

    A stranger gets 404, whether the office exists or not; a colleague without the role gets 403;
    an Admin who was away for 30 minutes proves who they are.
    """

    def decorate(view: OfficeView[P]) -> AnyView:
        @login_required
        @wraps(view)
        def wrapped(request: HttpRequest, slug: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
            membership = (
                Membership.objects.active()
                .select_related("office")
                .filter(office__slug=slug, user__pk=cast(int, request.user.pk))
                .first()
            )
            if membership is None:
                raise Http404
            if admin and not membership.is_admin:
                raise PermissionDenied
            office_request = cast(OfficeRequest, request)
            office_request.office = membership.office
            office_request.membership = membership
            membership.note_visit()
            if admin:
                ask_again_when_idle(request)
            return second_factor_first(request, membership) or view(office_request, *args, **kwargs)

        return cast(AnyView, wrapped)

    return decorate


def ask_again_after_15_minutes(request: PersonRequest) -> None:
    """Ask for the password before an action if the last proof of identity is over 15 minutes old.

    Opening a page never asks. Raises ReauthenticationRequired: allauth's middleware shows the
    password screen, and then carries the action out or comes back to the page.
    """
    if request.method not in ("GET", "HEAD"):
        _require_recent_proof(request)


def _require_recent_proof(request: PersonRequest) -> None:
    if time.time() - newest_proof(request) > settings.ACCOUNT_REAUTHENTICATION_TIMEOUT:
        raise ReauthenticationRequired
