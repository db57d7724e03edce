"""People of an office, in a real browser: invited, joined, removed; passkeys; the last Admin."""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from playwright.sync_api import expect

from accounts.models import Membership, Office
from accounts.tasks import sweep_letters
from tests import factories
from tests.accounts.people import code_now
from tests.browser.conftest import DESK, PHONE, Visit, Visitor
from tests.conftest import Cast


@pytest.fixture
def mailbox(portal: str, tmp_path: Path) -> Iterator[Path]:
    """Where a worker puts the mails of the running portal; the test is that worker."""
    files = {"EMAIL_BACKEND": "codabox_portal.mail.EmlFiles", "PORTAL_MAIL_DIR": str(tmp_path)}
    with override_settings(PORTAL_URL=portal, **files):
        yield tmp_path


def link_to(mailbox: Path, email: str, path_of: str = "invitation") -> str:
    """The link of the newest mail with such a link to this address."""
    sweep_letters()
    for path in sorted(mailbox.glob("*.eml"), reverse=True):
        text = quopri.decodestring(path.read_bytes()).decode(errors="replace")
        found = re.search(rf"https?://\S+/{path_of}/\S+", text)
        if f"To: {email}" in text and found:
            return found.group()
    raise AssertionError(f"no mail to {email}")


def at_users(visit: Visit, people: Cast, **options: Any) -> Visitor:
    an = visit(**options)
    an.enter(people.an, f"/offices/{people.janssens.slug}/users")
    return an


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
    an = at_users(visit, people)
    an.check_screen()
    an.page.click("text=Invite user")
    an.page.wait_for_url("**/invite")
    an.check_screen()
    an.page.fill("[name=email]", email)
    press(an, "Send the invitation")
    assert email in an.text()
    an.check_screen()

    nora = visit(java_script_enabled=False)
    nora.page.goto(link_to(mailbox, email))
    assert nora.page.locator("#id_email").input_value() == email
    nora.page.fill("[name=name]", "Nora")
    nora.page.fill("[name=password]", "a long enough sentence")
    press(nora, "Accept the invitation")
    assert nora.heading() == people.janssens.name
    nora.check_screen()

    an.page.reload()
    row = an.page.locator("tr", has_text=email)
    row.locator("a", has_text="Change role").click()
    an.page.wait_for_url("**/role")
    an.check_screen()
    an.page.select_option("[name=role]", "admin")
    press(an, "Save the role")
    nora.page.reload()
    assert "Manage users" in nora.page.locator("nav").inner_text()

    an.page.locator("tr", has_text=email).locator("a", has_text="Remove").click()
    an.page.wait_for_url("**/remove")
    an.check_screen()
    press(an, "Remove user")
    assert "has no access any more" in an.text()
    nora.page.reload()
    assert nora.heading() == "Page not found"


def test_bram_who_opens_a_foreign_invitation_is_told_so(
    visit: Visit, people: Cast, mailbox: Path
) -> None:
    an = at_users(visit, people)
    an.page.click("text=Invite user")
    an.page.fill("[name=email]", people.chloe.email)
    press(an, "Send the invitation")
    bram = visit()
    bram.enter(people.bram, "/")
    bram.page.goto(link_to(mailbox, people.chloe.email))
    assert bram.heading() == "This invitation is for another person"
    bram.check_screen()
    chloe = visit()
    chloe.page.goto(link_to(mailbox, people.chloe.email))
    chloe.check_screen()
    chloe.log_in(people.chloe)
    assert chloe.heading() == f"Work for {people.janssens.name}"
    chloe.check_screen()
    press(chloe, "Accept the invitation")
    assert chloe.heading() == people.janssens.name


def test_two_admins_who_demote_each_other_leave_one(visit: Visit, people: Cast) -> None:
    bea = factories.make_person("Bea", people.janssens)
    an, other = at_users(visit, people), visit()
    other.enter(bea, f"/offices/{people.janssens.slug}/users")
    members = {m.user.name: m.uuid for m in people.janssens.memberships.select_related("user")}
    an.open(f"/offices/{people.janssens.slug}/users/{members['Bea']}/role")
    other.open(f"/offices/{people.janssens.slug}/users/{members['An']}/role")
    for visitor in (an, other):
        visitor.page.select_option("[name=role]", "user")
    press(an, "Save the role")
    press(other, "Save the role")
    assert "not open to you" in other.heading()
    assert people.janssens.memberships.admins().get().user == people.an
    an.open(f"/offices/{people.janssens.slug}/users/{members['An']}/role")
    an.page.select_option("[name=role]", "user")
    press(an, "Save the role")
    assert "keeps at least one Admin" in an.text()
    an.check_screen()


