"""People: numbers, addresses, passwords, languages, and who may come in."""

from __future__ import annotations

import re
import time
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client as Browser
from hypothesis import given
from hypothesis import strategies as st

from core.enterprise_number import is_company_number, validate_company_number
from tests import factories
from tests.conftest import Cast
from tests.factories import PASSWORD

pytestmark = pytest.mark.usefixtures("quick_worker")


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
    factories.make_person("Anna", email="anna@office.example")
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.make_person("Ann", email="ANNA@office.example")


def log_in(browser: Browser, email: str, password: str = PASSWORD, **data: str) -> Any:
    return browser.post("/accounts/login/", {"login": email, "password": password, **data})


def test_anna_logs_in_and_arrives_at_the_only_office(cast: Cast, client: Browser) -> None:
    assert log_in(client, cast.anna.email).url == "/"
    assert client.get("/").headers["Location"] == f"/offices/{cast.janssens.slug}"


def test_a_wrong_password_is_told_without_naming_which_was_wrong(
    cast: Cast, client: Browser
) -> None:
    known = log_in(client, cast.anna.email, "wrong")
    unknown = log_in(client, "nobody@office.example", "wrong")
    assert known.status_code == unknown.status_code == 200

    def said(answer: Any) -> str:
        page = answer.content.decode()
        page = re.sub(r'value="[^"]*"', "", page)
        return re.sub(r"csrf\w+", "", page)

    assert said(known) == said(unknown)


@pytest.mark.requirement(36)
def test_login_leads_back_to_the_request(cast: Cast, client: Browser) -> None:
    path = f"/consent/{cast.consent.uuid}"
    asked = client.get(path)
    assert asked["Location"] == f"/accounts/login/?next={path}"
    assert log_in(client, cast.anna.email, next=path).url == path


@pytest.mark.requirement(36)
@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)",
     "https:evil.example", "\thttps://evil.example", "https://testserver@evil.example",
     "http:///evil.example", "/%09/evil.example\\@x", "///evil.example", "data:text/html,x"],
)  # fmt: skip
def test_login_never_leads_to_another_site(cast: Cast, client: Browser, target: str) -> None:
    went = log_in(client, cast.anna.email, next=target).url
    assert went.startswith("/")
    assert not went.startswith(("//", "/\\"))


@pytest.mark.requirement(38)
def test_anna_is_out_at_the_next_click_once_she_was_removed(cast: Cast, client: Browser) -> None:
    client.force_login(cast.anna)
    office = f"/offices/{cast.janssens.slug}"
    assert client.get(office).status_code == 200
    factories.change_membership(cast.anna, is_active=False)
    assert client.get(office).status_code == 404
    assert client.get(f"/consent/{cast.consent.uuid}").status_code == 404


def test_a_person_without_password_rights_cannot_use_a_closed_account(
    cast: Cast, client: Browser
) -> None:
    client.force_login(cast.anna)
    cast.anna.is_active = False
    cast.anna.save()
    assert client.get("/").status_code == 302
    assert client.get("/")["Location"].startswith("/accounts/login/")


@pytest.mark.requirement(37)
def test_deciding_asks_for_the_password_when_the_login_is_older_than_15_minutes(
    cast: Cast, client: Browser
) -> None:
    log_in(client, cast.anna.email)
    path = f"/consent/{cast.consent.uuid}"
    page = client.get(path)
    terms = page.context["terms"].pk
    chosen = client.post(path, {"choice": "allow", "accept_terms": "on", "terms": terms})
    assert chosen.status_code == 303
    assert client.get(chosen["Location"]).status_code == 200
    session = client.session
    session["account_authentication_methods"] = [
        {**record, "at": time.time() - 901} for record in session["account_authentication_methods"]
    ]
    session.save()
    # Opening a page never asks for the password; acting does.
    assert client.get(chosen["Location"]).status_code == 200
    signed = parse_qs(urlsplit(chosen["Location"]).query)["choice"][0]
    asked = client.post(chosen["Location"], {"choice": signed})
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    cast.consent.refresh_from_db()
    assert cast.consent.status == "to_be_determined"
    again = client.post(asked["Location"], {"password": PASSWORD})
    assert again["Location"] == chosen["Location"]
    assert client.get(chosen["Location"]).status_code == 200


def test_the_reset_mail_speaks_the_language_of_the_person(
    cast: Cast, client: Browser, eager: None
) -> None:
    cast.anna.language = "nl"
    cast.anna.save()
    client.post("/accounts/password/reset/", {"email": cast.anna.email}, HTTP_ACCEPT_LANGUAGE="fr")
    (sent,) = mail.outbox
    assert sent.to == [cast.anna.email]
    assert "wachtwoord" in sent.subject.lower()
    link = re.search(r"/accounts/password/reset/key/\S+", str(sent.body))
    assert link
    assert client.get(link.group()).status_code in (200, 302)


def test_a_reset_in_another_browser_leads_back_to_the_request(
    cast: Cast, client: Browser, eager: None
) -> None:
    """Anna asks for a link on her phone and opens its mail on her computer."""
    request = f"/consent/{cast.consent.uuid}?via=overview"
    login = client.get("/accounts/login/", {"next": request}).content.decode()
    forgot = re.search(r'href="(/accounts/password/reset/[^"]+)"', login)
    assert forgot
    ask = client.get(unescape(forgot[1])).context["redirect_field_value"]
    answer = client.post("/accounts/password/reset/", {"email": cast.anna.email, "next": ask})
    assert answer["Location"].startswith("/accounts/password/reset/done/")
    (sent,) = mail.outbox
    link = re.search(r"/accounts/password/reset/key/\S+", str(sent.body))
    assert link
    other = Browser()
    page = other.get(link.group(), follow=True)
    typed = {"password1": "a much longer password", "password2": "a much longer password"}
    typed["next"] = page.context["redirect_field_value"]
    saved = other.post(page.context["action_url"], typed)
    assert saved["Location"] == request
    entered = other.post(
        "/accounts/login/",
        {"login": cast.anna.email, "password": typed["password1"], "next": request},
    )
    assert entered["Location"] == request


def test_an_unknown_address_gets_no_mail_and_the_same_answer(
    cast: Cast, client: Browser, eager: None
) -> None:
    known = client.post("/accounts/password/reset/", {"email": cast.anna.email})
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@office.example"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    ("accept", "language"), [("nl-BE,nl", "nl"), ("fr", "fr"), ("de", "de"), ("es", "en")]
)
@pytest.mark.django_db
def test_the_browser_chooses_the_language(client: Browser, accept: str, language: str) -> None:
    page = client.get("/accounts/login/", HTTP_ACCEPT_LANGUAGE=accept)
    assert f'<html lang="{language}"' in page.content.decode()


def test_the_choice_of_the_person_wins_over_the_browser(cast: Cast, client: Browser) -> None:
    client.force_login(cast.anna)
    answer = client.post("/language", {"language": "de", "next": "/offices"})
    assert (answer.status_code, answer["Location"]) == (303, "/offices")
    page = client.get("/offices", HTTP_ACCEPT_LANGUAGE="fr")
    assert '<html lang="de"' in page.content.decode()


@pytest.mark.django_db
def test_somebody_without_an_account_chooses_by_cookie(client: Browser) -> None:
    client.post("/language", {"language": "nl", "next": "/accounts/login/"})
    assert '<html lang="nl"' in client.get("/accounts/login/").content.decode()
