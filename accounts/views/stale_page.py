"""A form that was sent from a page that is no longer current."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

# Django has no public function that compares a form's token with its secret.
from django.middleware.csrf import InvalidTokenFormat, _check_token_format, _does_token_match  # type: ignore[attr-defined]
from django.views.csrf import csrf_failure

from accounts.login.sessions import CSRF_BEFORE_LOGIN
from core.http import safe_next, see_other

# These pages only let a person in, so a second press has nothing left to do.
ENTRANCES = {"account_login", "accounts:invitation", "mfa_authenticate"}


def stale_page(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Redirect a person who pressed *Log in* twice to their page; refuse all other forms.

    A login changes the token of all forms, so the second press sends the former token.
    """
    match = request.resolver_match
    if match and match.view_name in ENTRANCES and _is_second_press(request):
        return see_other(safe_next(request, request.get_full_path()))
    return csrf_failure(request, reason=reason)


def _is_second_press(request: HttpRequest) -> bool:
    """Whether the form comes from the page on which this session was opened."""
    secret = request.session.get(CSRF_BEFORE_LOGIN)
    token = request.POST.get("csrfmiddlewaretoken", "")
    if not (request.user.is_authenticated and secret):
        return False
    try:
        _check_token_format(token)
    except InvalidTokenFormat:
        return False
    return bool(_does_token_match(token, secret))
