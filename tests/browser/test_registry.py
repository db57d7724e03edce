"""The registry in a browser: add, edit, archive, take back, give to another office, take over."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from clients.models import Client, Transfer
from tests import factories
from tests.browser.conftest import Visitor
from tests.conftest import Cast

pytestmark = pytest.mark.requirement(88)


Visit = Callable[..., Visitor]


def test_anna_adds_edits_and_gives_away_and_chloe_takes_over_without_scripts(
    visit: Visit, people: Cast
) -> None:
    number = factories.company_number()
    anna, chloe = (visit(java_script_enabled=False) for _ in "12")
    anna.enter(people.anna, f"/offices/{people.janssens.slug}/companies/add")
    anna.page.fill("#id_company_number", "0010000035")
    anna.page.click("main button[type=submit]")
    assert "check them for typing errors" in anna.text()
    anna.page.fill("#id_company_number", f"{number[:4]}.{number[4:7]}.{number[7:]}")
    anna.page.fill("#id_name", "Slagerij 't Hoekje & Zonen")
    anna.page.fill("#id_code", "S1")
    anna.page.click("main button[type=submit]")
    assert anna.heading() == "Slagerij 't Hoekje & Zonen"
    anna.page.click("main a:has-text('Edit')")
    anna.page.fill("#id_name", "Slagerij Om de Hoek")
    anna.page.click("main button[type=submit]")
    assert "Slagerij 't Hoekje & Zonen → Slagerij Om de Hoek" in anna.text()
    anna.page.click("main a:has-text('Transfer')")
    anna.page.fill("#id_number", people.peeters.company_number)
    anna.page.check("#id_understood")
    anna.page.click("main button[type=submit]")
    assert "have not answered yet" in anna.text()
    chloe.enter(people.chloe, f"/offices/{people.peeters.slug}")
    chloe.page.click("main a:has-text('Accept or decline')")
    chloe.page.fill("#id_code", "P1")
    chloe.page.click("main button[value=agree]")
    chloe.page.wait_for_url("**/companies")
    assert "Slagerij Om de Hoek" in chloe.page.locator("main ul").inner_text()
    anna.page.reload()
    assert anna.heading() != "Slagerij Om de Hoek"
    assert Client.objects.get(company_number=number).office == people.peeters


def test_anna_archives_by_keyboard_and_every_screen_is_clean(visit: Visit, people: Cast) -> None:
    anna = visit()
    base = f"/offices/{people.janssens.slug}/companies"
    anna.enter(people.anna, f"{base}/{people.bakery.uuid}/archive")
    anna.page.focus("#id_reason")
    anna.page.keyboard.type("stopped")
    anna.page.keyboard.press("Tab")
    anna.page.keyboard.press("Space")
    anna.page.keyboard.press("Tab")
    anna.page.keyboard.press("Enter")
    anna.page.wait_for_url(f"**/companies/{people.bakery.uuid}")
    assert "Archived" in anna.text()
    anna.page.click("main a:has-text('Restore from archive')")
    anna.page.click("main button:has-text('Restore')")
    anna.page.wait_for_url(f"**/companies/{people.bakery.uuid}")
    assert "Company restored from the archive" in anna.text()


def test_every_screen_of_the_registry_is_clean(visit: Visit, people: Cast) -> None:
    phone, desk = {"width": 360, "height": 740}, {"width": 1280, "height": 800}
    people.bakery.register_account(people.anna, f"BE{factories.unique():014d}")
    coming = factories.make_client(people.peeters, "Slagerij & Zonen met een lange naam")
    asked = Transfer.objects.ask(coming, people.chloe, people.janssens)
    office, one = f"/offices/{people.janssens.slug}", f"/companies/{people.bakery.uuid}"
    anna = visit()
    anna.enter(people.anna, office)
    pages = ["", "/companies", one, f"{one}/edit", f"{one}/accounts"]
    pages += [f"{one}/archive", f"{one}/transfer", f"/transfers/{asked.uuid}"]
    for place, page in enumerate(pages):
        # Each is judged in one language and one of the four looks: they take turns.
        language = ("en", "nl", "fr", "de")[place % 4]
        look = (phone, desk)[place // 2 % 2], "dark" if place % 2 else "light"
        anna.check_look(f"{office}{page}", language, *look)
