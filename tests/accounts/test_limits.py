"""How often somebody may try: login, reset, invitation, second factor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser

from tests.accounts.people import add_app, log_in, logged_in
from tests.conftest import Cast
from tests.factories import PASSWORD


def wrong_password(cast: Cast, n: int) -> Any:
    return log_in(Browser(), cast.anna, login=f"nobody{n}@office.example", password="wrong")


def right_login(cast: Cast, n: int) -> Any:
    return log_in(Browser(), cast.bram)


def reset(cast: Cast, n: int) -> Any:
    return Browser().post("/accounts/password/reset/", {"email": f"p{n}@office.example"})


def foreign_link(cast: Cast, n: int) -> Any:
    return Browser().post(f"/invitation/guess{n}", {"name": "X", "password": PASSWORD})


TRIES: dict[str, tuple[Callable[[Cast, int], Any], int]] = {
    "login": (right_login, 6),
    "reset": (reset, 20),
    "invitation": (foreign_link, 20),
}


@pytest.mark.parametrize("action", TRIES)
def test_too_many_tries_get_a_clear_page_and_a_time_to_wait(
    cast: Cast, settings: Any, action: str
) -> None:
    attempt, allowed = TRIES[action]
    # Our own limit of 120 a minute would take longer than its minute here.
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "password_tried": "6/m/ip"}
    for n in range(allowed):
        assert attempt(cast, n).status_code != 429, n
    answer = attempt(cast, allowed)
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert "Too many" in answer.content.decode()


@pytest.mark.requirement(104)
def test_guessing_passwords_of_one_person_ends_whoever_guesses(cast: Cast) -> None:
    for n in range(5):
        log_in(Browser(REMOTE_ADDR=f"192.0.2.{n}"), cast.anna, password="wrong")
    stranger = Browser(REMOTE_ADDR="192.0.2.99")
    # The right password no longer helps the guesser either.
    answer = log_in(stranger, cast.anna)
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert not stranger.session.get("_auth_user_id")


@pytest.mark.requirement(104)
def test_guessing_codes_of_the_app_ends(cast: Cast) -> None:
    add_app(logged_in(cast.anna))
    thief = Browser()
    assert log_in(thief, cast.anna).url == "/accounts/second-factor/"
    answers = [thief.post("/accounts/second-factor/", {"code": f"{n:06}"}) for n in range(12)]
    assert answers[-1].status_code == 429
    assert int(answers[-1]["Retry-After"]) > 0
    assert not thief.session.get("_auth_user_id")


@pytest.mark.requirement(108)
def test_anna_invites_twenty_people_and_then_waits(cast: Cast) -> None:
    anna = logged_in(cast.anna)
    path = f"/offices/{cast.janssens.slug}/users/invite"
    for n in range(21):
        fields = {"email": f"p{n}@office.example", "role": "user", "language": "nl"}
        answer = anna.post(path, fields)
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
