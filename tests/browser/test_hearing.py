"""What who cannot see hears: on each screen all it says, in an order that can be understood."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from consents.models import Terms
from tests import factories
from tests.browser.conftest import Visit
from tests.browser.hearing import heard
from tests.browser.walk import screens
from tests.conftest import ROOT, Cast
from tests.factories import allow

pytestmark = pytest.mark.requirement(88)

FIRST_TERMS = ROOT / "consents/terms"


# SOFTWARE, OFFICE, DAY, TIME and ID stand for what differs from run to run.
SCRIPT = {
    "login": """
        title: Log in · MyCodaBox
        main
        heading 1: Log in
        text: Accounting software is asking for your consent. Log in to go straight to the request.
        textbox: Email address, required
        textbox: Password, required
        button: Log in
        link: Forgot your password?
        button: Log in with a passkey""",
    "consent": """
        title: Manage your consent · MyCodaBox
        main
        heading 1: Manage your consent
        region: Request
        text: SOFTWARE Ledgerly NV asks to read the documents of
        text: OFFICE NUMBER · requested on DAY
        heading 2: What SOFTWARE can read if you allow this
        list
        listitem
        text: Document types: Bank account statements (CODA), Payroll statements (SODA), Credit card statements (CARO), Purchase invoices, Sales invoices
        listitem
        text: Companies: all companies of your office ( 1 company today)
        link: Choose what to share
        listitem
        text: Period: until you cancel . New documents, and those from the past two years . SOFTWARE keeps what it has downloaded.
        group
        DisclosureTriangle: Terms and conditions Read in full
        heading 2: Terms and conditions
        text: Read in full
        list
        listitem
        ListMarker: •
        text: Used only to keep your companies’ books.
        listitem
        ListMarker: •
        text: You can pause or cancel at any time.
        listitem
        ListMarker: •
        text: You confirm that your office may share this.
        switch: I have read and accept the terms and conditions, off
        button: Allow Consent
        button: Deny Consent
        link: Decide later
        text: until DAY""",
    "confirm": """
        title: Confirm your choice · MyCodaBox
        main
        heading 1: Confirm your choice
        text: If you confirm, SOFTWARE can read the documents of all companies of OFFICE (1 company today). Documents from the past two years are included. Access lasts until you cancel the consent.
        button: Allow access
        link: Go back""",
    "confirmed": """
        title: Consent confirmed · MyCodaBox
        main
        heading 1: Consent confirmed
        text: SOFTWARE can read the documents of OFFICE .
        term: Status
        text: Allowed
        term: Decided on
        text: DAY, TIME, by Anna
        term: Consent ID
        text: ID
        button: Copy Consent ID
        live:
        link: Continue to SOFTWARE
        text: This button takes you to software.example.""",
    "cancel": """
        title: Cancel consent · SOFTWARE · MyCodaBox
        main
        heading 1: Cancel consent?
        text: SOFTWARE Ledgerly NV
        heading 2: What will happen
        list
        listitem
        text: As soon as you cancel , SOFTWARE can no longer read any documents, new or old. This affects 1 company.
        listitem
        text: This software has not downloaded anything yet.
        listitem
        text: You cannot undo this. To get access again, the software must send a new request.
        checkbox: I understand the consequences of this action, off
        button: Cancel consent
        link: Keep consent
        link: Pause instead""",
    "cancelled": """
        title: Consent cancelled · MyCodaBox
        main
        heading 1: Consent cancelled
        text: SOFTWARE can no longer read the documents of OFFICE .
        term: Status
        text: Cancelled
        term: Allowed on
        text: DAY, TIME, by Anna
        term: Cancelled on
        text: DAY, TIME, by Anna
        term: Last successful download
        text: Never
        term: Refused attempts since
        live: 0
        term: Consent ID
        text: ID
        button: Copy Consent ID
        live:
        link: Back to all consents""",
    "step-up": """
        title: Confirm your password · MyCodaBox
        main
        heading 1: Confirm your password
        text: You logged in a while ago. Before you continue, we check that it is really you.
        textbox: Password, EMAIL, required
        text: EMAIL
        button: Continue""",
}  # fmt: skip


def told(lines: list[str], people: Cast) -> list[str]:
    """The lines, with the same words in every run."""
    text = "\n".join(lines)
    for words, stand_in in (
        ("\n".join(f"text: {part}" for part in terms_paragraphs()), "TERMS"),
        (people.ledgerly.name, "SOFTWARE"),
        (people.janssens.name, "OFFICE"),
        (people.anna.email, "EMAIL"),
        (str(people.consent.uuid), "ID"),
    ):
        text = text.replace(words, stand_in)
    text = re.sub(r"0\d{3}\.\d{3}\.\d{3}", "NUMBER", text)
    text = re.sub(r"\d{1,2} [A-Z][a-z]+ \d{4}", "DAY", text)
    text = re.sub(r"DAY, \d\d:\d\d", "DAY, TIME", text)
    text = re.sub(r"Version \d+ of", "Version N of", text)
    return text.splitlines()


def terms_paragraphs() -> list[str]:
    return [" ".join(part.split()) for part in Terms.objects.in_force("en").body.split("\n\n")]


def publish_first_text_again() -> None:
    """Other tests publish terms, too, some without a summary."""
    newest = factories.terms_in_force().version
    for language in ("en", "nl", "fr", "de"):
        body = (FIRST_TERMS / f"1.{language}.txt").read_text()
        Terms.objects.create(version=newest + 1, language=language, body=body)


def test_anna_hears_every_screen_in_order(
    visit: Visit, people: Cast, record_property: Callable[[str, object], None]
) -> None:
    publish_first_text_again()
    lines = 0
    for name, anna in screens(visit, people):
        if name in SCRIPT:
            wanted = [line.strip() for line in SCRIPT[name].strip().splitlines()]
            assert told(heard(anna.page), people) == wanted, name
            lines += len(wanted)
    record_property("measured", f"screen reader: {lines} lines of {len(SCRIPT)} screens as written")


def test_anna_hears_what_is_wrong_and_where(visit: Visit, people: Cast) -> None:
    anna = visit()
    anna.enter(people.anna, f"/consent/{people.consent.uuid}")
    anna.page.locator("button[value=allow]").click()
    expect(anna.page).to_have_title(re.compile("^Error"))
    (switch,) = [line for line in heard(anna.page) if line.startswith("switch")]
    assert re.fullmatch(
        r"switch: I have read .*, .*Turn on the switch to confirm.*, invalid, off", switch
    )


def test_anna_hears_that_the_identifier_is_copied(visit: Visit, people: Cast) -> None:
    allow(people.consent, people.anna)
    anna = visit()
    anna.enter(people.anna, f"/consent/{people.consent.uuid}/result")
    assert "live:" in heard(anna.page)
    anna.page.locator(".identifier-copy").click()
    expect(anna.page.locator("[data-said]")).not_to_be_empty()
    said = [line for line in heard(anna.page) if line.startswith("live: ")]
    assert len(said) == 1
    assert "Consent ID" in said[0]
