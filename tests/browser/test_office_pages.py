"""The pages of an office beside the consents: software directory, changed terms, companies."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from consents import scheduled_events
from consents.models import Terms
from partners.models import Partner
from tests import factories
from tests.browser.conftest import Visitor
from tests.conftest import Cast, Software
from tests.factories import allow

pytestmark = pytest.mark.requirement(88)


Visit = Callable[..., Visitor]
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without-scripts"])


@pytest.fixture
def few(people: Cast) -> Iterator[None]:
    """A directory of this cast's software only; other tests leave hundreds, and axe judges each."""
    ours = (people.ledgerly.pk, people.tally.pk)
    listed = Partner.objects.filter(listed=True).exclude(pk__in=ours)
    others = Partner.objects.filter(pk__in=list(listed.values_list("pk", flat=True)))
    others.update(listed=False)
    yield
    others.update(listed=True)


@SCRIPTS
def test_anna_denies_blocks_and_unblocks_software(
    visit: Visit, people: Cast, few: None, scripts: bool
) -> None:
    anna = visit(java_script_enabled=scripts)
    anna.enter(people.anna, f"/consent/{people.consent.uuid}?via=overview")
    anna.choose("deny")
    anna.confirm()
    anna.page.click("main a:has-text('Block this software')")
    anna.check_screen()
    anna.page.click("main button:has-text('Block')")
    anna.page.wait_for_url("**/software")
    assert "Blocked" in anna.text()
    anna.check_screen()
    anna.page.click("main a:has-text('Unblock this software')")
    anna.page.click("main button:has-text('Unblock')")
    anna.page.wait_for_url("**/software")
    assert "Blocked" not in anna.text()


def test_a_stranger_reads_the_public_directory(visit: Visit, people: Cast, few: None) -> None:
    stranger = visit(locale="nl-BE")
    stranger.open("/software")
    assert people.ledgerly.name in stranger.text()
    stranger.check_screen()


@SCRIPTS
def test_anna_reads_what_changed_in_the_terms_and_accepts(
    visit: Visit, people: Cast, scripts: bool
) -> None:
    allow(people.consent, people.anna)
    old = factories.terms_in_force()
    for language in ("en", "nl", "fr", "de"):
        body = Terms.objects.in_force(language).body
        Terms.objects.create(
            version=old.version + 1, language=language, body=f"{body}\n\nAnd more.", material=True
        )
    scheduled_events.write_due_events()
    assert people.fresh().accept_terms_by is not None
    anna = visit(java_script_enabled=scripts)
    anna.enter(people.anna, f"/offices/{people.janssens.slug}/consents/{people.consent.uuid}")
    anna.check_screen()
    anna.page.click("main a:has-text('Read the changed terms')")
    anna.page.wait_for_url("**/terms")
    assert "And more." in anna.page.locator("ins").first.inner_text()
    anna.check_screen()
    anna.page.check("#id_accept_terms")
    anna.page.click("main button:has-text('Accept the changed terms')")
    anna.page.wait_for_url(f"**/consents/{people.consent.uuid}")
    assert "Changed terms accepted" in anna.text()
    assert people.fresh().accept_terms_by is None


@pytest.mark.requirement(38)
@SCRIPTS
def test_bea_confirms_a_consent_whose_giver_left(visit: Visit, people: Cast, scripts: bool) -> None:
    allow(people.consent, people.anna)
    bea = factories.make_person("Bea", people.janssens)
    people.janssens.memberships.get(user=people.anna).leave()
    hers = visit(java_script_enabled=scripts)
    hers.open(f"/offices/{people.janssens.slug}")
    hers.log_in(bea)
    assert "Anna, who gave the consent" in hers.text()
    hers.check_screen()
    hers.page.click("main a:has-text('Keep or cancel')")
    hers.page.wait_for_url("**/reaffirm")
    assert hers.heading() == "Keep this consent?"
    hers.check_screen()
    hers.page.click("main a:has-text('Decide later')")
    hers.page.wait_for_url(f"**/consents/{people.consent.uuid}")
    assert "Do you want to keep it?" in hers.text()
    hers.check_screen()
    hers.page.click("main a:has-text('Keep or cancel')")
    hers.page.check("#id_accept_terms")
    hers.page.click("main button:has-text('Keep consent')")
    hers.page.wait_for_url(f"**/consents/{people.consent.uuid}")
    assert "Reconfirmed" in hers.text()
    assert "Do you want to keep it?" not in hers.text()
    assert people.consent.events.latest("number").person == bea


@pytest.mark.parametrize("locale", ["en-GB", "nl-BE", "fr-BE", "de-BE"])
def test_bram_sees_who_fetched_what_of_a_company(
    visit: Visit, people: Cast, ledgerly: Software, locale: str
) -> None:
    allow(people.consent, people.anna)
    document = factories.make_document(people.bakery, contents={factories.CODA: b"0"})
    number = people.bakery.company_number
    answer = ledgerly.document(people.janssens, number, document.uuid, accept=factories.CODA)
    assert answer.status_code == 200
    bram = visit(locale=locale)
    bram.enter(people.bram, f"/offices/{people.janssens.slug}/companies")
    bram.check_screen()
    bram.page.click(f'main a:has-text("{people.bakery.name}")')
    bram.page.wait_for_url(f"**/companies/{number}")
    bram.page.click(f"main a[href$='{number}/who']")
    bram.page.wait_for_url("**/who")
    assert people.ledgerly.name in bram.text()
    assert bram.page.locator(f"main a[href$='{document.uuid}']").count() == 1
    bram.check_screen()
