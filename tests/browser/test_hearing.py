"""What who cannot see hears: on each screen all it says, in an order that can be understood."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from consents.models import Terms
from tests.browser.conftest import Visit
from tests.browser.hearing import heard
from tests.browser.walk import screens
from tests.conftest import Cast
from tests.factories import allow

# SOFTWARE, OFFICE, DAY TIME and ID stand for what differs from run to run.
SCRIPT = {
    "login": """
        title: Log in · MyCodaBox
        main
        heading 1: Log in
        text: A software asks for your consent. Log in to see the request: you come back to it at once.
        textbox: E-mail address, required
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
        text: OFFICE NUMBER · asked on DAY TIME
        heading 2: If you allow this, SOFTWARE can read
        list
        listitem
        text: these kinds of documents:
        list
        listitem
        text: Bank account statements (CODA)
        listitem
        text: Payroll statements (SODA)
        listitem
        text: Credit card statements (CARO)
        listitem
        text: Purchase invoices
        listitem
        text: Sales invoices
        listitem
        text: of all companies of your office: 1 company today
        listitem
        text: new documents, and those of the past two years
        listitem
        text: until you end it: at any moment, under Administration › CodaBox Connect . Documents read before that stay with SOFTWARE.
        link: Leave companies or kinds of documents out
        heading 2: Terms and conditions
        region: Terms and conditions
        TERMS
        text: Version N of DAY
        switch: I have read and accept the terms and conditions, off
        button: Allow Consent, unavailable
        button: Deny Consent
        text: Allowing needs the switch above. Denying does not.
        link: Decide later
        text: If you deny, nothing is shared. The request stays open until DAY.""",
    "confirm": """
        title: Confirm your choice · MyCodaBox
        main
        heading 1: Confirm your choice
        text: From now on SOFTWARE can read the documents of all companies of OFFICE (1 company today), those of the past two years included, until you end it.
        button: Confirm
        link: Go back""",
    "confirmed": """
        title: Consent confirmed · MyCodaBox
        main
        heading 1: Consent confirmed
        text: SOFTWARE can read the documents of OFFICE .
        term: Status
        text: Allowed
        term: Decided
        text: DAY TIME, An
        term: Consent ID
        text: ID
        button: Copy the Consent ID
        live:
        link: Continue now
        text: This leads to software.example.""",
    "cancel": """
        title: Cancel consent · SOFTWARE · MyCodaBox
        main
        heading 1: Cancel consent?
        text: SOFTWARE Ledgerly NV
        heading 2: What happens
        list
        listitem
        text: From this moment SOFTWARE gets no more documents, neither new nor old: 1 company is touched.
        listitem
        text: It has not fetched anything yet.
        listitem
        text: Documents fetched before stay with SOFTWARE.
        listitem
        text: You cannot undo this. For new access the software must ask again.
        checkbox: I understand the consequences of this action, off
        button: Cancel consent
        link: Keep the consent
        link: Pause instead""",
    "cancelled": """
        title: Consent cancelled · MyCodaBox
        main
        heading 1: Consent cancelled
        text: SOFTWARE can no longer read the documents of OFFICE .
        term: Status
        text: Cancelled
        term: Allowed
        text: DAY TIME, An
        term: Cancelled
        text: DAY TIME, An
        term: Last successful fetch
        text: Never
        term: Refused attempts since
        live: 0
        term: Consent ID
        text: ID
        button: Copy the Consent ID
        live:
        link: Back to the overview""",
    "step-up": """
        title: Your password again · MyCodaBox
        main
        heading 1: Your password again
        text: You logged in a while ago. Before a decision we make sure that it is really you.
        textbox: Password, EMAIL, required
        text: EMAIL
        button: Go on""",
}  # fmt: skip


def told(lines: list[str], people: Cast) -> list[str]:
    """The lines, with the same words in every run."""
    text = "\n".join(lines)
    for words, stand_in in (
        ("\n".join(f"text: {part}" for part in terms_paragraphs()), "TERMS"),
        (people.ledgerly.name, "SOFTWARE"),
        (people.janssens.name, "OFFICE"),
        (people.an.email, "EMAIL"),
        (str(people.consent.uuid), "ID"),
    ):
        text = text.replace(words, stand_in)
    text = re.sub(r"0\d{3}\.\d{3}\.\d{3}", "NUMBER", text)
    text = re.sub(r"\d{1,2} [A-Z][a-z]+ \d{4}", "DAY", text)
    text = re.sub(r"DAY \d\d:\d\d", "DAY TIME", text)
    # Other tests publish terms, too.
    text = re.sub(r"Version \d+ of", "Version N of", text)
    return text.splitlines()


def terms_paragraphs() -> list[str]:
    return [" ".join(part.split()) for part in Terms.objects.in_force("en").body.split("\n\n")]


def test_an_hears_every_screen_in_order(
    visit: Visit, people: Cast, record_property: Callable[[str, object], None]
) -> None:
    lines = 0
    for name, an in screens(visit, people):
        if name in SCRIPT:
            wanted = [line.strip() for line in SCRIPT[name].strip().splitlines()]
            assert told(heard(an.page), people) == wanted, name
            lines += len(wanted)
    record_property("measured", f"screen reader: {lines} lines of {len(SCRIPT)} screens as written")


def test_an_hears_what_is_wrong_and_where(visit: Visit, people: Cast) -> None:
    an = visit()
    an.enter(people.an, f"/consent/{people.consent.uuid}")
    an.page.locator("form[data-decide]").evaluate(
        "(form) => { form.accept_terms.required = false; form.querySelector('[data-needs-switch]')"
        ".disabled = false; }"
    )
    an.page.locator("button[value=allow]").click()
    expect(an.page).to_have_title(re.compile("^Error"))
    (switch,) = [line for line in heard(an.page) if line.startswith("switch")]
    assert re.fullmatch(r"switch: I have read .*, .*first switch on.*, invalid, off", switch)


def test_an_hears_that_the_identifier_is_copied(visit: Visit, people: Cast) -> None:
    allow(people.consent, people.an)
    an = visit()
    an.enter(people.an, f"/consent/{people.consent.uuid}/result")
    assert "live:" in heard(an.page)
    an.page.locator(".identifier-copy").click()
    expect(an.page.locator("[data-said]")).not_to_be_empty()
    said = [line for line in heard(an.page) if line.startswith("live: ")]
    assert len(said) == 1
    assert "Consent ID" in said[0]
