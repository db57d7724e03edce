"""An keeps command after the allow: details, pause, resume, cancel and its proof."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests import factories
from tests.browser.conftest import Visitor
from tests.conftest import Cast, Software
from tests.factories import allow

Visit = Callable[..., Visitor]


@pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without-scripts"])
def test_an_pauses_resumes_and_sees_the_story(visit: Visit, people: Cast, scripts: bool) -> None:
    allow(people.consent, people.an)
    an = visit(java_script_enabled=scripts)
    an.enter(people.an, f"/offices/{people.janssens.slug}/consents")
    an.page.click("main a:has-text('Pause')")
    an.page.wait_for_url("**/pause")
    an.check_screen()
    an.page.click("main button[type=submit]")
    an.page.wait_for_url(f"**/consents/{people.consent.uuid}")
    assert people.fresh().access() == "consentPaused"
    assert "Paused" in an.text()
    an.check_screen()
    an.page.click("main a:has-text('Resume access')")
    an.page.wait_for_url("**/resume")
    an.check_screen()
    an.page.click("main button[type=submit]")
    an.page.wait_for_url(f"**/consents/{people.consent.uuid}")
    assert people.fresh().access() is None
    assert "Resumed" in an.text()
    for words, name in (("receipt", "receipt-"), ("evidence", "evidence-")):
        with an.page.expect_download() as file:
            an.page.click(f"text=Download {words}")
        assert file.value.suggested_filename.startswith(f"{name}{people.consent.uuid}")
    assert an.complaints == []


def test_the_proof_counts_a_refused_attempt_within_two_seconds(
    visit: Visit, people: Cast, ledgerly: Software
) -> None:
    allow(people.consent, people.an)
    factories.make_document(people.bakery)
    number = people.bakery.company_number
    assert ledgerly.search(people.janssens, [number]).status_code == 201
    an = visit()
    an.enter(people.an, f"/offices/{people.janssens.slug}/consents/{people.consent.uuid}/cancel")
    an.page.check("[name=understood]")
    an.page.click("main button.btn-danger")
    an.page.wait_for_url("**/result**")
    # On the page that is open, without a click: after the cancel and on the details later.
    for count in (1, 2):
        refused = an.page.locator("[data-live=refused]")
        assert refused.inner_text() == str(count - 1)
        assert ledgerly.search(people.janssens, [number]).status_code == 403
        expect(refused).to_have_text(str(count), timeout=2000)
        assert an.page.locator("[data-live=last]").inner_text() != "Never"
        an.open(f"/offices/{people.janssens.slug}/consents/{people.consent.uuid}")
    an.check_screen()


@pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without-scripts"])
def test_an_leaves_a_company_out_and_shares_it_again(
    visit: Visit, people: Cast, scripts: bool
) -> None:
    allow(people.consent, people.an)
    shop = factories.make_client(people.janssens, "Shop")
    an = visit(java_script_enabled=scripts)
    an.enter(people.an, f"/offices/{people.janssens.slug}/consents/{people.consent.uuid}")
    an.page.click("main a:has-text('Change what is shared')")
    an.page.wait_for_url("**/scope")
    an.check_screen()
    an.page.uncheck(f"[name=companies][value='{shop.company_number}']")
    an.page.click("main button:has-text('Save')")
    an.page.wait_for_url(f"**/consents/{people.consent.uuid}")
    assert "1 left out" in an.text()
    an.check_screen()
    an.page.click("main a:has-text('Change what is shared')")
    an.page.check(f"[name=companies][value='{shop.company_number}']")
    an.page.click("main button:has-text('Save')")
    an.page.wait_for_url("**/scope/more?**")
    an.check_screen()
    an.page.check("#id_accept_terms")
    an.page.click("main button:has-text('Share more')")
    an.page.wait_for_url(f"**/consents/{people.consent.uuid}")
    assert "1 left out" not in an.text()
    assert "More is shared" in an.text()
