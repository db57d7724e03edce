"""Operators log in at an OpenID provider: who comes in by it, and whom nothing lets in."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.test import Client as Browser
from django.urls import reverse

from accounts.anonymisation import anonymise_account
from accounts.models import User
from backoffice.models import OperatorIdentity, OperatorLogin
from backoffice.operators import end_access
from codabox_portal.settings import ACCOUNT_RATE_LIMITS as LIMITS
from tests import factories
from tests.accounts.people import add_app, log_in
from tests.backoffice.openid_provider import CLIENT, SECRET
from tests.backoffice.test_four_eyes import confirmed
from tests.backoffice.test_operators import another_operator, proven
from tests.backoffice.test_roles import with_role
from tests.conftest import ROOT, Cast, free_port

pytestmark = [pytest.mark.requirement(109), pytest.mark.usefixtures("quick_worker")]
THERE = "/operators/login"


@pytest.fixture(scope="module")
def process() -> Iterator[str]:
    """The address of a provider that runs."""
    port = free_port()
    command = [sys.executable, "-m", "tests.backoffice.openid_provider", str(port)]
    running = subprocess.Popen(command, cwd=ROOT)
    url = f"http://127.0.0.1:{port}"
    try:
        for _try in range(200):
            try:
                httpx.post(f"{url}/next", json={})
                break
            except httpx.TransportError:
                assert running.poll() is None
                time.sleep(0.05)
        yield url
    finally:
        running.terminate()
        running.wait(10)


@pytest.fixture
def provider(process: str, settings: Any, db: None) -> str:
    settings.PORTAL_OPERATOR_OIDC_ISSUER = f"{process}/realm"
    settings.PORTAL_OPERATOR_OIDC_CLIENT_ID = CLIENT
    settings.PORTAL_OPERATOR_OIDC_CLIENT_SECRET = SECRET
    settings.PORTAL_OPERATOR_OIDC_NAME = "Werk & Co"
    # All these tests come from one address.
    settings.ACCOUNT_RATE_LIMITS = {**LIMITS, "operator_login": "3000/m/ip"}
    return process


@pytest.fixture
def finn(db: None) -> User:
    """An operator with a second factor."""
    return with_role("security", "Finn")


def claims(person: User, **others: Any) -> dict[str, Any]:
    return {"sub": f"u-{person.pk}", "email": person.email, "email_verified": True, **others}


def go(browser: Browser, provider: str, said: dict[str, Any], **others: Any) -> str:
    """Begin a login and let the provider answer; gives the address to which it sends back."""
    httpx.post(f"{provider}/next", json={"claims": said, **others})
    begun = browser.get(THERE, {"next": "/admin/search/"})
    assert begun.status_code == 302, begun.content.decode()
    return httpx.get(begun["Location"]).headers["Location"]


def came_back(browser: Browser, provider: str, said: dict[str, Any], **others: Any) -> Any:
    return browser.get(go(browser, provider, said, **others))


def is_asked_for_the_second_factor(answer: Any) -> bool:
    return (answer.status_code, answer.get("Location")) == (302, "/accounts/second-factor/")


def assert_nobody(browser: Browser, answer: Any, status: int = 403) -> None:
    """Nobody is logged in or half logged in, and no identity was kept."""
    assert answer.status_code == status, answer.content.decode()
    assert "You are not logged in" in answer.content.decode()
    assert "_auth_user_id" not in browser.session
    assert browser.get("/accounts/second-factor/")["Location"] == "/accounts/login/"
    assert browser.get("/admin/").status_code == 302
    assert not OperatorIdentity.objects.exists()
    assert not OperatorLogin.objects.exists()


@pytest.mark.requirement(113)
def test_without_the_setting_there_is_neither_page_nor_button(cast: Cast) -> None:
    assert Browser().get(THERE).status_code == 404
    assert Browser().get(reverse("backoffice:oidc_finish")).status_code == 404
    assert THERE not in Browser().get("/accounts/login/?next=/admin/").content.decode()


def test_the_button_is_on_the_way_to_the_admin_alone(provider: str) -> None:
    page = Browser().get("/accounts/login/?next=/admin/").content.decode()
    assert page.count(f'href="{THERE}?next=%2Fadmin%2F"') == 1
    assert "Log in with Werk &amp; Co" in page
    assert THERE not in Browser().get("/accounts/login/?next=/consent/1").content.decode()
    assert THERE not in Browser().get("/accounts/login/").content.decode()


def test_finn_comes_in_with_the_second_factor_of_the_portal(
    provider: str, finn: User, commits: None, eager: None
) -> None:
    Authenticator.objects.filter(user=finn).delete()
    first = Browser()
    log_in(first, finn)
    secret, _answer = add_app(first)
    before = OperatorLogin.objects.count()
    browser = Browser()
    # A provider that says that it asked for a second factor changes nothing.
    answer = came_back(browser, provider, claims(finn, amr=["pwd", "mfa"], acr="2"))
    assert is_asked_for_the_second_factor(answer)
    assert browser.get("/admin/").status_code == 302
    assert OperatorLogin.objects.count() == before
    answer = browser.post(answer["Location"], {"code": next_code(secret)})
    assert answer["Location"] == "/admin/search/"
    assert browser.get("/admin/").status_code == 200
    login = OperatorLogin.objects.latest("pk")
    assert (login.operator, login.proofs) == (finn, "oidc, mfa")
    kept = OperatorIdentity.objects.get()
    assert (kept.operator, kept.subject, kept.issuer) == (finn, f"u-{finn.pk}", f"{provider}/realm")
    told = LogEntry.objects.get(user=finn)
    assert f"From now on u-{finn.pk} at {provider}/realm" in told.change_message
    assert any("can now log in to your account" in str(sent.body) for sent in mail.outbox)
    # It is a session like others: it ends with the access.
    assert UserSession.objects.filter(user=finn).count() == 2
    end_access(finn, with_role("security", "Gus"))
    assert browser.get("/admin/").status_code == 302
    assert came_back(browser, provider, claims(finn)).status_code == 403


def next_code(secret: str) -> str:
    """The code of the next half minute, which counts already: the one of now was used."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + 1)))


