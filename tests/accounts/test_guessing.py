"""Nobody learns from login, reset or invitation who has an account, nor which offices exist."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import pytest
from argon2 import PasswordHasher, low_level
from django.contrib.auth.hashers import make_password
from django.core import mail
from django.test import Client as Browser

from accounts.emails import send_password_reset
from codabox_portal.settings import PASSWORD_HASHERS
from mailer.tasks import sweep
from tests import factories
from tests.accounts.people import log_in, logged_in, without_number
from tests.conftest import Cast
from tests.factories import PASSWORD

pytestmark = pytest.mark.requirement(40)


NOBODY = "nobody@office.example"
KEPT_AS = "argon2$argon2id$v=19$m=19456,t=2,p=1$"


@pytest.fixture
def real_hash(settings: Any) -> None:
    """Passwords are hashed as in production, not as quickly as in other tests."""
    settings.PASSWORD_HASHERS = PASSWORD_HASHERS


def test_a_stolen_hash_costs_a_guesser_memory_and_time(real_hash: None) -> None:
    assert make_password("guess").startswith(KEPT_AS)


def test_an_older_hash_still_opens_and_is_renewed(real_hash: None, cast: Cast) -> None:
    cast.anna.password = "argon2" + PasswordHasher(2, 102400, 8).hash(PASSWORD)
    cast.anna.save()
    logged_in(cast.anna)
    cast.anna.refresh_from_db()
    assert cast.anna.password.startswith(KEPT_AS)
    assert cast.anna.check_password(PASSWORD)


def page(answer: Any, *names: str) -> str:
    """What came back, without what the caller said herself and without tokens."""
    text = re.sub(r'(csrfmiddlewaretoken" value)="[^"]+"', r"\1", answer.content.decode())
    text = without_number(text)
    for name in names:
        text = text.replace(name, "…")
    return f"{answer.status_code} {answer.headers.get('Location', '')} {text}"


def test_login_answers_alike_and_works_as_hard(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    work: list[str] = []
    for place, name in ((PasswordHasher, "verify"), (low_level, "hash_secret")):
        real = getattr(place, name)

        def counted(*args: Any, _real: Any = real, **more: Any) -> Any:
            work.append(_real.__name__)
            return _real(*args, **more)

        monkeypatch.setattr(place, name, counted)
    closed = factories.make_person("Closed", is_active=False)
    pages, hashes = set(), set()
    for address in (cast.anna.email, closed.email, NOBODY):
        before = len(work)
        pages.add(page(log_in(Browser(), cast.anna, login=address, password="wrong"), address))
        hashes.add(len(work) - before)
    assert len(pages) == 1
    assert hashes == {1}


def test_reset_answers_alike_and_a_worker_mails(cast: Cast) -> None:
    answers = []
    for address in (cast.anna.email, NOBODY):
        browser = Browser()
        first = browser.post("/accounts/password/reset/", {"email": address})
        answers.append((page(first), page(browser.get(first["Location"]), address)))
        assert mail.outbox == []
    assert answers[0] == answers[1]
    sweep()
    (sent,) = mail.outbox
    assert sent.to == [cast.anna.email]


def test_nobody_with_a_closed_account_gets_a_link(cast: Cast) -> None:
    closed = factories.make_person("Closed", is_active=False)
    send_password_reset(closed, "en")
    assert mail.outbox == []


def test_anna_learns_nothing_about_a_stranger_by_inviting_them(cast: Cast) -> None:
    anna = logged_in(cast.anna)
    pages = set()
    for address in (cast.chloe.email, NOBODY):
        fields = {"email": address, "role": "user", "language": "en"}
        told = anna.post(f"/offices/{cast.janssens.slug}/users/invite", fields, follow=True)
        listed = re.sub(r"[0-9a-f-]{36}", "", page(told, address))
        pages.add(re.sub(r"\s+", " ", listed).count("…"))
        anna.post(
            f"/offices/{cast.janssens.slug}/invitations/"
            f"{cast.janssens.invitations.get(email__iexact=address).uuid}/revoke"
        )
    assert len(pages) == 1


def log_in_as(cast: Cast, address: str) -> Any:
    return log_in(Browser(), cast.anna, login=address, password="wrong")


def ask_for_a_reset(cast: Cast, address: str) -> Any:
    return Browser().post("/accounts/password/reset/", {"email": address})


@pytest.mark.parametrize("attempt", [log_in_as, ask_for_a_reset])
def test_the_time_of_an_answer_tells_nothing(
    cast: Cast,
    settings: Any,
    real_hash: None,
    rounds: float,
    record_property: Callable[[str, object], None],
    attempt: Callable[[Cast, str], Any],
) -> None:
    """Median gap below 5 ms over 1,000 tries with `--rounds 200`; daily 5, and half the time.

    A busy machine can slow one of the two; a secret that shows in the time shows every time.
    """
    settings.ACCOUNT_RATE_LIMITS = False
    cast.anna.set_password(PASSWORD)
    cast.anna.save()
    tries = int(5 * rounds)
    for _again in range(1 if tries >= 1000 else 4):
        known, unknown = _medians(cast, tries, attempt)
        told = f"{attempt.__name__}: known {known * 1000:.2f} ms, unknown {unknown * 1000:.2f} ms"
        record_property("measured", told)
        if abs(known - unknown) < (0.005 if tries >= 1000 else max(0.02, known / 2)):
            return
    raise AssertionError(f"known {known}, unknown {unknown}")


def _medians(cast: Cast, tries: int, attempt: Callable[[Cast, str], Any]) -> tuple[float, float]:
    """Seconds for a known and for an unknown address, tried in turns."""
    times: dict[str, list[float]] = {cast.anna.email: [], NOBODY: []}
    for n in range(tries):
        for address in sorted(times, reverse=bool(n % 2)):
            began = time.perf_counter()
            assert attempt(cast, address).status_code in (200, 302)
            times[address].append(time.perf_counter() - began)
    return median(times[cast.anna.email]), median(times[NOBODY])


@pytest.mark.parametrize("path", ["", "/users", "/consents", "/companies", "/organization"])
def test_an_office_of_others_answers_like_an_unknown_one(cast: Cast, path: str) -> None:
    chloe = logged_in(cast.chloe)
    foreign = chloe.get(f"/offices/{cast.janssens.slug}{path}")
    unknown = chloe.get(f"/offices/no-such-office{path}")
    assert foreign.status_code == 404
    assert page(foreign, cast.janssens.slug) == page(unknown, "no-such-office")
