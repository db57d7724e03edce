"""An office keeps its registry of companies; nobody else sees or writes it."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from clients.admins import AccountTaken, NumberTaken, Outdated
from clients.models import Client, ClientEvent
from tests import factories
from tests.conftest import Cast

IBAN = "BE68 5390 0754 7034"


def logged_in(person: User) -> Browser:
    """Without a password: nothing here asks for a young proof of identity."""
    browser = Browser()
    browser.force_login(person)
    return browser


def path_of(cast: Cast, client: Client, page: str = "") -> str:
    return f"/offices/{cast.janssens.slug}/companies/{client.uuid}{page}"


def filled(**other: str) -> dict[str, str]:
    fields = {"name": "Slagerij Maes & Zonen", "code": "M7", "language": "fr", "email": "", "company_number": factories.company_number()}  # fmt: skip
    return fields | other


def add(cast: Cast, browser: Browser, **other: str) -> Any:
    return browser.post(f"/offices/{cast.janssens.slug}/companies/add", filled(**other))


def kinds(client: Client) -> list[str]:
    return list(ClientEvent.objects.filter(client=client).order_by("pk").values_list("kind", flat=True))  # fmt: skip


def test_an_adds_a_company_written_as_people_write_it(cast: Cast) -> None:
    number = factories.company_number()
    answer = add(
        cast, logged_in(cast.an), company_number=f"BE {number[:4]}.{number[4:7]}.{number[7:]}"
    )
    made = Client.objects.get(company_number=number)
    assert (answer.status_code, answer["Location"]) == (303, path_of(cast, made))
    assert (made.office, made.name, made.code, made.language) == (
        cast.janssens,
        "Slagerij Maes & Zonen",
        "M7",
        "fr",
    )
    event = made.events.get()
    assert (event.kind, event.by, event.office) == ("added", cast.an, cast.janssens)


@pytest.mark.parametrize("wrong", ["0010000035", "123", "BE2010000034", "001000003a"])
def test_an_cannot_add_a_number_that_is_none(cast: Cast, wrong: str) -> None:
    answer = add(cast, logged_in(cast.an), company_number=wrong)
    assert answer.status_code == 200
    assert "passes modulo 97" in answer.content.decode()
    assert not Client.objects.filter(code="M7").exists()


def test_an_is_not_told_which_office_has_the_number(cast: Cast) -> None:
    theirs = factories.make_client(cast.peeters, "Secret Bakery")
    page = add(cast, logged_in(cast.an), company_number=theirs.company_number).content.decode()
    assert "already active in the portal; ask for a transfer" in page
    own = add(cast, logged_in(cast.an), company_number=cast.bakery.company_number).content.decode()
    assert "already active in the portal; ask for a transfer" in own
    for canary in (cast.peeters.name, cast.peeters.slug, theirs.name, theirs.code):
        assert canary not in page


def test_a_code_is_unique_in_the_office_only(cast: Cast) -> None:
    theirs = factories.make_client(cast.peeters)
    assert add(cast, logged_in(cast.an), code=theirs.code).status_code == 303
    page = add(cast, logged_in(cast.an), code=cast.bakery.code).content.decode()
    assert "Another company of your office has this code." in page


def test_an_changes_a_company_and_the_old_values_are_kept(cast: Cast) -> None:
    an = logged_in(cast.an)
    old = cast.bakery.name
    fields = filled(name="Bakkerij Nieuw", code=cast.bakery.code, language="nl")
    assert an.post(path_of(cast, cast.bakery, "/edit"), fields).status_code == 303
    event = cast.bakery.events.get(kind="changed")
    assert event.details == {"name": [old, "Bakkerij Nieuw"]}
    cast.bakery.refresh_from_db()
    assert cast.bakery.name == "Bakkerij Nieuw"
    assert cast.bakery.company_number != fields["company_number"]
    shown = an.get(path_of(cast, cast.bakery)).content.decode()
    assert "Bakkerij D&#x27;Hondt → Bakkerij Nieuw" in shown
    assert an.post(path_of(cast, cast.bakery, "/edit"), fields).status_code == 303
    assert kinds(cast.bakery) == ["changed"], "nothing changed, so nothing is told"


def test_an_archives_only_with_a_reason_and_understood(cast: Cast) -> None:
    an = logged_in(cast.an)
    path = path_of(cast, cast.bakery, "/archive")
    for missing in ({"reason": "stopped"}, {"understood": "on"}):
        assert an.post(path, missing).status_code == 200
        cast.bakery.refresh_from_db()
        assert cast.bakery.archived_at is None
    assert an.post(path, {"reason": "stopped", "understood": "on"}).status_code == 303
    cast.bakery.refresh_from_db()
    assert cast.bakery.archived_reason == "stopped"
    assert (
        an.get(f"/offices/{cast.janssens.slug}/companies/{cast.bakery.company_number}").status_code
        == 404
    )
    assert an.get(path_of(cast, cast.bakery)).status_code == 200
    assert (
        an.get(path).status_code == an.get(path_of(cast, cast.bakery, "/edit")).status_code == 404
    )


def test_an_takes_a_company_back_while_its_number_is_free(cast: Cast) -> None:
    an = logged_in(cast.an)
    cast.bakery.archive(cast.an, "stopped")
    assert an.post(path_of(cast, cast.bakery, "/restore")).status_code == 303
    assert Client.objects.active().get(pk=cast.bakery.pk).archived_reason == ""
    cast.bakery.archive(cast.an, "again")
    factories.make_client(cast.peeters, company_number=cast.bakery.company_number)
    told = an.post(path_of(cast, cast.bakery, "/restore"), follow=True).content.decode()
    assert "already active in the portal; ask for a transfer" in told
    assert cast.peeters.name not in told
    assert kinds(cast.bakery) == ["archived", "restored", "archived"]
    with pytest.raises(NumberTaken):
        cast.bakery.restore(cast.an)


def test_an_registers_and_removes_an_account(cast: Cast) -> None:
    an = logged_in(cast.an)
    path = path_of(cast, cast.bakery, "/accounts")
    assert an.post(path, {"iban": IBAN.lower()}).status_code == 303
    assert cast.bakery.accounts.get().iban == "BE68539007547034"
    assert "This account is registered already." in an.post(path, {"iban": IBAN}).content.decode()
    assert "no IBAN" in an.post(path, {"iban": "BE68 5390 0754 7035"}).content.decode()
    theirs = factories.make_client(cast.peeters)
    with pytest.raises(AccountTaken):
        theirs.register_account(cast.chloe, "BE68539007547034")
    assert an.post(f"{path}/BE68539007547034/remove").status_code == 303
    assert not cast.bakery.accounts.exists()
    assert an.post(f"{path}/BE68539007547034/remove").status_code == 303
    assert kinds(cast.bakery) == ["account_registered", "account_removed"]


def test_bram_looks_and_writes_nothing(cast: Cast) -> None:
    bram = logged_in(cast.bram)
    page = bram.get(path_of(cast, cast.bakery)).content.decode()
    assert "/edit" not in page
    assert "/archive" not in page
    for action in ("/edit", "/accounts", "/archive", "/restore", "/transfer", "/withdraw"):
        assert bram.post(path_of(cast, cast.bakery, action), filled()).status_code == 403
    assert add(cast, bram).status_code == 403
    with pytest.raises(PermissionDenied):
        cast.bakery.archive(cast.bram, "no Admin")
    with pytest.raises(PermissionDenied):
        cast.bakery.change(cast.chloe, name="Stolen")
    assert kinds(cast.bakery) == []


def test_chloe_finds_no_company_of_janssens_below_her_own_office(cast: Cast) -> None:
    chloe = logged_in(cast.chloe)
    for page in ("", "/edit", "/accounts", "/archive", "/restore", "/transfer"):
        path = f"/offices/{cast.peeters.slug}/companies/{cast.bakery.uuid}{page}"
        assert chloe.get(path).status_code == 404
    listed = chloe.get(f"/offices/{cast.peeters.slug}/companies?state=all").content.decode()
    assert cast.bakery.name not in listed


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Alfa", "Beta", "Delta"]),
        ("?sort=code", ["Delta", "Beta", "Alfa"]),
        ("?state=archived", ["Gamma"]),
        ("?state=leaving", ["Delta"]),
        ("?state=all", ["Alfa", "Beta", "Delta", "Gamma"]),
        ("?q=lfa", ["Alfa"]),
        ("?q=K2", ["Beta"]),
        ("?q=k", ["Alfa", "Beta", "Delta"]),
        ("?q=BE+0", ["Alfa", "Beta", "Delta"]),
        ("?state=nonsense&sort=nonsense&after=nonsense", ["Alfa", "Beta", "Delta"]),
    ],
)
def test_an_searches_filters_and_sorts(cast: Cast, query: str, found: list[str]) -> None:
    from clients.models import Transfer

    Client.objects.filter(office=cast.janssens).delete()
    made = {
        name: Client.objects.create(
            office=cast.janssens, name=name, code=code, company_number=factories.company_number()
        )
        for name, code in (("Beta", "K2"), ("Alfa", "K3"), ("Gamma", "K4"), ("Delta", "K1"))
    }
    made["Gamma"].archive(cast.an, "stopped")
    Transfer.objects.ask(made["Delta"], cast.an, cast.peeters)
    context = logged_in(cast.an).get(f"/offices/{cast.janssens.slug}/companies{query}").context
    assert [company.name for company in context["companies"]] == found
    assert context["counts"] == (3, 1, 1)


def test_the_list_is_paged_by_key_and_adds_no_query_per_row(cast: Cast) -> None:
    an = logged_in(cast.an)
    path = f"/offices/{cast.janssens.slug}/companies"
    queries = []
    for more in (5, 120):
        for n in range(more):
            factories.make_client(cast.janssens, f"Company {n % 7}")
        an.get(path)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            an.get(path)
        queries.append(len(captured))
    assert queries[0] == queries[1]
    seen: list[int] = []
    url: str | None = path
    while url:
        context = an.get(url).context
        seen += [company.pk for company in context["companies"]]
        url = context["next_url"] and path + context["next_url"]
    assert sorted(seen) == sorted(cast.janssens.clients.values_list("pk", flat=True))
    assert len(seen) == len(set(seen)) == 126


def test_no_cell_of_the_export_runs_as_a_formula(cast: Cast) -> None:
    evil = ["=1+1", "+1", "-1", "@SUM(A1)"]
    for text in evil:
        factories.make_client(cast.janssens, text, email="=x@y.example")
    answer = logged_in(cast.bram).get(f"/offices/{cast.janssens.slug}/companies/export.csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 1 + cast.janssens.clients.count()
    cells = [cell for row in rows[1:] for cell in row]
    assert {f"'{text}" for text in evil} <= set(cells)
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]


def test_an_acts_on_the_office_of_the_tab_that_is_open(cast: Cast) -> None:
    """An works for two offices; a form of one never writes in the other (assurance 52)."""
    factories.Membership.objects.create(office=cast.peeters, user=cast.an, role="admin")
    an = logged_in(cast.an)
    an.get(f"/offices/{cast.peeters.slug}/companies")
    assert add(cast, an, code="TWO").status_code == 303
    assert Client.objects.get(code="TWO").office == cast.janssens
    stale = f"/offices/{cast.peeters.slug}/companies/{cast.bakery.uuid}/edit"
    assert an.post(stale, filled(name="Wrong office")).status_code == 404
    cast.bakery.refresh_from_db()
    assert cast.bakery.name != "Wrong office"


def test_the_database_keeps_the_story_and_the_rules(cast: Cast) -> None:
    cast.bakery.archive(cast.an, "stopped")
    for statement in (
        "update clients_clientevent set by_name = 'x'",
        "delete from clients_clientevent",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    with pytest.raises(IntegrityError), transaction.atomic():
        Client.objects.filter(pk=cast.bakery.pk).update(leaves_at=cast.bakery.created_at)
    with pytest.raises(Outdated):
        cast.bakery.archive(cast.an, "twice")
