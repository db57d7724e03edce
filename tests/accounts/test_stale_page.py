"""Pressed twice is pressed once: a second press leads a logged-in person on."""

import re

import pytest
from django.test import Client as Browser

from tests import factories
from tests.conftest import Cast
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


def token_on(page: bytes) -> str:
    found = re.search(r'csrfmiddlewaretoken" value="([^"]+)', page.decode())
    assert found
    return found[1]


def test_a_second_press_on_log_in_leads_to_the_request(cast: Cast) -> None:
    browser = Browser(enforce_csrf_checks=True)
    request = f"/consent/{cast.consent.uuid}"
    page = browser.get("/accounts/login/", {"next": request}).content
    form = {
        "csrfmiddlewaretoken": token_on(page),
        "login": cast.anna.email,
        "password": PASSWORD,
        "next": request,
    }
    first = browser.post("/accounts/login/", form)
    second = browser.post("/accounts/login/", form)
    assert (first.status_code, first["Location"]) == (302, request)
    assert (second.status_code, second["Location"]) == (303, request)


def test_a_logged_in_person_with_a_token_of_nobody_is_refused(cast: Cast) -> None:
    browser = Browser(enforce_csrf_checks=True)
    page = browser.get("/accounts/login/").content
    form = {"login": cast.anna.email, "password": PASSWORD}
    browser.post("/accounts/login/", {**form, "csrfmiddlewaretoken": token_on(page)})
    for token in ("", "x", "a" * 64):
        answer = browser.post("/accounts/login/", {**form, "csrfmiddlewaretoken": token})
        assert answer.status_code == 403, token


def test_a_stranger_with_an_old_page_is_refused(cast: Cast) -> None:
    browser = Browser(enforce_csrf_checks=True)
    answer = browser.post("/accounts/login/", {"login": cast.anna.email, "password": PASSWORD})
    assert answer.status_code == 403
    assert "_auth_user_id" not in browser.session


def test_an_old_page_that_would_change_something_is_refused(cast: Cast) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(cast.anna)
    answer = browser.post(f"/offices/{cast.janssens.slug}/leave")
    assert answer.status_code == 403


def test_a_second_press_of_another_page_is_no_second_press(cast: Cast) -> None:
    """The fields are the same, the page is another one: an error is an error."""
    anna = Browser()
    anna.force_login(cast.anna)
    path = f"/offices/{cast.janssens.slug}/companies/add"
    fields = {
        "company_number": factories.company_number(),
        "name": "New",
        "code": "N-1",
        "language": "en",
    }
    assert anna.post(path, {**fields, "csrfmiddlewaretoken": "a" * 64}).status_code == 303
    again = anna.post(path, {**fields, "csrfmiddlewaretoken": "a" * 64})
    assert again.status_code == 303
    other = anna.post(path, {**fields, "csrfmiddlewaretoken": "b" * 64})
    assert other.status_code == 200
    assert "is-invalid" in other.content.decode()


def test_what_anna_pressed_leads_nobody_else_on(cast: Cast) -> None:
    """Bea sends the same form, token and all, from a browser of her own: she gets her own page."""
    path = f"/offices/{cast.janssens.slug}/companies/add"
    form = {
        "company_number": factories.company_number(),
        "name": "New",
        "code": "N-1",
        "language": "en",
        "csrfmiddlewaretoken": "a" * 64,
    }
    browsers = []
    for person in (cast.anna, factories.make_person("Bea", cast.janssens)):
        browsers.append(browser := Browser())
        browser.force_login(person)
    answers = [browser.post(path, form).status_code for browser in (*browsers, browsers[0])]
    assert answers == [303, 200, 303]


def test_a_stranger_with_what_anna_sent_is_led_nowhere(cast: Cast) -> None:
    form = {
        "login": cast.anna.email,
        "password": PASSWORD,
        "next": f"/consent/{cast.consent.uuid}",
    }
    anna, stranger = Browser(enforce_csrf_checks=True), Browser(enforce_csrf_checks=True)
    form["csrfmiddlewaretoken"] = token_on(anna.get("/accounts/login/").content)
    stranger.get("/accounts/login/")
    assert anna.post("/accounts/login/", form).status_code == 302
    assert stranger.post("/accounts/login/", form).status_code == 403
