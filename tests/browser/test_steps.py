"""How many presses the daily ways take: counted, because a hurried person counts them too."""

from __future__ import annotations

import time

import pytest

from clients.models import Client
from consents.models import EventKind
from core.row_security import every_office
from documents.access_log import Reader, record
from documents.models import Outcome
from tests import factories
from tests.browser.conftest import DESK, PHONE, Visit, Visitor
from tests.conftest import Cast
from tests.documents import examples
from tests.factories import CODA, PASSWORD, allow

pytestmark = pytest.mark.requirement(87)


class Steps:
    """Counts what a person presses."""

    def __init__(self, visitor: Visitor) -> None:
        self.page, self.count = visitor.page, 0

    def press(self, selector: str) -> None:
        self.page.locator(selector).first.click()
        self.page.wait_for_load_state()
        self.count += 1

    def taken(self, *selectors: str) -> int:
        before = self.count
        for selector in selectors:
            self.press(selector)
        return self.count - before


def test_anna_ends_an_access_with_no_more_steps_than_she_gave_it(
    visit: Visit, people: Cast
) -> None:
    anna = visit()
    anna.open_request()
    anna.log_in(people.anna)
    steps = Steps(anna)
    giving = steps.taken("#id_accept_terms", "button[value=allow]", "main button[type=submit]")
    assert people.fresh().status == "allowed"
    for size in (PHONE, DESK):
        anna.page.set_viewport_size(size)  # type: ignore[arg-type]
        anna.open(f"/offices/{people.janssens.slug}")
        clicks = steps.taken("nav a:has-text('CodaBox Connect')")
        assert anna.page.url.endswith("/consents")
        assert clicks <= 2
    ending = steps.taken("main a:has-text('Cancel')", "#id_understood", "main button.btn-danger")
    assert people.fresh().status == "cancelled"
    assert ending <= giving


def test_from_a_cold_link_anna_allows_in_five_taps(visit: Visit, people: Cast) -> None:
    anna = visit()
    anna.open_request()
    steps = Steps(anna)
    anna.page.fill("[name=login]", people.anna.email)
    anna.page.fill("[name=password]", PASSWORD)
    taps = steps.taken(
        "main button[type=submit]",  # Log in
        "#id_accept_terms",
        "button[value=allow]",
        "main button[type=submit]",  # Allow access
    )
    assert people.fresh().status == "allowed"
    assert taps <= 5


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_from_home_anna_cancels_in_three_clicks(
    visit: Visit, people: Cast, size: dict[str, int]
) -> None:
    """Links and buttons; the box that says she understands is ticked besides."""
    allow(people.consent, people.anna)
    anna = visit(viewport=size)
    anna.enter(people.anna, f"/offices/{people.janssens.slug}")
    steps = Steps(anna)
    clicks = steps.taken("nav a:has-text('CodaBox Connect')", "main a:has-text('Cancel')")
    anna.page.check("#id_understood")
    clicks += steps.taken("main button.btn-danger")
    assert people.fresh().status == "cancelled"
    assert clicks <= 3


def test_bram_finds_a_statement_by_its_amount_and_who_read_it(visit: Visit, people: Cast) -> None:
    allow(people.consent, people.anna)
    company = examples.company_of(people.bakery)
    examples.take_files({"a.cod": examples.statement(company, cents=123_456)})
    (filed,) = examples.details(people.bakery)
    with every_office():
        document = filed.document
    reader = Reader(people.janssens.pk, people.consent.pk, 1)
    record(reader, Outcome.SERVED, document_id=document.pk, media_type=CODA, size=1)
    bram = visit()
    bram.enter(people.bram, f"/offices/{people.janssens.slug}")
    steps = Steps(bram)
    bram.page.locator("form[role=search] [name=q]").fill("1.234,56")
    bram.page.keyboard.press("Enter")
    bram.page.wait_for_url("**/search?**")
    assert steps.taken("main a.hit") <= 2
    assert str(document.uuid) in bram.page.url
    # From there, and from home, it is never far to who read it.
    assert steps.taken("main a:has-text('Who can see it')") <= 3
    assert people.ledgerly.name in bram.text()
    bram.open(f"/offices/{people.janssens.slug}")
    clicks = steps.taken(
        "nav a:has-text('Companies')",
        f"main a:has-text({people.bakery.name!r})",
        "main a[href$='/who']",
    )
    assert clicks <= 3
    rows = bram.page.locator("main tr", has_text=people.ledgerly.name)
    assert rows.filter(has_text="CODA").count() == 1


def test_anna_leaves_a_thousand_companies_out_within_two_minutes(
    visit: Visit, people: Cast
) -> None:
    """By a pasted list: what was typed counts for nothing, what was pressed and waited does."""
    allow(people.consent, people.anna)
    companies = Client.objects.bulk_create(
        Client(
            office=people.janssens,
            company_number=factories.company_number(),
            name=f"Company {n:04}",
            code=f"Q{n:04}",
        )
        for n in range(1_200)
    )
    pasted = "\n".join(one.code for one in companies[:1_000])
    anna = visit()
    anna.enter(people.anna, f"/offices/{people.janssens.slug}/consents/{people.consent.uuid}")
    began = time.monotonic()
    anna.page.locator("main a[href$='/scope']").click()
    anna.page.wait_for_load_state()
    anna.page.locator("details.paste summary").click()
    anna.page.fill("#id_pasted", pasted)
    anna.page.click("button[value=paste_out]")
    anna.page.wait_for_load_state()
    assert "1000 companies found: 1000 changed, 0 unchanged." in anna.page.content()
    anna.page.click("button[value=save]")
    anna.page.wait_for_url("**/consents/**")
    anna.page.wait_for_load_state()
    assert time.monotonic() - began < 120
    listed = people.consent.listed.values_list("client", flat=True)
    assert set(listed) == {one.pk for one in companies[:1_000]}
    assert people.consent.events.filter(kind=EventKind.NARROWED).count() == 1
