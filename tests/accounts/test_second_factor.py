"""Authenticator app, recovery codes, the office that asks for them, sessions, mails."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.core.context import request_context
from allauth.mfa.models import Authenticator
from django.core import mail
from django.db import connection
from django.test import Client as Browser
from django.utils import translation

from accounts.adapter import AccountAdapter
from accounts.models import Office
from accounts.second_factor import credential_changes
from consents.models import Evidence
from tests.accounts.people import add_app, code_now, log_in, logged_in
from tests.conftest import Cast


@pytest.fixture
def an(cast: Cast) -> Browser:
    return logged_in(cast.an)


def require(office: Office) -> None:
    Office.objects.filter(pk=office.pk).update(second_factor_required=True)


def test_an_adds_an_app_and_sees_her_recovery_codes_once(an: Browser, commits: None) -> None:
    _secret, answer = add_app(an)
    assert answer.url == "/accounts/recovery-codes/"
    page = an.get(answer.url)
    assert len(page.context["unused_codes"]) == 10
    assert page.context["unused_codes"][0] in page.content.decode()
    again = an.get(answer.url)
    assert page.context["unused_codes"][0] not in again.content.decode()
    assert "10 codes are left" in " ".join(again.content.decode().split())
    assert "authenticator app was added" in str(mail.outbox[-1].body)


def test_after_that_the_password_alone_is_not_enough(cast: Cast, an: Browser) -> None:
    secret, _answer = add_app(an)
    elsewhere, target = Browser(), f"/consent/{cast.consent.uuid}"
    assert log_in(elsewhere, cast.an, next=target).url == "/accounts/second-factor/"
    assert elsewhere.get(target).status_code == 302
    wrong = elsewhere.post("/accounts/second-factor/", {"code": "000000"})
    assert wrong.status_code == 200
    assert "aria-invalid" in wrong.content.decode()
    right = elsewhere.post("/accounts/second-factor/", {"code": code_now(secret)})
    assert right.url == "/accounts/second-factor/remember/"
    assert elsewhere.get(right.url).status_code == 200
    assert elsewhere.post(right.url, {"action": "skip"}).url == target
    assert elsewhere.get(target).status_code == 200


def test_a_code_works_once(cast: Cast, an: Browser) -> None:
    secret, _answer = add_app(an)
    code = code_now(secret)
    first, second = Browser(), Browser()
    for browser, status in ((first, 302), (second, 200)):
        log_in(browser, cast.an)
        assert browser.post("/accounts/second-factor/", {"code": code}).status_code == status


def test_a_recovery_code_works_once(cast: Cast, an: Browser) -> None:
    _secret, answer = add_app(an)
    code = an.get(answer.url).context["unused_codes"][0]
    for status in (302, 200):
        elsewhere = Browser()
        log_in(elsewhere, cast.an)
        assert elsewhere.post("/accounts/second-factor/", {"code": code}).status_code == status


def test_a_remembered_device_needs_the_password_only(cast: Cast, an: Browser) -> None:
    secret, _answer = add_app(an)
    home = Browser()
    log_in(home, cast.an)
    home.post("/accounts/second-factor/", {"code": code_now(secret)})
    home.post("/accounts/second-factor/remember/", {"action": "trust"})
    home.post("/accounts/logout/")
    assert log_in(home, cast.an).url == "/"
    assert log_in(Browser(), cast.an).url == "/accounts/second-factor/"


def test_the_evidence_names_the_factors_that_were_used(cast: Cast, an: Browser) -> None:
    secret, _answer = add_app(an)
    elsewhere = Browser()
    log_in(elsewhere, cast.an)
    elsewhere.post("/accounts/second-factor/", {"code": code_now(secret)})
    elsewhere.post("/accounts/second-factor/remember/", {"action": "skip"})
    path = f"/consent/{cast.consent.uuid}"
    terms = elsewhere.get(path).context["terms"].pk
    chosen = elsewhere.post(path, {"choice": "allow", "accept_terms": "on", "terms": terms})
    signed = elsewhere.get(chosen.url).context["signed"]
    assert elsewhere.post(f"{path}/confirm", {"choice": signed}).status_code == 303
    assert Evidence.objects.get().authentication == ["password", "totp"]


def test_the_key_of_the_app_lies_encrypted(an: Browser) -> None:
    secret, answer = add_app(an)
    codes = an.get(answer.url).context["unused_codes"]
    with connection.cursor() as cursor:
        cursor.execute("select string_agg(data::text, ' ') from mfa_authenticator")
        stored = cursor.fetchone()[0]
    assert secret not in stored
    assert not any(code in stored for code in codes)


def test_another_secret_key_can_follow_without_losing_the_apps(
    cast: Cast, an: Browser, settings: Any
) -> None:
    secret, _answer = add_app(an)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-secret-key-012345678901234567890123456789"
    elsewhere = Browser()
    log_in(elsewhere, cast.an)
    assert elsewhere.post("/accounts/second-factor/", {"code": code_now(secret)}).status_code == 302


def test_an_admin_without_second_factor_meets_the_grace_screen_at_her_next_click(
    cast: Cast, an: Browser
) -> None:
    office, request = f"/offices/{cast.janssens.slug}", f"/consent/{cast.consent.uuid}"
    assert an.get(office).status_code == 200
    require(cast.janssens)
    for path in (office, f"{office}/users", request, f"{request}/confirm"):
        for answer in (an.get(path), an.post(path)):
            assert answer.status_code == (403 if answer.status_code != 405 else 405)
        assert "A second factor is needed" in an.get(path).content.decode()
    assert cast.fresh().is_open
    bram = logged_in(cast.bram)
    assert bram.get(office).status_code == 200
    assert bram.get(request).status_code == 200


def test_from_the_grace_screen_an_comes_back_to_where_she_was(cast: Cast, an: Browser) -> None:
    require(cast.janssens)
    target = f"/consent/{cast.consent.uuid}?via=overview"
    assert "/accounts/app/add/?next=%2Fconsent%2F" in an.get(target).content.decode()
    _secret, answer = add_app(
        an, f"/accounts/app/add/?next={target.replace('?', '%3F')}", next=target
    )
    assert answer.url.startswith("/accounts/recovery-codes/?next=%2Fconsent")
    codes = an.get(answer.url)
    assert f'href="{target}"' in codes.content.decode()
    assert an.get(target).status_code == 200


def test_an_admin_of_another_office_is_not_asked(cast: Cast) -> None:
    require(cast.janssens)
    assert logged_in(cast.chloe).get(f"/offices/{cast.peeters.slug}").status_code == 200
    assert logged_in(cast.chloe).get(f"/offices/{cast.janssens.slug}").status_code == 404


def test_sessions_with_the_password_alone_end_when_a_factor_is_added(
    cast: Cast, an: Browser, commits: None
) -> None:
    elsewhere, bram = logged_in(cast.an), logged_in(cast.bram)
    add_app(an)
    assert an.get("/offices").status_code == 200
    assert elsewhere.get("/offices").status_code == 302
    assert bram.get("/offices").status_code == 200


def test_an_ends_one_session_and_then_all_others(cast: Cast, an: Browser) -> None:
    one, two, bram = logged_in(cast.an), logged_in(cast.an), logged_in(cast.bram)
    sessions = an.get("/accounts/security/").context["sessions"]
    assert len(sessions) == 3
    wanted = next(s for s in sessions if s.session_key == one.session.session_key)
    own = next(s for s in sessions if s.session_key == an.session.session_key)
    end = "/accounts/security/sessions/end/"
    assert bram.post(end, {"session": wanted.pk}).status_code == 303
    assert one.get("/offices").status_code == 200, "Bram cannot end sessions of An"
    an.post(end, {"session": wanted.pk})
    assert one.get("/offices").status_code == 302
    assert two.get("/offices").status_code == 200
    for nonsense in (str(own.pk), "x", "", "²"):
        an.post(end, {"session": nonsense})
    assert an.get("/offices").status_code == 200
    an.post(end, {"session": "all"})
    assert two.get("/offices").status_code == 302
    assert an.get("/offices").status_code == 200


def test_the_password_is_changed_and_everybody_else_is_out(cast: Cast, an: Browser) -> None:
    elsewhere = logged_in(cast.an)
    new = "an even longer sentence"
    fields = {"oldpassword": "wrong", "password1": new, "password2": new}
    assert an.post("/accounts/password/change/", fields).status_code == 200
    fields["oldpassword"] = "correct horse battery staple"
    assert an.post("/accounts/password/change/", fields).url == "/accounts/security/"
    assert an.get("/accounts/security/").status_code == 200
    assert elsewhere.get("/offices").status_code == 302
    assert "password was changed" in str(mail.outbox[-1].body)


def test_removing_the_app_takes_the_recovery_codes_along_and_is_told(
    cast: Cast, an: Browser, commits: None
) -> None:
    add_app(an)
    assert an.post("/accounts/app/remove/").url == "/accounts/security/"
    assert not Authenticator.objects.filter(user=cast.an).exists()
    assert "was removed" in str(mail.outbox[-1].body)
    assert log_in(Browser(), cast.an).url == "/"


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
    cast: Cast, an: Browser, path: str
) -> None:
    if path != "app/add/":
        add_app(an)
    session = an.session
    key = "account_authentication_methods"
    session[key] = [{**record, "at": record["at"] - 901} for record in session[key]]
    session.save()
    assert an.get(f"/accounts/{path}").url.startswith("/accounts/reauthenticate/")
    before = list(Authenticator.objects.order_by("pk").values("pk", "data"))
    assert an.post(f"/accounts/{path}", {}).url.startswith("/accounts/reauthenticate/")
    assert list(Authenticator.objects.order_by("pk").values("pk", "data")) == before


@pytest.mark.parametrize("language", ["en", "nl", "fr", "de"])
@pytest.mark.parametrize("change", sorted(credential_changes()))
def test_every_change_of_a_credential_is_told_in_the_language_of_the_person(
    cast: Cast, rf: Any, language: str, change: str
) -> None:
    cast.an.language = language
    request = rf.get("/", HTTP_USER_AGENT="<Firefox & co>")
    with request_context(request), translation.override("de" if language != "de" else "en"):
        AccountAdapter().send_notification_mail(change, cast.an)
    sent: Any = mail.outbox[-1]
    with translation.override(language):
        assert credential_changes()[change] in sent.body
    html = sent.alternatives[0][0]
    assert f'<html lang="{language}">' in html
    assert "&lt;Firefox &amp; co&gt;" in html
    assert "<Firefox & co>" in sent.body
    assert "/accounts/password/reset/" in sent.body
    assert sent.to == [cast.an.email]


@pytest.mark.parametrize("language", ["en", "nl", "fr", "de"])
def test_the_reset_mail_has_text_and_html(
    cast: Cast, client: Browser, language: str, eager: None
) -> None:
    cast.an.language = language
    cast.an.save()
    client.post("/accounts/password/reset/", {"email": cast.an.email})
    sent: Any = mail.outbox[-1]
    html = sent.alternatives[0][0]
    assert f'<html lang="{language}">' in html
    assert "/accounts/password/reset/key/" in sent.body
    assert "/accounts/password/reset/key/" in html
