"""Anna keeps command after the allow: details, pause, resume, cancel and its proof."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests import factories
from tests.browser.conftest import Visitor
from tests.conftest import Cast, Software
from tests.factories import allow

pytestmark = pytest.mark.requirement(88)


Visit = Callable[..., Visitor]


@pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without-scripts"])
def test_anna_pauses_resumes_and_sees_the_timeline(
    visit: Visit, people: Cast, scripts: bool
) -> None:
    allow(people.consent, people.anna)
    anna = visit(java_script_enabled=scripts)
    anna.enter(people.anna, f"/offices/{people.janssens.slug}/consents")
    anna.page.click("main td a:has-text('Pause')")
    anna.page.wait_for_url("**/pause")
    anna.check_screen()
    anna.page.click("main button[type=submit]")
    anna.page.wait_for_url(f"**/consents/{people.consent.uuid}")
    assert people.fresh().access() == "consentPaused"
    assert "Paused" in anna.text()
    anna.check_screen()
    anna.page.click("main a:has-text('Resume access')")
    anna.page.wait_for_url("**/resume")
    anna.check_screen()
    anna.page.click("main button[type=submit]")
    anna.page.wait_for_url(f"**/consents/{people.consent.uuid}")
    assert people.fresh().access() is None
    assert "Resumed" in anna.text()
    for words, name in (("receipt", "receipt-"), ("evidence", "evidence-")):
        with anna.page.expect_download() as file:
            anna.page.click(f"text=Download {words}")
        assert file.value.suggested_filename.startswith(f"{name}{people.consent.uuid}")
    assert anna.complaints == []


def test_the_proof_counts_a_refused_attempt_within_two_seconds(
    visit: Visit, people: Cast, ledgerly: Software
) -> None:
    allow(people.consent, people.anna)
    factories.make_document(people.bakery)
    number = people.bakery.company_number
    assert ledgerly.search(people.janssens, [number]).status_code == 201
    anna = visit()
    anna.enter(
        people.anna, f"/offices/{people.janssens.slug}/consents/{people.consent.uuid}/cancel"
    )
    anna.page.check("[name=understood]")
    anna.page.click("main button.btn-danger")
    anna.page.wait_for_url("**/result**")
    # On the page that is open, without a click: after the cancel and on the details later.
    for count in (1, 2):
        refused = anna.page.locator("[data-live=refused]")
        assert refused.inner_text() == str(count - 1)
        assert ledgerly.search(people.janssens, [number]).status_code == 403
        expect(refused).to_have_text(str(count), timeout=2000)
        assert anna.page.locator("[data-live=last]").inner_text() != "Never"
        anna.open(f"/offices/{people.janssens.slug}/consents/{people.consent.uuid}")
    anna.check_screen()


@pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without-scripts"])
def test_anna_leaves_a_company_out_and_shares_it_again(
    visit: Visit, people: Cast, scripts: bool
) -> None:
    allow(people.consent, people.anna)
    shop = factories.make_client(people.janssens, "Shop")
    anna = visit(java_script_enabled=scripts)
    anna.enter(people.anna, f"/offices/{people.janssens.slug}/consents/{people.consent.uuid}")
    anna.page.click("main a:has-text('Change what is shared')")
    anna.page.wait_for_url("**/scope")
    anna.check_screen()
    anna.page.uncheck(f"[name=companies][value='{shop.company_number}']")
    anna.page.click("main button:has-text('Save')")
    anna.page.wait_for_url(f"**/consents/{people.consent.uuid}")
    assert "1 not shared" in anna.text()
    anna.check_screen()
    anna.page.click("main a:has-text('Change what is shared')")
    anna.page.check(f"[name=companies][value='{shop.company_number}']")
    anna.page.click("main button:has-text('Save')")
    anna.page.wait_for_url("**/scope/more?**")
    anna.check_screen()
    anna.page.check("#id_accept_terms")
    anna.page.click("main button:has-text('Share more')")
    anna.page.wait_for_url(f"**/consents/{people.consent.uuid}")
    assert "1 left out" not in anna.text()
    assert "Sharing extended" in anna.text()
