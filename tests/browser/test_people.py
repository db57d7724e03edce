"""People of an office, in a real browser: invited, joined, removed; passkeys; the last Admin."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from accounts.models import Membership, Office
from tests import factories
from tests.accounts.people import code_now
from tests.browser.conftest import DESK, PHONE, Visit, Visitor
from tests.browser.walk import link_to
from tests.conftest import Cast

pytestmark = pytest.mark.requirement(88)


def at_users(visit: Visit, people: Cast, **options: Any) -> Visitor:
    anna = visit(**options)
    anna.enter(people.anna, f"/offices/{people.janssens.slug}/users")
    return anna


def with_device(visitor: Visitor) -> None:
    """Give the browser a device that keeps passkeys and knows its owner."""
    session = visitor.page.context.new_cdp_session(visitor.page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}  # fmt: skip
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def press(visitor: Visitor, words: str) -> None:
    visitor.page.get_by_role("button", name=words).first.click()
    visitor.page.wait_for_load_state()


def test_nora_is_invited_joins_gets_a_role_and_is_out_at_her_next_click(
    visit: Visit, people: Cast, mailbox: Path
) -> None:
    email = f"nora.{factories.unique()}@office.example"
    anna = at_users(visit, people)
    anna.check_screen()
    anna.page.click("text=Invite user")
    anna.page.wait_for_url("**/invite")
    anna.check_screen()
    anna.page.fill("[name=email]", email)
    press(anna, "Send invitation")
    assert email in anna.text()
    anna.check_screen()

    nora = visit(java_script_enabled=False)
    nora.page.goto(link_to(mailbox, email))
    assert nora.page.locator("#id_email").input_value() == email
    nora.page.fill("[name=name]", "Nora")
    nora.page.fill("[name=password]", "a long enough sentence")
    press(nora, "Accept invitation")
    assert nora.heading() == people.janssens.name
    nora.check_screen()

    anna.page.reload()
    row = anna.page.locator("tr", has_text=email)
    row.locator("a", has_text="Change role").click()
    anna.page.wait_for_url("**/role")
    anna.check_screen()
    anna.page.select_option("[name=role]", "admin")
    press(anna, "Save role")
    nora.page.reload()
    menu = nora.page.get_by_role("navigation", name="Office")
    assert "Manage users" in menu.inner_text()

    anna.page.locator("tr", has_text=email).locator("a", has_text="Remove").click()
    anna.page.wait_for_url("**/remove")
    anna.check_screen()
    press(anna, "Remove user")
    assert "no longer has access" in anna.text()
    nora.page.reload()
    assert nora.heading() == "Page not found"


def test_bram_who_opens_a_foreign_invitation_is_told_so(
    visit: Visit, people: Cast, mailbox: Path
) -> None:
    anna = at_users(visit, people)
    anna.page.click("text=Invite user")
    anna.page.fill("[name=email]", people.chloe.email)
    press(anna, "Send invitation")
    bram = visit()
    bram.enter(people.bram, "/")
    bram.page.goto(link_to(mailbox, people.chloe.email))
    assert bram.heading() == "This invitation is for someone else"
    bram.check_screen()
    chloe = visit()
    chloe.page.goto(link_to(mailbox, people.chloe.email))
    chloe.check_screen()
    chloe.log_in(people.chloe)
    assert chloe.heading() == f"Invitation from {people.janssens.name}"
    chloe.check_screen()
    press(chloe, "Accept invitation")
    assert chloe.heading() == people.janssens.name


def test_two_admins_who_demote_each_other_leave_one(visit: Visit, people: Cast) -> None:
    bea = factories.make_person("Bea", people.janssens)
    anna, other = at_users(visit, people), visit()
    other.enter(bea, f"/offices/{people.janssens.slug}/users")
    members = {m.user.name: m.uuid for m in people.janssens.memberships.select_related("user")}
    anna.open(f"/offices/{people.janssens.slug}/users/{members['Bea']}/role")
    other.open(f"/offices/{people.janssens.slug}/users/{members['Anna']}/role")
    for visitor in (anna, other):
        visitor.page.select_option("[name=role]", "user")
    press(anna, "Save role")
    press(other, "Save role")
    assert "You do not have access" in other.heading()
    assert people.janssens.memberships.admins().get().user == people.anna
    anna.open(f"/offices/{people.janssens.slug}/users/{members['Anna']}/role")
    anna.page.select_option("[name=role]", "user")
    press(anna, "Save role")
    assert "needs at least one Admin" in anna.text()
    anna.check_screen()


def test_from_the_grace_screen_by_app_and_back_to_the_request(visit: Visit, people: Cast) -> None:
    Office.objects.filter(pk=people.janssens.pk).update(second_factor_required=True)
    anna = visit(java_script_enabled=False)
    anna.open_request()
    anna.log_in(people.anna)
    assert anna.heading() == "Set up two-factor authentication"
    anna.page.click("text=Add an authenticator app")
    anna.page.fill("[name=code]", code_now(anna.page.locator(".secret").inner_text()))
    press(anna, "Add app")
    codes = anna.page.locator(".codes code").all_inner_texts()
    assert len(codes) == 10
    anna.page.click("text=I have saved my codes")
    anna.page.wait_for_url(f"**/consent/{people.consent.uuid}")
    assert anna.heading() == "Manage your consent"

    elsewhere = visit()
    elsewhere.open_request()
    elsewhere.log_in(people.anna)
    assert elsewhere.heading() == "Two-factor authentication"
    elsewhere.check_screen()
    elsewhere.page.fill("[name=code]", codes[0])
    press(elsewhere, "Log in")
    elsewhere.check_screen()
    press(elsewhere, "Not now")
    assert elsewhere.heading() == "Manage your consent"


def test_a_passkey_is_added_and_then_logs_in_without_password(visit: Visit, people: Cast) -> None:
    anna = visit()
    with_device(anna)
    anna.enter(people.anna, "/accounts/security/")
    anna.check_screen()
    anna.page.click("text=Add a passkey")
    anna.page.wait_for_url("**/passkeys/add/")
    anna.check_screen()
    press(anna, "Add a passkey")
    anna.page.wait_for_url("**/recovery-codes/")
    anna.check_screen()
    anna.page.click("text=I have saved my codes")
    anna.page.wait_for_url("**/security/")
    assert "Passkey 1" in anna.text()
    anna.check_screen()

    press(anna, "Log out")
    anna.open_request()
    press(anna, "Log in with a passkey")
    expect(anna.page.locator("h1")).to_have_text("Manage your consent")

    press(anna, "Log out")
    anna.open_request()
    anna.log_in(people.anna)
    assert anna.heading() == "Two-factor authentication"
    press(anna, "Use a passkey")
    anna.page.wait_for_url("**/remember/")
    press(anna, "Not now")
    expect(anna.page.locator("h1")).to_have_text("Manage your consent")
    membership = Membership.objects.with_second_factor().get(user=people.anna)
    assert membership.has_second_factor  # type: ignore[attr-defined]


def test_the_app_screen_and_the_grace_screen_are_open_to_all(visit: Visit, people: Cast) -> None:
    Office.objects.filter(pk=people.janssens.pk).update(second_factor_required=True)
    anna = visit(locale="nl")
    anna.enter(people.anna, f"/offices/{people.janssens.slug}")
    assert anna.heading() == "Tweestapsverificatie instellen"
    anna.check_screen()
    anna.page.click("text=Authenticatie-app toevoegen")
    anna.page.wait_for_url("**/app/add/**")
    anna.check_screen()
    anna.open("/accounts/password/change/")
    anna.check_screen()


def test_anna_changes_her_address_in_two_mailboxes(
    visit: Visit, people: Cast, mailbox: Path
) -> None:
    new = f"anna.{factories.unique()}@office.example"
    anna = visit(java_script_enabled=False)
    anna.enter(people.anna, "/me")
    anna.page.click("text=Change email address")
    anna.page.fill("[name=email]", new)
    press(anna, "Send first link")
    assert people.anna.email in anna.text()
    for mailbox_of, button in (
        (people.anna.email, "Send final link"),
        (new, "Change email address"),
    ):
        anna.page.goto(link_to(mailbox, mailbox_of, "me/email"))
        anna.check_screen()
        press(anna, button)
    assert anna.page.locator("#id_email").input_value() == new
    press(anna, "Log out")
    anna.open("/me")
    people.anna.email = new
    anna.log_in(people.anna)
    assert anna.heading() == "Personal info"


SCREENS = (
    "/me", "/me/email", "/me/email/broken", "/accounts/security/", "/accounts/password/change/",
    "/accounts/app/add/", "/offices/{0}", "/offices/{0}/users", "/offices/{0}/users/invite",
    "/offices/{0}/users/{1}/role", "/offices/{0}/users/{1}/remove", "/offices/{0}/organization",
    "/offices/{0}/leave", "/invitation/guess", "/accounts/reauthenticate/?next=/me",
)  # fmt: skip
STRANGERS = ("/accounts/login/", "/accounts/password/reset/", "/accounts/password/reset/done/")


@pytest.mark.requirement(89)
def test_every_screen_about_people_is_open_to_all(
    visit: Visit, people: Cast, rounds: float
) -> None:
    """Each in one language, width and colour, another one each time; `--rounds 10` for all."""
    bram = people.janssens.memberships.get(user=people.bram).uuid
    anna = visit()
    anna.enter(people.anna, "/me")
    for person, paths in ((anna, SCREENS), (visit(), STRANGERS)):
        looks = list(product(("en", "nl", "fr", "de"), (PHONE, DESK), ("light", "dark")))
        for number, path in enumerate(paths):
            for look in looks if rounds >= 10 else [looks[number * 5 % 16]]:
                person.check_look(path.format(people.janssens.slug, bram), *look)