def test_an_operator_without_a_second_factor_must_get_one_first(provider: str, finn: User) -> None:
    Authenticator.objects.filter(user=finn).delete()
    browser = Browser()
    assert came_back(browser, provider, claims(finn))["Location"] == "/admin/search/"
    gate = browser.get("/admin/search/")
    assert browser.get(gate["Location"])["Location"].startswith("/accounts/app/add/")


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"iss": "https://login.example/realm"}, ""),
        ({"aud": "another"}, ""),
        ({"aud": ["another", "third"]}, ""),
        ({"aud": [CLIENT, "another"]}, ""),
        ({"azp": "another"}, ""),
        ({"nonce": "of-another-login"}, ""),
        ({"nonce": None}, ""),
        ({"exp": 1_700_000_000}, ""),
        ({"exp": None}, ""),
        ({"iat": 1_700_000_000}, ""),
        ({"sub": None}, ""),
        ({"sub": ""}, ""),
        ({}, "unsigned"),
        ({}, "foreign key"),
        ({}, "hmac"),
        ({}, "denied"),
    ],
)
def test_no_token_that_is_wrong_in_anything_lets_finn_in(
    provider: str, finn: User, wrong: dict[str, Any], fault: str
) -> None:
    browser = Browser()
    assert_nobody(browser, came_back(browser, provider, claims(finn) | wrong, fault=fault))


@pytest.mark.parametrize("said", [False, "true", 1, None])
def test_an_address_that_is_not_verified_finds_nobody(
    provider: str, finn: User, said: object
) -> None:
    browser = Browser()
    assert_nobody(browser, came_back(browser, provider, claims(finn, email_verified=said)))


def test_nobody_is_created_and_office_staff_never_come_in(provider: str, cast: Cast) -> None:
    before = User.objects.count()
    for said in (claims(cast.anna), claims(cast.dirk, email="nobody@portal.example")):
        browser = Browser()
        assert_nobody(browser, came_back(browser, provider, said))
    assert User.objects.count() == before


def test_an_operator_who_is_switched_off_stays_out(provider: str, finn: User) -> None:
    assert is_asked_for_the_second_factor(came_back(Browser(), provider, claims(finn)))
    for off in ({"is_active": False}, {"is_active": True, "is_staff": False}):
        User.objects.filter(pk=finn.pk).update(**off)
        browser = Browser()
        assert came_back(browser, provider, claims(finn)).status_code == 403
        assert "_auth_user_id" not in browser.session
        OperatorIdentity.objects.all().delete()
        assert_nobody(browser, came_back(browser, provider, claims(finn)))
        OperatorIdentity.objects.create(
            operator=finn, issuer=f"{provider}/realm", subject=f"u-{finn.pk}"
        )


def test_after_the_first_login_the_identifier_counts_and_not_the_address(
    provider: str, finn: User
) -> None:
    came_back(Browser(), provider, claims(finn))
    gus = with_role("support", "Gus")
    # Finn's address at the provider is now that of Gus, and no longer verified.
    for said in ({"email": gus.email}, {"email": gus.email, "email_verified": False}):
        browser = Browser()
        assert is_asked_for_the_second_factor(came_back(browser, provider, claims(finn, **said)))
        assert browser.session["account_authentication_methods_user"] == str(finn.pk)
    # Somebody else got the address of Finn there.
    browser = Browser()
    assert came_back(browser, provider, claims(finn, sub="new")).status_code == 403
    assert "_auth_user_id" not in browser.session
    assert OperatorIdentity.objects.get().subject == f"u-{finn.pk}"


def test_two_operators_who_reset_a_factor_also_forget_the_identity(
    provider: str, finn: User, cast: Cast
) -> None:
    came_back(Browser(), provider, claims(finn))
    page = f"/admin/backoffice/operator/{finn.pk}/factor/"
    confirmed(page, proven(cast.dirk), proven(another_operator(cast)))
    assert not OperatorIdentity.objects.exists()
    assert came_back(Browser(), provider, claims(finn, sub="new")).status_code == 302