def test_from_the_grace_screen_by_app_and_back_to_the_request(visit: Visit, people: Cast) -> None:
    Office.objects.filter(pk=people.janssens.pk).update(second_factor_required=True)
    an = visit(java_script_enabled=False)
    an.open_request()
    an.log_in(people.an)
    assert an.heading() == "A second factor is needed"
    an.page.click("text=Add an authenticator app")
    an.page.fill("[name=code]", code_now(an.page.locator(".secret").inner_text()))
    press(an, "Add the app")
    codes = an.page.locator(".codes code").all_inner_texts()
    assert len(codes) == 10
    an.page.click("text=I keep them: go on")
    an.page.wait_for_url(f"**/consent/{people.consent.uuid}")
    assert an.heading() == "Manage your consent"

    elsewhere = visit()
    elsewhere.open_request()
    elsewhere.log_in(people.an)
    assert elsewhere.heading() == "Second step"
    elsewhere.check_screen()
    elsewhere.page.fill("[name=code]", codes[0])
    press(elsewhere, "Log in")
    elsewhere.check_screen()
    press(elsewhere, "Not now")
    assert elsewhere.heading() == "Manage your consent"


def test_a_passkey_is_added_and_then_logs_in_without_password(visit: Visit, people: Cast) -> None:
    an = visit()
    with_device(an)
    an.enter(people.an, "/accounts/security/")
    an.check_screen()
    an.page.click("text=Add a passkey")
    an.page.wait_for_url("**/passkeys/add/")
    an.check_screen()
    press(an, "Add a passkey")
    an.page.wait_for_url("**/recovery-codes/")
    an.check_screen()
    an.page.click("text=I keep them: go on")
    an.page.wait_for_url("**/security/")
    assert "Passkey 1" in an.text()
    an.check_screen()

    press(an, "Log out")
    an.open_request()
    press(an, "Log in with a passkey")
    expect(an.page.locator("h1")).to_have_text("Manage your consent")

    press(an, "Log out")
    an.open_request()
    an.log_in(people.an)
    assert an.heading() == "Second step"
    press(an, "Use a passkey")
    an.page.wait_for_url("**/remember/")
    press(an, "Not now")
    expect(an.page.locator("h1")).to_have_text("Manage your consent")
    assert Membership.objects.with_second_factor().get(user=people.an).has_second_factor


def test_the_app_screen_and_the_grace_screen_are_open_to_all(visit: Visit, people: Cast) -> None:
    Office.objects.filter(pk=people.janssens.pk).update(second_factor_required=True)
    an = visit(locale="nl")
    an.enter(people.an, f"/offices/{people.janssens.slug}")
    assert an.heading() == "Een tweede factor is nodig"
    an.check_screen()
    an.page.click("text=Een authenticatie-app toevoegen")
    an.page.wait_for_url("**/app/add/**")
    an.check_screen()
    an.open("/accounts/password/change/")
    an.check_screen()


def test_an_changes_her_address_in_two_mailboxes(visit: Visit, people: Cast, mailbox: Path) -> None:
    new = f"an.{factories.unique()}@office.example"
    an = visit(java_script_enabled=False)
    an.enter(people.an, "/me")
    an.page.click("text=Change the e-mail address")
    an.page.fill("[name=email]", new)
    press(an, "Send the first link")
    assert people.an.email in an.text()
    for mailbox_of, button in (
        (people.an.email, "mail the last link"),
        (new, "change the address"),
    ):
        an.page.goto(link_to(mailbox, mailbox_of, "me/email"))
        an.check_screen()
        press(an, button)
    assert an.page.locator("#id_email").input_value() == new
    press(an, "Log out")
    an.open("/me")
    people.an.email = new
    an.log_in(people.an)
    assert an.heading() == "Personal info"


SCREENS = (
    "/me", "/me/email", "/me/email/broken", "/accounts/security/", "/accounts/password/change/",
    "/accounts/app/add/", "/offices/{0}", "/offices/{0}/users", "/offices/{0}/users/invite",
    "/offices/{0}/users/{1}/role", "/offices/{0}/users/{1}/remove", "/offices/{0}/organization",
    "/offices/{0}/leave", "/invitation/guess", "/accounts/reauthenticate/?next=/me",
)  # fmt: skip
STRANGERS = ("/accounts/login/", "/accounts/password/reset/", "/accounts/password/reset/done/")


def test_every_screen_about_people_is_open_to_all(
    visit: Visit, people: Cast, rounds: float
) -> None:
    """Each in one language, width and colour, another one each time; `--rounds 10` for all."""
    bram = people.janssens.memberships.get(user=people.bram).uuid
    an = visit()
    an.enter(people.an, "/me")
    for person, paths in ((an, SCREENS), (visit(), STRANGERS)):
        looks = list(product(("en", "nl", "fr", "de"), (PHONE, DESK), ("light", "dark")))
        for number, path in enumerate(paths):
            for look in looks if rounds >= 10 else [looks[number * 5 % 16]]:
                person.check_look(path.format(people.janssens.slug, bram), *look)
