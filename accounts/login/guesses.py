"""Limits for guessing a password or a code. The guesses of one person do not shut out another.

A guess at login counts for the account together with the network address of the browser. In a
browser that the person never used, it also counts for the account at all addresses. A browser that
the person used before has its own count, and so has each session in which a person proves their
identity again. A right guess resets its own count only.
"""

from __future__ import annotations

import math
import time
from typing import NamedTuple

from allauth.core.internal import ratelimit
from allauth.core.internal.ratelimit import RateLimitUsage
from django.core.cache import cache
from django.http import HttpRequest

from accounts.login.rate_limits import APP
from accounts.login.sessions import is_known_browser
from accounts.models import User


class Guess(NamedTuple):
    """One guess. It counts as a failure until `take_back`."""

    usages: list[RateLimitUsage]
    # Seconds until the next guess is allowed; 0 when this one is within the limits.
    wait: int = 0
    # Too many guesses from all addresses together, but not too many from this one.
    is_only_elsewhere: bool = False

    def take_back(self) -> None:
        for usage in self.usages:
            usage.rollback()


def guess_at_login(request: HttpRequest, secret: str, account: str, person: User | None) -> Guess:
    """Count a guess of a secret ("password" or "code") of an account, which may not exist."""
    address = ratelimit.get_ip(request)
    if person is not None and is_known_browser(request, person):
        return _count(request, ("guess", f"{secret} known {account} {address}"))
    here = f"{secret} here {account} {address}"
    guess = _count(request, ("guess_in_a_row", here), ("guess", here))
    if guess.wait:
        return guess
    everywhere_key = f"{secret} everywhere {account}"
    everywhere = _count(request, ("guess_in_a_row", everywhere_key), ("guess", everywhere_key))
    return Guess(
        guess.usages + everywhere.usages, everywhere.wait, is_only_elsewhere=everywhere.wait > 0
    )


def guess_in_session(request: HttpRequest, secret: str, person: User) -> Guess:
    """Count a guess of somebody who is logged in and proves their identity again."""
    # The key of the session changes with each proof; the moment of the login does not change.
    session = f"{person.pk} {request.session.get('began_at')}"
    return _count(request, ("guess", f"{secret} session {session}"))


def _count(request: HttpRequest, *counts: tuple[str, str]) -> Guess:
    guess = Guess([])
    for action, key in counts:
        usage = ratelimit.consume(request, app=APP, action=action, key=key)
        if usage is None:
            guess.take_back()
            return Guess([], wait=_seconds_left(request, action, key))
        guess.usages.append(usage)
    return guess


def _seconds_left(request: HttpRequest, action: str, key: str) -> int:
    """Until the oldest guess is forgotten."""
    [rate] = ratelimit.get_rates(app=APP, action=action)
    name = ratelimit.get_cache_key(request, app=APP, action=action, rate=rate, key=key)
    oldest: float = min(cache.get(name, []), default=time.time())
    left: float = oldest + rate.duration - time.time()
    return max(math.ceil(left), 1)
