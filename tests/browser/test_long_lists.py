"""The foot of the long lists in a browser: on a phone, by keyboard, without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from clients.models import Client
from core.row_security import every_office
from documents.models import DocumentRead
from tests import factories
from tests.browser.conftest import Visit, Visitor
from tests.browser.walk import tab_to
from tests.conftest import Cast
from tests.factories import CODA

pytestmark = pytest.mark.requirement(88)

PREVIOUS, NEXT = "main nav a[rel=prev]", "main nav a[rel=next]"
LANGUAGES = {
    "en": ("Previous", "Next"),
    "nl": ("Vorige", "Volgende"),
    "fr": ("Précédent", "Suivant"),
    "de": ("Zurück", "Weiter"),
}


def names(page: Page) -> list[str]:
    return page.locator("main .rows > li a").all_inner_texts()


@pytest.fixture
def many(people: Cast) -> Cast:
    """An office with 120 companies."""
    Client.objects.bulk_create(
        Client(
            office=people.janssens,
            name=f"Zaak {n:03}",
            code=f"Z{n:03}",
            company_number=factories.company_number(),
        )
        for n in range(119)
    )
    return people


def press(visitor: Visitor, step: str) -> None:
    """From where the skip link leads, go to Previous or Next by Tab, and press Enter."""
    before = visitor.page.url
    visitor.page.locator("main").focus()
    tab_to(visitor.page, step)
    visitor.page.keyboard.press("Enter")
    visitor.page.wait_for_url(lambda url: url != before)
    visitor.page.wait_for_load_state()


@pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without-scripts"])
def test_anna_goes_through_her_companies_by_keyboard(
    visit: Visit, many: Cast, scripts: bool
) -> None:
    anna = visit(java_script_enabled=scripts)
    anna.enter(many.anna, f"/offices/{many.janssens.slug}/companies")
    page = anna.page
    pages, foot = [names(page)], page.locator("main nav.pager")
    expect(foot).to_contain_text("1–50 of 120")
    # What leads nowhere is read out as such, and the keyboard passes it by.
    expect(foot.get_by_role("link", name="Previous", disabled=True)).to_be_visible()
    assert page.locator(PREVIOUS).count() == 0
    for place in ("51–100 of 120", "101–120 of 120"):
        press(anna, NEXT)
        expect(foot).to_contain_text(place)
        pages.append(names(page))
    assert [len(shown) for shown in pages] == [50, 50, 20]
    assert page.locator(NEXT).count() == 0
    anna.check_screen()
    for shown in (pages[1], pages[0]):
        press(anna, PREVIOUS)
        assert names(page) == shown
    anna.check_screen()


def test_the_foot_is_easy_to_press_and_speaks_four_languages(visit: Visit, many: Cast) -> None:
    anna = visit()
    path = f"/offices/{many.janssens.slug}/companies"
    anna.enter(many.anna, path)
    for language, words in LANGUAGES.items():
        anna.check_look(path, language, {"width": 360, "height": 740}, "light")
        steps = anna.page.locator("main nav.pager .btn")
        assert tuple(steps.all_inner_texts()) == words
        boxes = [step.bounding_box() for step in steps.all()]
        assert all(box and box["height"] >= 44 and box["width"] >= 44 for box in boxes)
        assert len({box["y"] for box in boxes if box}) == 1, "they stand side by side"


@pytest.fixture
def fetched(people: Cast) -> str:
    """The page that tells who read a company of which a document was fetched 60 times."""
    with every_office():
        document = factories.make_filed_document(people.bakery, contents={CODA: b"0"}).document
        DocumentRead.objects.bulk_create(
            DocumentRead(
                office_id=people.janssens.pk,
                consent_id=people.consent.pk,
                application_id=1,
                document_id=document.pk,
                media_type=CODA,
                size=1,
                outcome="served",
            )
            for _ in range(60)
        )
    return f"/offices/{people.janssens.slug}/companies/{people.bakery.company_number}/who"


def test_the_reader_stays_at_the_list_that_goes_on(
    visit: Visit, people: Cast, fetched: str
) -> None:
    anna = visit()
    anna.enter(people.anna, fetched)
    press(anna, NEXT)
    assert anna.page.url.endswith("#fetched")
    expect(anna.page.locator("#fetched")).to_be_in_viewport()
    assert anna.page.locator("main td", has_text="CODA").count() == 10
    expect(anna.page.get_by_role("navigation", name="Download history")).to_be_visible()
    anna.check_screen()
