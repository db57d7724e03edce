"""How long a login counts, what it leaves in the browser, and which devices are known."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client as Browser
from django.utils import timezone

from accounts.models import User
from tests.accounts.people import add_app, code_now, log_in, logged_in
from tests.conftest import Cast
from tests.factories import PASSWORD

pytestmark = [pytest.mark.requirement(39), pytest.mark.usefixtures("quick_worker")]


def move(browser: Browser, **seconds: float) -> None:
    """Let what the session remembers be older."""
    session = browser.session
    for name, age in seconds.items():
        session[name] -= age
    for record in session["account_authentication_methods"]:
        record["at"] -= max(seconds.values())
    session.save()


def users_of(cast: Cast) -> str:
    return f"/offices/{cast.janssens.slug}/users"


def test_anna_proves_their_identity_after_30_idle_minutes(cast: Cast) -> None:
    anna = logged_in(cast.anna)
    assert anna.get(users_of(cast)).status_code == 200
    move(anna, active_at=31 * 60)
    # A second click does not count as the proof.
    for _click in range(2):
        asked = anna.get(users_of(cast))
        assert (
            asked["Location"]
            == f"/accounts/reauthenticate/?next={users_of(cast).replace('/', '%2F')}"
        )
    answer = anna.post(asked["Location"], {"password": PASSWORD})
    assert answer["Location"] == users_of(cast)
    assert anna.get(users_of(cast)).status_code == 200


def test_anna_who_keeps_working_is_not_asked(cast: Cast) -> None:
    anna = logged_in(cast.anna)
    for _hour in range(3):
        move(anna, active_at=25 * 60)
        assert anna.get(users_of(cast)).status_code == 200
        assert time.time() - anna.session["active_at"] < 60


def test_bram_opens_companies_after_30_idle_minutes(cast: Cast) -> None:
    bram = logged_in(cast.bram)
    move(bram, active_at=3 * 3600)
    assert bram.get(f"/offices/{cast.janssens.slug}/companies").status_code == 200


def test_after_12_hours_everybody_logs_in_again_however_busy(cast: Cast) -> None:
    for person in (cast.anna, cast.bram):
        browser = logged_in(person)
        move(browser, began_at=12 * 3600 + 1)
        page = f"/offices/{cast.janssens.slug}/companies"
        assert browser.get(page)["Location"] == f"/accounts/login/?next={page}"
        assert "_auth_user_id" not in browser.session


@pytest.mark.requirement(109)
def test_dirk_proves_their_identity_after_30_idle_minutes(cast: Cast) -> None:
    User.objects.filter(pk=cast.anna.pk).update(is_staff=True, is_superuser=True)
    anna = logged_in(cast.anna)
    add_app(anna)
    assert anna.get("/admin/").status_code == 200
    move(anna, active_at=31 * 60)
    assert anna.get("/admin/")["Location"].startswith("/accounts/reauthenticate/")


def test_login_and_step_up_change_the_key_of_the_session(cast: Cast) -> None:
    anna = Browser()
    anna.get("/accounts/login/")
    session = anna.session
    session["planted"] = True
    session.save()
    anna.cookies["portal_session"] = planted = str(session.session_key)
    log_in(anna, cast.anna)
    first = anna.session.session_key
    assert first != planted
    anna.post("/accounts/reauthenticate/?next=/me", {"password": PASSWORD})
    second = anna.session.session_key
    assert second != first
    assert anna.get("/me").status_code == 200
    assert "(this device)" in anna.get("/accounts/security/").content.decode()
    thief = Browser()
    for key in (planted, first):
        thief.cookies["portal_session"] = str(key)
        assert thief.get("/me").status_code == 302


def new_logins() -> list[str]:
    return [message.to[0] for message in mail.outbox if "new device" in str(message.body)]


def test_a_login_from_a_new_device_is_told_once(cast: Cast) -> None:
    laptop, phone = Browser(), Browser(HTTP_USER_AGENT="Phone", REMOTE_ADDR="192.0.2.7")
    log_in(laptop, cast.anna)
    assert new_logins() == [cast.anna.email]
    laptop.post("/accounts/logout/")
    log_in(laptop, cast.anna)
    assert len(new_logins()) == 1
    log_in(phone, cast.anna)
    assert len(new_logins()) == 2
    assert "Phone" in str(mail.outbox[-1].body)
    assert "192.0.2.7" in str(mail.outbox[-1].body)


def test_two_people_of_one_browser_are_two_devices(cast: Cast) -> None:
    shared = Browser()
    for person in (cast.anna, cast.bram, cast.anna, cast.bram):
        log_in(shared, person)
        shared.post("/accounts/logout/")
    assert new_logins() == [cast.anna.email, cast.bram.email]


def test_a_forged_mark_is_no_known_device(cast: Cast) -> None:
    browser = Browser()
    browser.cookies["portal_known"] = f"{cast.anna.pk}.{'0' * 32}"
    log_in(browser, cast.anna)
    assert new_logins() == [cast.anna.email]


@pytest.mark.parametrize(
    ("language", "words"),
    [("nl", "nieuw toestel"), ("fr", "nouvel appareil"), ("de", "neuen Gerät")],
)
def test_the_mail_speaks_the_language_of_the_person(cast: Cast, language: str, words: str) -> None:
    User.objects.filter(pk=cast.anna.pk).update(language=language)
    log_in(Browser(HTTP_ACCEPT_LANGUAGE="en"), cast.anna)
    assert words in str(mail.outbox[-1].body)
    letter = mail.outbox[-1]
    assert isinstance(letter, EmailMultiAlternatives)
    assert words in str(letter.alternatives[0][0])


def test_a_login_with_a_second_step_is_told_after_it(cast: Cast) -> None:
    secret, _answer = add_app(logged_in(cast.anna))
    other = Browser()
    with time_machine.travel(timezone.now() + timedelta(seconds=60)):
        assert log_in(other, cast.anna).url == "/accounts/second-factor/"
        assert new_logins() == []
        other.post("/accounts/second-factor/", {"code": code_now(secret)})
        other.post("/accounts/second-factor/remember/", {"action": "dont_trust"})
    assert new_logins() == [cast.anna.email]


def test_a_recovery_code_that_logs_in_is_told(cast: Cast) -> None:
    anna = logged_in(cast.anna)
    add_app(anna)
    codes = anna.get("/accounts/recovery-codes/").context["unused_codes"]
    mail.outbox.clear()
    thief = Browser()
    log_in(thief, cast.anna)
    thief.post("/accounts/second-factor/", {"code": codes[0]})
    said = [str(message.body) for message in mail.outbox]
    assert [body for body in said if "recovery code was used" in body]


COOKIES = ["portal_session", "portal_csrf", "portal_known", "portal_device"]


@pytest.mark.requirement(35)
def test_every_cookie_of_a_login_is_out_of_reach(cast: Cast) -> None:
    anna = Browser(enforce_csrf_checks=False)
    secret, _answer = add_app(logged_in(cast.anna))
    anna.get("/accounts/login/")
    log_in(anna, cast.anna)
    with time_machine.travel(timezone.now() + timedelta(seconds=60)):
        anna.post("/accounts/second-factor/", {"code": code_now(secret)})
        anna.post("/accounts/second-factor/remember/", {"action": "trust"})
    jar: Any = anna.cookies
    assert set(jar) >= set(COOKIES), set(jar)
    for name, cookie in jar.items():
        assert cookie["httponly"], name
        assert cookie["samesite"] == "Lax", name
        assert cookie["path"] == "/", name
        assert not cookie["domain"], name
