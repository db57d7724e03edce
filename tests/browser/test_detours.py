"""Whatever lies between the link and the decision, Anna lands on the request, and decides once."""

from __future__ import annotations

import re
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import settings
from playwright.sync_api import Route

from accounts.models import Invitation, Role
from consents.models import EventKind
from tests import factories
from tests.accounts.people import add_app, logged_in
from tests.browser.conftest import Visit, Visitor
from tests.browser.walk import link_to
from tests.conftest import Cast
from tests.factories import PASSWORD

pytestmark = pytest.mark.requirement(88)

NEW = "a quiet evening by the river"
RESET = "accounts/password/reset/key"


def at_login(visit: Visit) -> Visitor:
    """Somebody who came from the software and is not logged in."""
    anna = visit()
    anna.open_request()
    assert "Log in" in anna.heading()
    return anna


def allows(anna: Visitor) -> None:
    """She stands before the request; she allows it, and that is written down once."""
    assert anna.page.url.split("?")[0].endswith(f"/consent/{anna.people.consent.uuid}")
    assert anna.heading() == "Manage your consent"
    anna.choose("allow")
    anna.confirm()
    anna.page.wait_for_url("**/result**")
    assert decided(anna.people) == 1


def decided(people: Cast) -> int:
    """How often the consent was allowed."""
    assert people.fresh().status == "allowed"
    return int(people.consent.events.filter(kind=EventKind.ALLOWED).count())


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_a_forgotten_password_leads_back(
    visit: Visit, people: Cast, mailbox: Path, where: str
) -> None:
    anna = at_login(visit)
    anna.log_in(people.anna, "not the right password")
    anna.page.click("text=Forgot your password?")
    anna.page.fill("[name=email]", people.anna.email)
    anna.page.click("main button[type=submit]")
    anna.page.wait_for_url("**/done/**")
    reader = anna if where == "here" else visit()
    reader.page.goto(link_to(mailbox, people.anna.email, RESET))
    for field in ("password1", "password2"):
        reader.page.fill(f"[name={field}]", NEW)
    reader.page.click("main button[type=submit]")
    reader.page.wait_for_load_state()
    if "Log in" not in reader.heading():
        reader.page.locator("main a.btn").first.click()
        reader.page.wait_for_load_state()
    reader.log_in(people.anna, NEW)
    allows(reader)


def test_a_code_that_is_one_step_old_counts(visit: Visit, people: Cast) -> None:
    secret, _answer = add_app(logged_in(people.anna))
    anna = at_login(visit)
    anna.log_in(people.anna)
    before = int(time.time()) // 30 - 1
    anna.page.fill("[name=code]", str(format_hotp_value(hotp_value(secret, before))))
    anna.page.click("main button[type=submit]")
    anna.page.wait_for_load_state()
    anna.page.get_by_role("button", name="Not now").click()
    anna.page.wait_for_load_state()
    allows(anna)


def test_an_invitation_on_the_way_leads_back(visit: Visit, people: Cast, mailbox: Path) -> None:
    email = f"nora.{factories.unique()}@office.example"
    Invitation.objects.invite(
        people.janssens,
        people.anna,
        email=email,
        role=Role.ADMIN,
        language="en",
        then=f"/consent/{people.consent.uuid}",
    )
    nora = visit()
    nora.page.goto(link_to(mailbox, email))
    nora.page.fill("[name=name]", "Nora")
    nora.page.fill("[name=password]", PASSWORD)
    nora.page.click("main button[type=submit]")
    nora.page.wait_for_load_state()
    allows(nora)


def test_a_session_that_ended_meanwhile_leads_back(visit: Visit, people: Cast) -> None:
    anna = at_login(visit)
    anna.log_in(people.anna)
    anna.page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    anna.page.check("#id_accept_terms")
    anna.page.locator("button[value=allow]").click()
    anna.page.wait_for_load_state()
    anna.log_in(people.anna)
    allows(anna)


def test_an_address_that_changed_meanwhile_leads_back(
    visit: Visit, people: Cast, mailbox: Path
) -> None:
    """The request stays open in one tab; the links of the mails are followed in another."""
    new = f"anna.{factories.unique()}@office.example"
    anna = at_login(visit)
    anna.log_in(people.anna)
    other = Visitor(anna.page.context.new_page(), anna.portal, people, [])
    other.open("/me/email")
    other.page.fill("[name=email]", new)
    other.page.click("main button[type=submit]")
    other.page.wait_for_load_state()
    for mailbox_of in (people.anna.email, new):
        other.page.goto(link_to(mailbox, mailbox_of, "me/email"))
        other.page.click("main button[type=submit]")
        other.page.wait_for_load_state()
    anna.page.reload()
    people.anna.refresh_from_db()
    assert people.anna.email == new
    allows(anna)


@pytest.mark.parametrize("screen", ["log in", "allow", "allow access"])
def test_a_double_click_on_a_slow_line_is_one_press(
    visit: Visit, people: Cast, screen: str
) -> None:
    anna = at_login(visit)

    def slowly(route: Route) -> None:
        if route.request.method == "POST":
            time.sleep(0.5)
        route.continue_()

    anna.page.route(re.compile(re.escape(anna.portal)), slowly)
    anna.page.fill("[name=login]", people.anna.email)
    anna.page.fill("[name=password]", PASSWORD)
    press(anna, "main button[type=submit]", twice=screen == "log in")
    anna.page.wait_for_url(f"**/consent/{people.consent.uuid}")
    anna.page.check("#id_accept_terms")
    press(anna, "button[value=allow]", twice=screen == "allow")
    anna.page.wait_for_url("**/confirm?**")
    press(anna, "main button[type=submit]", twice=screen == "allow access")
    anna.page.wait_for_url("**/result**")
    assert decided(people) == 1


def press(anna: Visitor, selector: str, *, twice: bool) -> None:
    button = anna.page.locator(selector).first
    if twice:
        button.dblclick(no_wait_after=True)
    else:
        button.click(no_wait_after=True)


def test_back_after_the_decision_shows_what_was_decided(visit: Visit, people: Cast) -> None:
    anna = at_login(visit)
    anna.log_in(people.anna)
    allows(anna)
    for _step in range(2):
        anna.page.go_back()
        anna.page.wait_for_load_state()
    anna.open(f"/consent/{people.consent.uuid}?state={quote('a b')}")
    assert anna.heading() == "Already allowed"
    assert decided(people) == 1
