"""How long a session lasts, and which browsers a person has used before."""

from __future__ import annotations

import time
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.signals import authentication_step_completed
from allauth.core.exceptions import ReauthenticationRequired
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import User

IDLE = 30 * 60  # seconds
CSRF_BEFORE_LOGIN = "csrf_before_login"
NOTED_EVERY = 60  # seconds; how often activity is written into the session
KNOWN_FOR = 365 * 24 * 3600  # seconds
MAX_PEOPLE_PER_BROWSER = 10


@receiver(user_logged_in)
def note_begin(request: HttpRequest, **kwargs: Any) -> None:
    request.session["began_at"] = request.session["active_at"] = time.time()
    # The login changes it; see accounts.views.stale_page.
    request.session[CSRF_BEFORE_LOGIN] = request.COOKIES.get(settings.CSRF_COOKIE_NAME)


def note_activity(request: HttpRequest) -> None:
    """End a session after 12 hours, even if it is in use; note when a person comes back."""
    session, now = request.session, time.time()
    if now - session.get("began_at", 0) > settings.SESSION_COOKIE_AGE:
        logout(request)
        return
    quiet = now - session.get("active_at", 0)
    if quiet > IDLE:
        session["woke_at"] = now
    if quiet > NOTED_EVERY:
        session["active_at"] = now


def ask_again_when_idle(request: HttpRequest) -> None:
    """Raise ReauthenticationRequired after 30 idle minutes without a proof of identity since.

    The moment when the person came back is stored, so a second click does not count as a proof.
    """
    if newest_proof(request) < request.session.get("woke_at", 0):
        raise ReauthenticationRequired


def newest_proof(request: HttpRequest) -> float:
    """When the person last proved who they are, as seconds since 1970; 0 for never."""
    records = get_authentication_records(request, request.user)
    return max((float(record["at"]) for record in records), default=0.0)


@receiver(authentication_step_completed)
def cycle_session_key(request: HttpRequest, **kwargs: Any) -> None:
    """Give a session a new key after each proof, so a key that an attacker planted is useless."""
    if not kwargs.get("reauthenticated"):
        return
    before = request.session.session_key
    request.session.cycle_key()
    UserSession.objects.filter(session_key=before).update(session_key=request.session.session_key)


def _mark(person: User) -> str:
    """A mark of the person that only this portal can make and that names nobody."""
    return salted_hmac("accounts.known_device", str(person.pk)).hexdigest()[:32]


def is_known_browser(request: HttpRequest, person: User) -> bool:
    marks = request.COOKIES.get(settings.PORTAL_KNOWN_DEVICE_COOKIE_NAME, "").split(".")
    return any(constant_time_compare(mark, _mark(person)) for mark in marks)


def remember_browser(request: HttpRequest, response: HttpResponse, person: User) -> None:
    """Remember that this person used this browser.

    It gives no right. A known browser causes no e-mail, and has its own count of wrong passwords.
    """
    marks = request.COOKIES.get(settings.PORTAL_KNOWN_DEVICE_COOKIE_NAME, "").split(".")
    kept = [mark for mark in marks if mark and mark != _mark(person)]
    response.set_cookie(
        settings.PORTAL_KNOWN_DEVICE_COOKIE_NAME,
        ".".join([_mark(person), *kept][:MAX_PEOPLE_PER_BROWSER]),
        max_age=KNOWN_FOR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
