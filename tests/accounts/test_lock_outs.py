"""Nobody is shut out by the failures of somebody else, and guessing ends all the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client as Browser

from accounts.models import User
from consents.models import Consent, Status
from tests import factories
from tests.accounts.people import add_app, code_now, log_in, logged_in
from tests.conftest import Cast
from tests.factories import PASSWORD

pytestmark = pytest.mark.requirement(104)
REAUTHENTICATE = "/accounts/reauthenticate/"
SECOND_FACTOR = "/accounts/second-factor/"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that the test moves."""
    with time_machine.travel(datetime.now().astimezone(), tick=False) as moving:
        yield moving


def guess(person: User, address: str, password: str = "wrong") -> Any:
    return log_in(Browser(REMOTE_ADDR=address), person, password=password)


def an_hour_of_guesses(person: User, clock: time_machine.Traveller) -> list[int]:
    """One wrong password a minute, each from another address; what each was answered."""
    answers = []
    for n in range(60):
        clock.shift(timedelta(minutes=1) if n else timedelta())
        answers.append(guess(person, f"192.0.2.{n}").status_code)
    return answers


def browser_of(person: User) -> Browser:
    """A browser that the person used before, after the logout."""
    browser = logged_in(person)
    browser.post("/accounts/logout/")
    return browser


def test_anna_logs_in_and_cancels_while_an_outsider_guesses(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    consents = [
        factories.make_allowed(cast.janssens, partner, cast.anna)
        for partner in (cast.ledgerly, cast.tally)
    ]
    home = browser_of(cast.anna)
    open_since_before = logged_in(cast.anna)
    answers = an_hour_of_guesses(cast.anna, clock)
    assert answers.count(200) <= 10, "more guesses than ten an hour"
    assert set(answers) == {200, 429}
    assert guess(cast.anna, "192.0.2.99", PASSWORD).status_code == 429
    assert log_in(home, cast.anna).status_code == 302
    for browser, consent in zip((home, open_since_before), consents, strict=True):
        cancel = f"/offices/{cast.janssens.slug}/consents/{consent.uuid}/cancel"
        clock.shift(timedelta(minutes=31))
        guess(cast.anna, "192.0.2.99")
        asked = browser.post(cancel, {"understood": "on"})
        assert asked["Location"].startswith(REAUTHENTICATE)
        proven = browser.post(asked["Location"], {"password": PASSWORD})
        assert proven.status_code == 303  # the cancel that waited for the proof
        assert Consent.objects.get(pk=consent.pk).status == Status.CANCELLED


def test_who_has_failed_ten_times_in_an_hour_is_told_how_long_to_wait(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    for n in range(10):
        assert guess(cast.anna, f"192.0.2.{n}").status_code == 200
        clock.shift(timedelta(minutes=1))
    answer = guess(cast.anna, "192.0.2.99", PASSWORD)
    assert answer.status_code == 429
    assert 49 * 60 <= int(answer["Retry-After"]) <= 50 * 60
    clock.shift(timedelta(seconds=int(answer["Retry-After"])))
    assert guess(cast.anna, "192.0.2.99", PASSWORD).status_code == 302


def test_colleagues_behind_one_address_log_in_while_somebody_fails_there(cast: Cast) -> None:
    for n in range(30):
        guess(cast.anna, "192.0.2.1")
        guess(User(email=f"nobody{n}@office.example"), "192.0.2.1")
    assert guess(cast.bram, "192.0.2.1", PASSWORD).status_code == 302
    home = browser_of(cast.anna)
    home.defaults["REMOTE_ADDR"] = "192.0.2.1"
    assert log_in(home, cast.anna).status_code == 302


def test_a_known_browser_is_let_in_where_the_address_tried_too_often(
    cast: Cast, settings: Any
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "password_tried": "6/m/ip"}
    home = browser_of(cast.anna)
    for n in range(8):
        answer = guess(User(email=f"nobody{n}@office.example"), "127.0.0.1")
    assert answer.status_code == 429
    assert log_in(home, cast.anna).status_code == 302


def test_a_known_browser_is_no_way_to_guess(cast: Cast, clock: time_machine.Traveller) -> None:
    home = browser_of(cast.anna)
    answers = []
    for _ in range(45):
        answers.append(log_in(home, cast.anna, password="wrong").status_code)
        clock.shift(timedelta(minutes=1))
    assert answers.count(200) <= 10


def test_the_right_password_passes_where_a_second_factor_follows(cast: Cast) -> None:
    add_app(logged_in(cast.anna))
    for n in range(20):
        guess(cast.anna, f"192.0.2.{n}")
    abroad = Browser(REMOTE_ADDR="198.51.100.7")
    assert log_in(abroad, cast.anna, password="wrong").status_code == 429
    assert log_in(abroad, cast.anna)["Location"] == SECOND_FACTOR
    assert not abroad.session.get("_auth_user_id")


@pytest.mark.parametrize("whose", ["the same account", "another account"])
def test_a_second_factor_in_between_clears_no_count(
    cast: Cast, clock: time_machine.Traveller, whose: str
) -> None:
    """45 guesses from one address, with a right second factor after every fifth."""
    helper = cast.anna if whose == "the same account" else cast.bram
    inside = logged_in(helper)
    secret, _answer = add_app(inside)
    answers = []
    for n in range(45):
        if n % 5 == 4:
            clock.shift(timedelta(seconds=30))
            inside.post("/accounts/second-factor/again/", {"code": code_now(secret)})
        answers.append(guess(cast.anna, "127.0.0.1").status_code)
    assert answers.count(200) <= 10


def test_guesses_at_reauthentication_end_whatever_else_succeeds(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    thief = logged_in(cast.anna)
    clock.shift(timedelta(seconds=1))
    anna = logged_in(cast.anna)
    secret, _answer = add_app(anna)
    log_in(thief, cast.anna)
    thief.post(SECOND_FACTOR, {"code": code_now(secret)})
    answers = []
    for n in range(45):
        if n % 5 == 4:
            clock.shift(timedelta(seconds=30))
            thief.post("/accounts/second-factor/again/", {"code": code_now(secret)})
        answers.append(thief.post(REAUTHENTICATE, {"password": "wrong"}).status_code)
    assert answers.count(200) <= 10
    assert answers[-1] == 429
    # It is the session that waits, not the person.
    assert anna.post(REAUTHENTICATE, {"password": PASSWORD}).status_code == 302
    other = browser_of(cast.bram)
    assert log_in(other, cast.bram).status_code == 302


def test_guesses_of_codes_end_from_many_addresses(cast: Cast) -> None:
    add_app(logged_in(cast.anna))
    answers = []
    for n in range(45):
        thief = Browser(REMOTE_ADDR=f"192.0.2.{n}")
        log_in(thief, cast.anna)
        answers.append(thief.post(SECOND_FACTOR, {"code": f"{n:06}"}).status_code)
    assert answers.count(200) <= 10
    home = browser_of_with_app(cast.anna)
    assert home.post(SECOND_FACTOR, {"code": "000000"}).status_code == 200


def browser_of_with_app(person: User) -> Browser:
    """A known browser that entered the password and is asked for the second factor."""
    home = logged_in(person)
    assert not home.session.get("_auth_user_id")
    return home
