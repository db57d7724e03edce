"""The registry in a browser: add, edit, archive, take back, give to another office, take over."""

from __future__ import annotations

from collections.abc import Callable

from clients.models import Client, Transfer
from tests import factories
from tests.browser.conftest import Visitor
from tests.conftest import Cast

Visit = Callable[..., Visitor]


def test_an_adds_edits_and_gives_away_and_chloe_takes_over_without_scripts(
    visit: Visit, people: Cast
) -> None:
    number = factories.company_number()
    an, chloe = (visit(java_script_enabled=False) for _ in "12")
    an.enter(people.an, f"/offices/{people.janssens.slug}/companies/add")
    an.page.fill("#id_company_number", "0010000035")
    an.page.click("main button[type=submit]")
    assert "passes modulo 97" in an.text()
    an.page.fill("#id_company_number", f"{number[:4]}.{number[4:7]}.{number[7:]}")
    an.page.fill("#id_name", "Slagerij 't Hoekje & Zonen")
    an.page.fill("#id_code", "S1")
    an.page.click("main button[type=submit]")
    assert an.heading() == "Slagerij 't Hoekje & Zonen"
    an.page.click("main a:has-text('Edit')")
    an.page.fill("#id_name", "Slagerij Om de Hoek")
    an.page.click("main button[type=submit]")
    assert "Slagerij 't Hoekje & Zonen → Slagerij Om de Hoek" in an.text()
    an.page.click("main a:has-text('Transfer')")
    an.page.fill("#id_number", people.peeters.company_number)
    an.page.check("#id_understood")
    an.page.click("main button[type=submit]")
    assert "has not answered yet" in an.text()
    chloe.enter(people.chloe, f"/offices/{people.peeters.slug}")
    chloe.page.click("main a:has-text('Answer')")
    chloe.page.fill("#id_code", "P1")
    chloe.page.click("main button[value=agree]")
    chloe.page.wait_for_url("**/companies")
    assert "Slagerij Om de Hoek" in chloe.page.locator("main ul").inner_text()
    an.page.reload()
    assert an.heading() != "Slagerij Om de Hoek"
    assert Client.objects.get(company_number=number).office == people.peeters


def test_an_archives_by_keyboard_and_every_screen_is_clean(visit: Visit, people: Cast) -> None:
    an = visit()
    base = f"/offices/{people.janssens.slug}/companies"
    an.enter(people.an, f"{base}/{people.bakery.uuid}/archive")
    an.page.focus("#id_reason")
    an.page.keyboard.type("stopped")
    an.page.keyboard.press("Tab")
    an.page.keyboard.press("Space")
    an.page.keyboard.press("Tab")
    an.page.keyboard.press("Enter")
    an.page.wait_for_url(f"**/companies/{people.bakery.uuid}")
    assert "Archived" in an.text()
    an.page.click("main a:has-text('Take back from the archive')")
    an.page.click("main button:has-text('Take back')")
    an.page.wait_for_url(f"**/companies/{people.bakery.uuid}")
    assert "Company taken back from the archive" in an.text()


def test_every_screen_of_the_registry_is_clean(visit: Visit, people: Cast) -> None:
    phone, desk = {"width": 360, "height": 740}, {"width": 1280, "height": 800}
    people.bakery.register_account(people.an, f"BE{factories.unique():014d}")
    coming = factories.make_client(people.peeters, "Slagerij & Zonen met een lange naam")
    asked = Transfer.objects.ask(coming, people.chloe, people.janssens)
    office, one = f"/offices/{people.janssens.slug}", f"/companies/{people.bakery.uuid}"
    an = visit()
    an.enter(people.an, office)
    pages = ["", "/companies", one, f"{one}/edit", f"{one}/accounts"]
    pages += [f"{one}/archive", f"{one}/transfer", f"/transfers/{asked.uuid}"]
    for place, page in enumerate(pages):
        # Each is judged in one language and one of the four looks: they take turns.
        language = ("en", "nl", "fr", "de")[place % 4]
        look = (phone, desk)[place // 2 % 2], "dark" if place % 2 else "light"
        an.check_look(f"{office}{page}", language, *look)
