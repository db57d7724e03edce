"""Many companies at once: a list is added or archived after a look, a file is as good as a paste."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from clients.company_lists import rows_of
from clients.models import Client, ClientEvent, Transfer
from consents.scope import clients_in_scope
from tests import factories
from tests.accounts.conftest import _own_limits  # noqa: F401  # a fixture
from tests.conftest import Cast
from tests.factories import allow
from tests.test_access_matrix import as_person

pytestmark = pytest.mark.usefixtures("_own_limits")


@pytest.fixture
def anna(cast: Cast) -> Browser:
    return as_person(cast.anna)


def of(cast: Cast, page: str) -> str:
    return f"/offices/{cast.janssens.slug}/companies/{page}"


def csv_file(text: str, charset: str = "utf-8-sig") -> SimpleUploadedFile:
    return SimpleUploadedFile("list.csv", text.encode(charset), "text/csv")


def test_anna_looks_at_a_list_and_then_adds_it(cast: Cast, anna: Browser) -> None:
    free, also = factories.company_number(), factories.company_number()
    text = (
        "Company code;Enterprise number;Name;Language;Email\n"
        f"N1;BE {free[:4]}.{free[4:7]}.{free[7:]};Café Zoë;fr;zoe@cafe.example\n"
        f"N2;{also};Schneider & Zonen\n"
        f"N3;{cast.bakery.company_number};Bakkerij\n"
        f"N1;{factories.company_number()};Code of another line\n"
        "N5;0123456789;Wrong number\n"
    )
    look = anna.post(of(cast, "import"), {"pasted": text, "press": "look"})
    found = look.context["found"]
    assert [one["name"] for one in found.new] == ["Café Zoë", "Schneider & Zonen"]
    assert found.known == ["Bakkerij"]
    assert [one.line for one in found.wrong] == [4, 5]
    assert "2 companies will be added" in look.content.decode()
    assert not Client.objects.filter(company_number__in=[free, also]).exists()
    answer = anna.post(of(cast, "import"), {"pasted": text, "press": "add"}, follow=True)
    assert "2 companies have been added." in answer.content.decode()
    zoe = cast.janssens.clients.get(company_number=free)
    assert (zoe.name, zoe.code, zoe.language, zoe.email) == (
        "Café Zoë",
        "N1",
        "fr",
        "zoe@cafe.example",
    )
    assert cast.janssens.clients.get(company_number=also).language == cast.janssens.language
    assert ClientEvent.objects.filter(client=zoe).get().kind == "added"


def test_what_the_export_writes_the_import_reads(cast: Cast, anna: Browser) -> None:
    export = b"".join(anna.get(of(cast, "export.csv"))).decode("utf-8-sig")
    look = anna.post(of(cast, "import"), {"upload": csv_file(export), "press": "look"})
    assert look.context["found"].known == [cast.bakery.name]
    assert look.context["found"].wrong == []


def test_a_file_of_an_older_spreadsheet_keeps_its_letters(cast: Cast, anna: Browser) -> None:
    file = csv_file(f"N1\t{factories.company_number()}\tCafé Zoë\n", "cp1252")
    look = anna.post(of(cast, "import"), {"upload": file, "press": "look"})
    assert [one["name"] for one in look.context["found"].new] == ["Café Zoë"]


def test_nothing_given_says_what_to_give(cast: Cast, anna: Browser) -> None:
    for page in ("import", "archive"):
        answer = anna.post(of(cast, page), {"press": "look"})
        assert "Paste a list or choose a file." in answer.content.decode()


def test_anna_archives_a_list_but_not_what_is_leaving(cast: Cast, anna: Browser) -> None:
    shop, leaving = (factories.make_client(cast.janssens, name) for name in ("Shop", "Leaving"))
    Transfer.objects.ask(leaving, cast.anna, cast.peeters)
    fields = {"reason": "Stopped", "understood": "on", "pasted": f"{shop.code}\n0999999999\n"}
    fields["pasted"] += leaving.company_number
    look = anna.post(of(cast, "archive"), {**fields, "press": "look"})
    assert set(look.context["found"].clients) == {shop, leaving}
    assert "Unknown, so ignored: 0999999999" in look.content.decode()
    assert Client.objects.active().filter(pk=shop.pk).exists()
    answer = anna.post(of(cast, "archive"), {**fields, "press": "archive"}, follow=True)
    said = answer.content.decode()
    assert "1 company has been archived." in said
    assert "Leaving was not archived, because it is being transferred." in said
    shop.refresh_from_db()
    assert (shop.archived_at is not None, shop.archived_reason) == (True, "Stopped")
    assert Client.objects.active().filter(pk__in=[leaving.pk, cast.bakery.pk]).count() == 2


def test_a_company_of_another_office_is_unknown(cast: Cast, anna: Browser) -> None:
    theirs = factories.make_client(cast.peeters, "Secret")
    fields = {"reason": "x", "understood": "on", "pasted": theirs.company_number}
    look = anna.post(of(cast, "archive"), {**fields, "press": "archive"})
    assert look.context["found"].clients == []
    assert "Secret" not in look.content.decode()
    assert Client.objects.active().filter(pk=theirs.pk).exists()


def test_a_file_selects_what_is_shared_and_one_save_holds(cast: Cast, anna: Browser) -> None:
    allow(cast.consent, cast.anna)
    shop = factories.make_client(cast.janssens, "Shop")
    page = f"/offices/{cast.janssens.slug}/consents/{cast.consent.uuid}/scope"
    export = f"Code;Number;Name\n{shop.code};{shop.company_number};Shop\n"
    kinds = ["bankAccountStatement"]
    fields = {"upload": csv_file(export), "press": "paste_out", "kinds": kinds}
    answer = anna.post(page, fields, follow=True)
    assert "1 company found: 1 changed, 0 unchanged." in answer.content.decode()
    assert "Unknown" not in answer.content.decode()
    events = cast.consent.events.count()
    anna.post(page, {"press": "save", "kinds": kinds, "new_companies": "on"})
    assert list(clients_in_scope(cast.fresh())) == [cast.bakery]
    assert cast.consent.events.count() == events + 1


@pytest.mark.parametrize("between", [";", "\t", ","])
def test_the_cells_of_a_line(between: str) -> None:
    assert rows_of(f"a{between}b \n\n{between}\nc{between}d") == [["a", "b"], ["c", "d"]]


def test_the_pages_of_a_company_are_one_with_tabs(cast: Cast, anna: Browser) -> None:
    """Documents, completeness, who can see it, details: each has the tabs to the others."""
    number = cast.bakery.company_number
    pages = [of(cast, number), of(cast, f"{number}/completeness"), of(cast, f"{number}/who")]
    pages.append(of(cast, str(cast.bakery.uuid)))
    for here in pages:
        shown = anna.get(here).content.decode()
        assert all(f'href="{page}"' in shown for page in pages), here
