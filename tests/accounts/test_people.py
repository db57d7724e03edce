"""People: numbers, addresses, passwords, languages, and who may come in."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client as Browser
from hypothesis import given
from hypothesis import strategies as st

from accounts.company_number import is_company_number, validate_company_number
from tests import factories
from tests.conftest import Cast
from tests.factories import PASSWORD


def number_of(first: int) -> str:
    return f"{first:08d}{97 - first % 97:02d}"


@given(st.integers(min_value=0, max_value=19_999_999))
def test_a_number_with_its_check_digits_is_one(first: int) -> None:
    assert is_company_number(number_of(first))


@given(
    st.integers(min_value=0, max_value=19_999_999),
    st.integers(min_value=0, max_value=9),
    st.integers(min_value=1, max_value=9),
)
def test_one_wrong_digit_is_noticed(first: int, place: int, more: int) -> None:
    number = number_of(first)
    wrong = number[:place] + str((int(number[place]) + more) % 10) + number[place + 1 :]
    # 97 and 00 are the same remainder, and only 01–97 are written.
    assert not is_company_number(wrong) or int(wrong[8:]) == 97 - int(wrong[:8]) % 97


@pytest.mark.parametrize(
    "text",
    ["", "100509123", "BE0100509123", "0100.509.123", " 0100509123", "0100509123\n", "٠١٠٠٥٠٩١٢٣",
     "2100509123", "01005091230", "0100509124"],
)  # fmt: skip
def test_other_ways_to_write_a_number_are_refused(text: str) -> None:
    assert not is_company_number(text)
    with pytest.raises(ValidationError):
        validate_company_number(text)


@pytest.mark.django_db
def test_one_account_per_address_whatever_its_letter_case() -> None:
    factories.make_person("An", email="an@office.example")
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.make_person("Ann", email="AN@office.example")


def log_in(browser: Browser, email: str, password: str = PASSWORD, **data: str) -> Any:
    return browser.post("/accounts/login/", {"login": email, "password": password, **data})


def test_an_logs_in_and_lands_at_her_only_office(cast: Cast, client: Browser) -> None:
    assert log_in(client, cast.an.email).url == "/"
    assert client.get("/").headers["Location"] == f"/offices/{cast.janssens.slug}"


def test_a_wrong_password_is_told_without_naming_which_was_wrong(
    cast: Cast, client: Browser
) -> None:
    known = log_in(client, cast.an.email, "wrong")
    unknown = log_in(client, "nobody@office.example", "wrong")
    assert known.status_code == unknown.status_code == 200

    def said(answer: Any) -> str:
        page = answer.content.decode()
        page = re.sub(r'value="[^"]*"', "", page)
        return re.sub(r"csrf\w+", "", page)

    assert said(known) == said(unknown)


def test_login_leads_back_to_the_request(cast: Cast, client: Browser) -> None:
    path = f"/consent/{cast.consent.uuid}"
    asked = client.get(path)
    assert asked.url == f"/accounts/login/?next={path}"
    assert log_in(client, cast.an.email, next=path).url == path


@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)",
     "https:evil.example", "\thttps://evil.example", "https://testserver@evil.example",
     "http:///evil.example", "/%09/evil.example\\@x", "///evil.example", "data:text/html,x"],
)  # fmt: skip
def test_login_never_leads_to_another_site(cast: Cast, client: Browser, target: str) -> None:
    went = log_in(client, cast.an.email, next=target).url
    assert went.startswith("/")
    assert not went.startswith(("//", "/\\"))


def test_an_is_out_at_the_next_click_once_she_was_removed(cast: Cast, client: Browser) -> None:
    client.force_login(cast.an)
    office = f"/offices/{cast.janssens.slug}"
    assert client.get(office).status_code == 200
    factories.change_membership(cast.an, is_active=False)
    assert client.get(office).status_code == 404
    assert client.get(f"/consent/{cast.consent.uuid}").status_code == 404


def test_a_person_without_password_rights_cannot_use_a_closed_account(
    cast: Cast, client: Browser
) -> None:
    client.force_login(cast.an)
    cast.an.is_active = False
    cast.an.save()
    assert client.get("/").status_code == 302
    assert client.get("/").url.startswith("/accounts/login/")


def test_deciding_asks_for_the_password_when_the_login_is_older_than_15_minutes(
    cast: Cast, client: Browser
) -> None:
    log_in(client, cast.an.email)
    path = f"/consent/{cast.consent.uuid}"
    page = client.get(path)
    terms = page.context["terms"].pk
    chosen = client.post(path, {"choice": "allow", "accept_terms": "on", "terms": terms})
    assert chosen.status_code == 303
    assert client.get(chosen.url).status_code == 200
    session = client.session
    session["account_authentication_methods"] = [
        {**record, "at": time.time() - 901} for record in session["account_authentication_methods"]
    ]
    session.save()
    asked = client.get(chosen.url)
    assert asked.url.startswith("/accounts/reauthenticate/")
    again = client.post(asked.url, {"password": PASSWORD})
    assert again.url == chosen.url
    assert client.get(chosen.url).status_code == 200


def test_the_reset_mail_speaks_the_language_of_the_person(
    cast: Cast, client: Browser, eager: None
) -> None:
    cast.an.language = "nl"
    cast.an.save()
    client.post("/accounts/password/reset/", {"email": cast.an.email}, HTTP_ACCEPT_LANGUAGE="fr")
    (sent,) = mail.outbox
    assert sent.to == [cast.an.email]
    assert "wachtwoord" in sent.subject.lower()
    link = re.search(r"/accounts/password/reset/key/\S+", str(sent.body))
    assert link
    assert client.get(link.group()).status_code in (200, 302)


def test_an_unknown_address_gets_no_mail_and_the_same_answer(
    cast: Cast, client: Browser, eager: None
) -> None:
    known = client.post("/accounts/password/reset/", {"email": cast.an.email})
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@office.example"})
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    ("accept", "language"), [("nl-BE,nl", "nl"), ("fr", "fr"), ("de", "de"), ("es", "en")]
)
@pytest.mark.django_db
def test_the_browser_chooses_the_language(client: Browser, accept: str, language: str) -> None:
    page = client.get("/accounts/login/", HTTP_ACCEPT_LANGUAGE=accept)
    assert f'<html lang="{language}"' in page.content.decode()


def test_the_choice_of_the_person_wins_over_the_browser(cast: Cast, client: Browser) -> None:
    client.force_login(cast.an)
    answer = client.post("/language", {"language": "de", "next": "/offices"})
    assert (answer.status_code, answer.url) == (303, "/offices")
    page = client.get("/offices", HTTP_ACCEPT_LANGUAGE="fr")
    assert '<html lang="de"' in page.content.decode()


@pytest.mark.django_db
def test_somebody_without_an_account_chooses_by_cookie(client: Browser) -> None:
    client.post("/language", {"language": "nl", "next": "/accounts/login/"})
    assert '<html lang="nl"' in client.get("/accounts/login/").content.decode()