def test_an_answer_counts_once_and_in_its_own_browser(provider: str, finn: User) -> None:
    browser, stranger = Browser(), Browser()
    answer = go(browser, provider, claims(finn))
    assert_nobody(stranger, stranger.get(answer), 400)
    go(stranger, provider, claims(finn))
    assert_nobody(stranger, stranger.get(answer), 400)
    wrong_state = answer.replace("state=", "state=x")
    assert_nobody(browser, browser.get(wrong_state), 400)
    assert_nobody(browser, browser.get(answer), 400)
    answer = go(browser, provider, claims(finn))
    assert is_asked_for_the_second_factor(browser.get(answer))
    assert browser.get(answer).status_code == 400
    # A login that was begun an hour ago is over.
    answer = go(browser, provider, claims(finn))
    session = browser.session
    session["operator_login"] = {**session["operator_login"], "at": time.time() - 3600}
    session.save()
    assert browser.get(answer).status_code == 400


def test_an_answer_of_another_issuer_is_refused(provider: str, finn: User) -> None:
    browser = Browser()
    answer = go(browser, provider, claims(finn))
    assert_nobody(browser, browser.get(f"{answer}&iss=https://login.example"))


def test_who_is_logged_in_already_becomes_who_the_provider_says(
    provider: str, finn: User, cast: Cast
) -> None:
    browser = proven(cast.anna)
    assert is_asked_for_the_second_factor(came_back(browser, provider, claims(finn)))
    assert "_auth_user_id" not in browser.session


def test_the_address_may_come_by_userinfo_of_the_same_identity(provider: str, finn: User) -> None:
    said = {"sub": "u-1"}
    about = {"sub": "u-1", "email": finn.email.upper(), "email_verified": True}
    browser = Browser()
    assert_nobody(browser, came_back(browser, provider, said, userinfo=about | {"sub": "u-2"}))
    answer = came_back(Browser(), provider, said, userinfo=about)
    assert is_asked_for_the_second_factor(answer)


def test_the_client_secret_may_go_in_the_form(provider: str, finn: User) -> None:
    answer = came_back(Browser(), provider, claims(finn), fault="only post")
    assert is_asked_for_the_second_factor(answer)


def test_a_provider_that_is_away_or_calls_itself_otherwise_is_told(
    provider: str, finn: User, settings: Any
) -> None:
    browser = Browser()
    httpx.post(f"{provider}/next", json={"fault": "other name"})
    answer = browser.get(THERE)
    assert_nobody(browser, answer, 502)
    assert "Werk &amp; Co is not responding correctly" in answer.content.decode()
    settings.PORTAL_OPERATOR_OIDC_CLIENT_SECRET = "wrong"
    assert_nobody(browser, came_back(browser, provider, claims(finn)), 502)
    settings.PORTAL_OPERATOR_OIDC_ISSUER = f"http://127.0.0.1:{free_port()}/realm"
    assert_nobody(browser, browser.get(THERE), 502)


def test_the_way_leads_nowhere_but_into_the_portal(provider: str, finn: User) -> None:
    Authenticator.objects.filter(user=finn).delete()
    httpx.post(f"{provider}/next", json={"claims": claims(finn)})
    browser = Browser()
    begun = browser.get(THERE, {"next": "https://evil.example/"})
    back = httpx.get(begun["Location"]).headers["Location"]
    assert browser.get(back)["Location"] == "/admin/"


def test_too_many_logins_from_one_address_are_refused(provider: str, settings: Any) -> None:
    """Thirty in five minutes; another test may empty the cache meanwhile."""
    assert LIMITS["operator_login"] == "30/5m/ip"
    settings.ACCOUNT_RATE_LIMITS = {**LIMITS, "operator_login": "3/m/ip"}
    found = []
    for _try in range(3):
        address = f"2001:db8::{uuid4().hex[:4]}:{uuid4().hex[:4]}"
        found.append([Browser(REMOTE_ADDR=address).get(THERE).status_code for _call in range(4)])
    assert [302, 302, 302, 429] in found, found


def test_an_anonymised_person_leaves_no_identity(provider: str, finn: User) -> None:
    came_back(Browser(), provider, claims(finn))
    end_access(finn, with_role("security", "Gus"))
    finn.refresh_from_db()
    anonymise_account(finn)
    assert not OperatorIdentity.objects.exists()


def test_finn_without_a_password_proves_who_he_is_by_the_app(provider: str, finn: User) -> None:
    """Who came by the invitation and the provider alone has no password to be asked for."""
    finn.set_unusable_password()
    finn.save()
    Authenticator.objects.filter(user=finn).delete()
    browser = Browser()
    came_back(browser, provider, claims(finn))
    add_app(browser)
    session = browser.session
    session["account_authentication_methods"] = [{"method": "oidc", "at": time.time() - 3600}]
    session.save()
    office = factories.make_office("Peeters")
    act = f"/admin/accounts/office/{office.pk}/state/"
    asked = browser.post(act, {"reason": "Unpaid", "state": "suspended"})
    assert asked.status_code == 302
    page = browser.get(asked["Location"], follow=True).content.decode()
    assert "/accounts/second-factor/again/" in page
