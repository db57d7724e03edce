"""How long a login counts, and which devices a person is known to use."""

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
NOTED_EVERY = 60  # seconds; a session is not written with every click
KNOWN_FOR = 365 * 24 * 3600  # seconds
DEVICES_OF = 10  # people who share one browser


@receiver(user_logged_in)
def begin(request: HttpRequest, **kwargs: Any) -> None:
    request.session["began_at"] = request.session["active_at"] = time.time()


def note_activity(request: HttpRequest) -> None:
    """End a session of 12 hours, whatever was done in it; note when a person comes back."""
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
    """Raise ReauthenticationRequired when nobody was here for 30 minutes and nobody proved since.

    The moment of coming back is kept, so that a second click does not count as the proof.
    """
    if newest_proof(request) < request.session.get("woke_at", 0):
        raise ReauthenticationRequired


def newest_proof(request: HttpRequest) -> float:
    """When the person last showed who she is, as seconds since 1970; 0 for never."""
    records = get_authentication_records(request, request.user)
    return max((float(record["at"]) for record in records), default=0.0)


@receiver(authentication_step_completed)
def change_the_key(request: HttpRequest, **kwargs: Any) -> None:
    """A session that gains strength gets a new key, so that one planted before is worth nothing."""
    if not kwargs.get("reauthenticated"):
        return
    before = request.session.session_key
    request.session.cycle_key()
    UserSession.objects.filter(session_key=before).update(session_key=request.session.session_key)


def _mark(person: User) -> str:
    """What only this portal can write, and what tells nobody whose it is."""
    return salted_hmac("accounts.known_device", str(person.pk)).hexdigest()[:32]


def is_known_device(request: HttpRequest, person: User) -> bool:
    marks = request.COOKIES.get(settings.PORTAL_KNOWN_COOKIE_NAME, "").split(".")
    return any(constant_time_compare(mark, _mark(person)) for mark in marks)


def know_device(request: HttpRequest, response: HttpResponse, person: User) -> None:
    """Remember that this person logged in here; this gives no right, it only spares a mail."""
    marks = request.COOKIES.get(settings.PORTAL_KNOWN_COOKIE_NAME, "").split(".")
    kept = [mark for mark in marks if mark and mark != _mark(person)]
    response.set_cookie(
        settings.PORTAL_KNOWN_COOKIE_NAME,
        ".".join([_mark(person), *kept][:DEVICES_OF]),
        max_age=KNOWN_FOR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
