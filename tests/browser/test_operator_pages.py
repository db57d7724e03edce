"""What operators open, under the strict policy of the portal, and what an office reads of it."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from backoffice.models.support_access import AccessedRecord, SupportAccess
from consents.models import ConsentActivity
from demo.data.logo import ledgerly_logo
from partner_api.refusal_counts import count_refusal
from tests import factories
from tests.backoffice.test_operators import proven
from tests.browser.conftest import DESK, PHONE, Visit, Visitor, judge
from tests.conftest import Cast
from tests.factories import allow
from tests.test_access_matrix import as_person


def looking(visitor: Visitor, name: str) -> None:
    """Keep a picture of the screen in the folder that PORTAL_PICTURES names, if it names one."""
    folder = os.environ.get("PORTAL_PICTURES")
    if folder:
        visitor.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def operator(visit: Visit, people: Cast) -> Visitor:
    """Dirk at his desk, logged in with his second factor."""
    session = as_person(people.dirk).cookies["portal_session"].value
    dirk = visit(viewport=DESK)
    dirk.page.context.add_cookies(
        [{"name": "portal_session", "value": session, "url": dirk.portal}]
    )
    return dirk


def judged(visitor: Visitor, name: str) -> None:
    """Let axe judge the page; a style that axe itself brings in breaks the policy, so nobody minds."""
    before = len(visitor.complaints)
    judge(visitor.page, name)
    del visitor.complaints[before:]


def test_dirk_opens_his_pages_and_nothing_breaks_the_policy(visit: Visit, people: Cast) -> None:
    allow(people.consent, people.anna)
    today = timezone.localdate()
    for ago in range(30):
        day = today - timedelta(days=ago)
        ConsentActivity.objects.create(consent=people.consent, day=day, served=ago * 7 % 40)
    for code in ["consentPaused"] * 5 + ["tooManyRequests"] * 3:
        count_refusal(people.ledgerly.pk, code)
    dirk = operator(visit, people)
    member = people.janssens.memberships.get(user=people.bram).pk
    partner, office = people.ledgerly.pk, people.janssens.pk
    for name, path in {
        "monitor": f"partners/partner/{partner}/monitor/",
        "retire": f"partners/partner/{partner}/retire/",
        "office": f"accounts/office/{office}/change/",
        "close": f"accounts/office/{office}/close/",
        "factor": f"accounts/office/{office}/people/{member}/factor/",
        "history": f"partners/partner/{partner}/history/",
    }.items():
        dirk.open(f"/admin/{path}")
        assert dirk.heading()
        looking(dirk, name)


def test_anna_reads_on_a_phone_who_looked(visit: Visit, people: Cast) -> None:
    for seen in AccessedRecord:
        SupportAccess.objects.write(people.janssens, people.dirk, seen, "Bram")
    anna = visit()
    anna.enter(people.anna, f"/offices/{people.janssens.slug}/organization/looks")
    assert anna.text().count("Dirk") == len(AccessedRecord)
    looking(anna, "looks")
    anna.check_screen()


def test_dirk_gives_a_logo_and_anna_sees_it(visit: Visit, people: Cast) -> None:
    dirk = operator(visit, people)
    dirk.open(f"/admin/partners/partner/{people.ledgerly.pk}/change/")
    file: Any = {"name": "logo.png", "mimeType": "image/png", "buffer": ledgerly_logo()}
    dirk.page.set_input_files("input[name=picture]", file)
    dirk.page.click("input[name=_save]")
    assert "was changed successfully" in dirk.text()
    anna = visit()
    anna.open_request()
    anna.log_in(people.anna)
    logo = anna.page.locator("img.software-logo")
    assert logo.evaluate("picture => picture.naturalWidth") == 192
    anna.check_screen()
    looking(anna, "logo")


def test_the_pages_about_operators_and_the_guide_have_no_violation(
    visit: Visit, people: Cast
) -> None:
    """axe, light and dark; the keyboard reaches the copy button, and it says what it did."""
    factories.make_application(people.ledgerly)
    dirk, operator_page = operator(visit, people), "backoffice/operator"
    eva = factories.make_person("Eva", is_staff=True)
    guide = f"partners/partner/{people.ledgerly.pk}/guide/"
    for name, path in {
        "operators": f"{operator_page}/",
        "operator": f"{operator_page}/{eva.pk}/change/",
        "invite": f"{operator_page}/invite/",
        "events": f"{operator_page}/events/",
        "sessions": f"{operator_page}/{people.dirk.pk}/sessions/",
        "end": f"{operator_page}/{eva.pk}/end/",
        "preview": f"partners/partner/{people.ledgerly.pk}/preview/de/",
        "guide": guide,
    }.items():
        dirk.open(f"/admin/{path}")
        looking(dirk, name)
        for scheme in ("light", "dark"):
            dirk.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            judged(dirk, f"{name} {scheme}")
    dirk.page.locator("[data-identifier] button").first.focus()
    dirk.page.keyboard.press("Enter")
    dirk.page.get_by_text("Copied").or_(dirk.page.get_by_text("Selected.")).first.wait_for()


def test_the_pages_that_answer_why_and_end_an_access_have_no_violation(
    visit: Visit, people: Cast
) -> None:
    """The office with its people and consents, the consent, and a request for a second operator."""
    allow(people.consent, people.anna)
    consent = f"/admin/consents/consent/{people.consent.pk}"
    asked = proven(people.dirk).post(f"{consent}/end/", {"reason": "Asked by telephone"})
    assert asked.status_code == 302
    dirk = operator(visit, people)
    for path in (
        f"/admin/accounts/office/{people.janssens.pk}/change/",
        f"{consent}/change/",
        f"{consent}/end/",
    ):
        dirk.open(path)
        for scheme in ("light", "dark"):
            dirk.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            judged(dirk, f"{path} {scheme}")
    assert "Asked by telephone" in dirk.text()


def test_a_field_says_what_is_wrong_before_dirk_saves(visit: Visit, people: Cast) -> None:
    dirk = operator(visit, people)
    dirk.open(f"/admin/partners/partner/{people.ledgerly.pk}/change/")
    number = dirk.page.locator("#id_legal_number")
    number.fill("0403170702")
    said = dirk.page.locator("#id_legal_number_said")
    said.get_by_text("check them for typing errors").wait_for()
    assert number.get_attribute("aria-invalid") == "true"
    judged(dirk, "a wrong number")
    number.fill("BE 0403.170.701")
    dirk.page.locator("#id_legal_number[aria-invalid=false]").wait_for()
    assert said.inner_text() == ""


def test_the_pages_of_dirk_fit_a_phone(visit: Visit, people: Cast) -> None:
    """Nothing scrolls sideways, and the header leaves room for the page."""
    SupportAccess.objects.write(people.janssens, people.dirk, AccessedRecord.PEOPLE, "Bram")
    dirk = operator(visit, people)
    dirk.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    for name, path in {
        "home": "",
        "office": f"accounts/office/{people.janssens.pk}/change/",
        "monitor": f"partners/partner/{people.ledgerly.pk}/monitor/",
        "events": "backoffice/operator/events/",
    }.items():
        dirk.open(f"/admin/{path}")
        wide = dirk.page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{name} is {wide} px too wide"
        height = dirk.page.locator("#header").evaluate("header => header.offsetHeight")
        assert height < 0.35 * PHONE["height"], f"the header of {name} is {height} px high"
        judged(dirk, name)
