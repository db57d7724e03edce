"""Authenticator app, recovery codes, the office that asks for them, sessions, mails."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.core.context import request_context
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client as Browser
from django.utils import translation

from accounts.emails import password_reset_path
from accounts.login.adapter import AccountAdapter
from accounts.login.mfa import credential_change_sentences
from accounts.models import Office, User
from consents.models import Evidence
from core.clock import database_time
from tests.accounts.people import add_app, code_now, log_in, logged_in
from tests.conftest import Cast
from tests.factories import PASSWORD

pytestmark = pytest.mark.usefixtures("quick_worker")


@pytest.fixture
def anna(cast: Cast) -> Browser:
    return logged_in(cast.anna)


def test_bram_adds_an_app_after_he_forgot_his_password(cast: Cast) -> None:
    """allauth takes the address of a reset for unproven; ours are all proven by an invitation."""
    browser = Browser()
    form = browser.get(password_reset_path(cast.bram))
    chosen = {"password1": PASSWORD, "password2": PASSWORD}
    assert browser.post(form["Location"], chosen).status_code == 302
    again = logged_in(cast.bram)
    add_app(again)
    assert Authenticator.objects.filter(user=cast.bram, type=Authenticator.Type.TOTP).exists()


def require(office: Office) -> None:
    Office.objects.filter(pk=office.pk).update(second_factor_required=True)


def test_anna_adds_an_app_and_sees_the_recovery_codes_once(anna: Browser, commits: None) -> None:
    _secret, answer = add_app(anna)
    assert answer.url == "/accounts/recovery-codes/"
    page = anna.get(answer.url)
    assert len(page.context["unused_codes"]) == 10
    assert page.context["unused_codes"][0] in page.content.decode()
    again = anna.get(answer.url)
    assert page.context["unused_codes"][0] not in again.content.decode()
    assert "You have 10 codes left" in " ".join(again.content.decode().split())
    assert "authenticator app was added" in str(mail.outbox[-1].body)


def test_after_that_the_password_alone_is_not_enough(cast: Cast, anna: Browser) -> None:
    secret, _answer = add_app(anna)
    elsewhere, target = Browser(), f"/consent/{cast.consent.uuid}"
    assert log_in(elsewhere, cast.anna, next=target).url == "/accounts/second-factor/"
    assert elsewhere.get(target).status_code == 302
    wrong = elsewhere.post("/accounts/second-factor/", {"code": "000000"})
    assert wrong.status_code == 200
    assert "aria-invalid" in wrong.content.decode()
    right = elsewhere.post("/accounts/second-factor/", {"code": code_now(secret)})
    assert right["Location"] == "/accounts/second-factor/remember/"
    assert elsewhere.get(right["Location"]).status_code == 200
    assert elsewhere.post(right["Location"], {"action": "skip"})["Location"] == target
    assert elsewhere.get(target).status_code == 200


def test_a_code_works_once(cast: Cast, anna: Browser) -> None:
    secret, _answer = add_app(anna)
    code = code_now(secret)
    first, second = Browser(), Browser()
    for browser, status in ((first, 302), (second, 200)):
        log_in(browser, cast.anna)
        assert browser.post("/accounts/second-factor/", {"code": code}).status_code == status


def test_a_recovery_code_works_once(cast: Cast, anna: Browser) -> None:
    _secret, answer = add_app(anna)
    code = anna.get(answer.url).context["unused_codes"][0]
    for status in (302, 200):
        elsewhere = Browser()
        log_in(elsewhere, cast.anna)
        assert elsewhere.post("/accounts/second-factor/", {"code": code}).status_code == status


def test_a_remembered_device_needs_the_password_only(cast: Cast, anna: Browser) -> None:
    secret, _answer = add_app(anna)
    home = Browser()
    log_in(home, cast.anna)
    home.post("/accounts/second-factor/", {"code": code_now(secret)})
    home.post("/accounts/second-factor/remember/", {"action": "trust"})
    home.post("/accounts/logout/")
    assert log_in(home, cast.anna).url == "/"
    assert log_in(Browser(), cast.anna).url == "/accounts/second-factor/"


def test_dirk_enters_the_second_factor_at_every_login_on_every_device(
    cast: Cast, anna: Browser
) -> None:
    """A device that was remembered before Anna became an operator counts no more; none is after."""
    secret, _answer = add_app(anna)
    home = Browser()
    log_in(home, cast.anna)
    home.post("/accounts/second-factor/", {"code": code_now(secret)})
    home.post("/accounts/second-factor/remember/", {"action": "trust"})
    home.post("/accounts/logout/")
    User.objects.filter(pk=cast.anna.pk).update(is_staff=True)
    assert log_in(home, cast.anna).url == "/accounts/second-factor/"
    assert home.get("/admin/").status_code == 302
    used = Authenticator.objects.get(user=cast.anna, type="totp")
    cache.clear()  # the same code is not taken twice in 30 seconds
    answer = home.post("/accounts/second-factor/", {"code": code_now(secret)})
    assert answer["Location"] != "/accounts/second-factor/remember/"
    assert home.get("/admin/").status_code == 200
    assert used.user_id == cast.anna.pk
    home.post("/accounts/logout/")
    assert log_in(home, cast.anna).url == "/accounts/second-factor/"


def test_the_evidence_names_the_factors_that_were_used(cast: Cast, anna: Browser) -> None:
    secret, _answer = add_app(anna)
    elsewhere = Browser()
    log_in(elsewhere, cast.anna)
    elsewhere.post("/accounts/second-factor/", {"code": code_now(secret)})
    elsewhere.post("/accounts/second-factor/remember/", {"action": "skip"})
    path = f"/consent/{cast.consent.uuid}"
    terms = elsewhere.get(path).context["terms"].pk
    chosen = elsewhere.post(path, {"choice": "allow", "accept_terms": "on", "terms": terms})
    signed = elsewhere.get(chosen["Location"]).context["signed"]
    assert elsewhere.post(f"{path}/confirm", {"choice": signed}).status_code == 303
    assert Evidence.objects.get().authentication == ["password", "totp"]


def test_the_key_of_the_app_lies_encrypted(anna: Browser) -> None:
    secret, answer = add_app(anna)
    codes = anna.get(answer.url).context["unused_codes"]
    with connection.cursor() as cursor:
        cursor.execute("select string_agg(data::text, ' ') from mfa_authenticator")
        stored = cursor.fetchone()[0]
    assert secret not in stored
    assert not any(code in stored for code in codes)


def test_another_secret_key_can_follow_without_losing_the_apps(
    cast: Cast, anna: Browser, settings: Any
) -> None:
    secret, _answer = add_app(anna)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-secret-key-012345678901234567890123456789"
    elsewhere = Browser()
    log_in(elsewhere, cast.anna)
    assert elsewhere.post("/accounts/second-factor/", {"code": code_now(secret)}).status_code == 302


def test_an_admin_without_second_factor_meets_the_grace_screen_at_the_next_click(
    cast: Cast, anna: Browser
) -> None:
    office, request = f"/offices/{cast.janssens.slug}", f"/consent/{cast.consent.uuid}"
    assert anna.get(office).status_code == 200
    require(cast.janssens)
    for path in (office, f"{office}/users", request, f"{request}/confirm"):
        for answer in (anna.get(path), anna.post(path)):
            assert answer.status_code == (403 if answer.status_code != 405 else 405)
        assert "Set up two-factor authentication" in anna.get(path).content.decode()
    assert cast.fresh().is_open(database_time())
    bram = logged_in(cast.bram)
    assert bram.get(office).status_code == 200
    assert bram.get(request).status_code == 200


def test_from_the_grace_screen_anna_comes_back_to_the_page(cast: Cast, anna: Browser) -> None:
    require(cast.janssens)
    target = f"/consent/{cast.consent.uuid}?via=overview"
    assert "/accounts/app/add/?next=%2Fconsent%2F" in anna.get(target).content.decode()
    _secret, answer = add_app(
        anna, f"/accounts/app/add/?next={target.replace('?', '%3F')}", next=target
    )
    assert answer.url.startswith("/accounts/recovery-codes/?next=%2Fconsent")
    codes = anna.get(answer.url)
    assert f'href="{target}"' in codes.content.decode()
    assert anna.get(target).status_code == 200


def test_an_admin_of_another_office_is_not_asked(cast: Cast) -> None:
    require(cast.janssens)
    assert logged_in(cast.chloe).get(f"/offices/{cast.peeters.slug}").status_code == 200
    assert logged_in(cast.chloe).get(f"/offices/{cast.janssens.slug}").status_code == 404


def test_sessions_with_the_password_alone_end_when_a_factor_is_added(
    cast: Cast, anna: Browser, commits: None
) -> None:
    elsewhere, bram = logged_in(cast.anna), logged_in(cast.bram)
    add_app(anna)
    assert anna.get("/offices").status_code == 200
    assert elsewhere.get("/offices").status_code == 302
    assert bram.get("/offices").status_code == 200


@pytest.mark.requirement(39)
def test_anna_ends_one_session_and_then_all_others(cast: Cast, anna: Browser) -> None:
    one, two, bram = logged_in(cast.anna), logged_in(cast.anna), logged_in(cast.bram)
    sessions = anna.get("/accounts/security/").context["sessions"]
    assert len(sessions) == 3
    wanted = next(s for s in sessions if s.session_key == one.session.session_key)
    own = next(s for s in sessions if s.session_key == anna.session.session_key)
    end = "/accounts/security/sessions/end/"
    assert bram.post(end, {"session": wanted.pk}).status_code == 303
    assert one.get("/offices").status_code == 200, "Bram cannot end sessions of Anna"
    anna.post(end, {"session": wanted.pk})
    assert one.get("/offices").status_code == 302
    assert two.get("/offices").status_code == 200
    for nonsense in (str(own.pk), "x", "", "²"):
        anna.post(end, {"session": nonsense})
    assert anna.get("/offices").status_code == 200
    anna.post(end, {"session": "all"})
    assert two.get("/offices").status_code == 302
    assert anna.get("/offices").status_code == 200


def test_the_password_is_changed_and_everybody_else_is_out(cast: Cast, anna: Browser) -> None:
    elsewhere = logged_in(cast.anna)
    new = "an even longer sentence"
    fields = {"oldpassword": "wrong", "password1": new, "password2": new}
    assert anna.post("/accounts/password/change/", fields).status_code == 200
    fields["oldpassword"] = "correct horse battery staple"
    assert anna.post("/accounts/password/change/", fields)["Location"] == "/accounts/security/"
    assert anna.get("/accounts/security/").status_code == 200
    assert elsewhere.get("/offices").status_code == 302
    assert "password was changed" in str(mail.outbox[-1].body)


def test_removing_the_app_takes_the_recovery_codes_along_and_is_told(
    cast: Cast, anna: Browser, commits: None
) -> None:
    add_app(anna)
    assert anna.post("/accounts/app/remove/")["Location"] == "/accounts/security/"
    assert not Authenticator.objects.filter(user=cast.anna).exists()
    assert "was removed" in str(mail.outbox[-1].body)
    assert log_in(Browser(), cast.anna).url == "/"


@pytest.mark.requirement(37)
@pytest.mark.parametrize(
    "path",
    [
        "app/add/",
        "app/remove/",
        "recovery-codes/",
        "recovery-codes/new/",
        "passkeys/add/",
        "password/change/",
    ],
)
def test_secrets_are_shown_and_changed_only_after_a_young_login(
    cast: Cast, anna: Browser, path: str
) -> None:
    if path != "app/add/":
        add_app(anna)
    session = anna.session
    key = "account_authentication_methods"
    session[key] = [{**record, "at": record["at"] - 901} for record in session[key]]
    session.save()
    assert anna.get(f"/accounts/{path}")["Location"].startswith("/accounts/reauthenticate/")
    before = list(Authenticator.objects.order_by("pk").values("pk", "data"))
    assert anna.post(f"/accounts/{path}", {})["Location"].startswith("/accounts/reauthenticate/")
    assert list(Authenticator.objects.order_by("pk").values("pk", "data")) == before


@pytest.mark.parametrize("language", ["en", "nl", "fr", "de"])
@pytest.mark.parametrize("change", sorted(credential_change_sentences()))
def test_every_change_of_a_credential_is_told_in_the_language_of_the_person(
    cast: Cast, rf: Any, language: str, change: str
) -> None:
    cast.anna.language = language
    request = rf.get("/", HTTP_USER_AGENT="<Firefox & co>")
    with request_context(request), translation.override("de" if language != "de" else "en"):
        AccountAdapter().send_notification_mail(change, cast.anna)
    sent: Any = mail.outbox[-1]
    with translation.override(language):
        assert credential_change_sentences()[change] in sent.body
    html = sent.alternatives[0][0]
    assert f'<html lang="{language}">' in html
    assert "&lt;Firefox &amp; co&gt;" in html
    assert "<Firefox & co>" in sent.body
    assert "/accounts/password/reset/" in sent.body
    assert sent.to == [cast.anna.email]


@pytest.mark.parametrize("language", ["en", "nl", "fr", "de"])
def test_the_reset_mail_has_text_and_html(
    cast: Cast, client: Browser, language: str, eager: None
) -> None:
    cast.anna.language = language
    cast.anna.save()
    client.post("/accounts/password/reset/", {"email": cast.anna.email})
    sent: Any = mail.outbox[-1]
    html = sent.alternatives[0][0]
    assert f'<html lang="{language}">' in html
    assert "/accounts/password/reset/key/" in sent.body
    assert "/accounts/password/reset/key/" in html
