"""An office keeps its registry of companies; nobody else sees or writes it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, User
from clients.admins import AccountTaken, NumberTaken, Outdated, TooManyClaims
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


def test_anna_adds_a_company_written_as_people_write_it(cast: Cast) -> None:
    number = factories.company_number()
    answer = add(
        cast, logged_in(cast.anna), company_number=f"BE {number[:4]}.{number[4:7]}.{number[7:]}"
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
    assert (event.kind, event.by, event.office) == ("added", cast.anna, cast.janssens)


@pytest.mark.parametrize("wrong", ["0010000035", "123", "BE2010000034", "001000003a"])
def test_anna_cannot_add_a_number_that_is_none(cast: Cast, wrong: str) -> None:
    answer = add(cast, logged_in(cast.anna), company_number=wrong)
    assert answer.status_code == 200
    assert "check them for typing errors" in answer.content.decode()
    assert not Client.objects.filter(code="M7").exists()


def seen(anna: Browser, client: Client, pages: tuple[str, ...]) -> list[str]:
    """What Anna reads about the company, without what every company has for itself."""
    own = (str(client.uuid), client.company_number, client.code, client.name)
    texts = []
    for page in pages:
        text = anna.get(page).content.decode()
        for each in (*own, in_words(client.company_number)):
            text = text.replace(each, "…")
        # The token of the form, the nonce, the hour, and how many companies there are.
        changing = r'csrfmiddlewaretoken" value="\w+"|nonce="[^"]+"|\d\d:\d\d|<strong>\d+</strong>'
        texts.append(re.sub(changing, "", text))
    return texts


def in_words(number: str) -> str:
    return f"{number[:4]}.{number[4:7]}.{number[7:]}"


@pytest.mark.requirement(103)
def test_anna_is_not_told_which_office_has_the_number(cast: Cast) -> None:
    """Nor whether any office has it: the answer and every page are those of a free number."""
    anna = logged_in(cast.anna)
    theirs = factories.make_client(cast.peeters, "Secret Bakery")
    pages = []
    for number, code in ((theirs.company_number, "P-1"), (factories.company_number(), "P-2")):
        answer = add(cast, anna, company_number=number, code=code)
        made = cast.janssens.clients.get(company_number=number)
        assert (answer.status_code, answer["Location"]) == (303, path_of(cast, made))
        pages.append(seen(anna, made, shown_of(cast, made)))
        assert anna.post(path_of(cast, made, "/archive"), {"reason": "x", "understood": "on"})
        assert anna.post(path_of(cast, made, "/restore")).status_code == 303
        pages.append(seen(anna, made, shown_of(cast, made)))
    for theirs_seen, free_seen in zip(pages[0] + pages[1], pages[2] + pages[3], strict=True):
        assert theirs_seen.splitlines() == free_seen.splitlines()
    assert "If another office also has it in the portal, we check first." in pages[0][0]
    for canary in (cast.peeters.name, cast.peeters.slug, theirs.name, theirs.code):
        assert canary not in "".join(pages[0])
    own = add(cast, anna, company_number=cast.bakery.company_number).content.decode()
    assert "Your office already has this company." in own


def shown_of(cast: Cast, client: Client) -> tuple[str, ...]:
    office = f"/offices/{cast.janssens.slug}/companies"
    return (path_of(cast, client), f"{office}/{client.company_number}", f"{office}?q={client.code}")


def test_a_code_is_unique_in_the_office_only(cast: Cast) -> None:
    theirs = factories.make_client(cast.peeters)
    assert add(cast, logged_in(cast.anna), code=theirs.code).status_code == 303
    page = add(cast, logged_in(cast.anna), code=cast.bakery.code).content.decode()
    assert "Another company in your office already has this code. Choose a different one." in page


def test_anna_changes_a_company_and_the_old_values_are_kept(cast: Cast) -> None:
    anna = logged_in(cast.anna)
    old = cast.bakery.name
    fields = filled(name="Bakkerij Nieuw", code=cast.bakery.code, language="nl")
    assert anna.post(path_of(cast, cast.bakery, "/edit"), fields).status_code == 303
    event = cast.bakery.events.get(kind="changed")
    assert event.details == {"name": [old, "Bakkerij Nieuw"]}
    cast.bakery.refresh_from_db()
    assert cast.bakery.name == "Bakkerij Nieuw"
    assert cast.bakery.company_number != fields["company_number"]
    shown = anna.get(path_of(cast, cast.bakery)).content.decode()
    assert "Bakkerij D&#x27;Hondt → Bakkerij Nieuw" in shown
    assert anna.post(path_of(cast, cast.bakery, "/edit"), fields).status_code == 303
    assert kinds(cast.bakery) == ["changed"], "nothing changed, so nothing is told"


def test_anna_archives_only_with_a_reason_and_understood(cast: Cast) -> None:
    anna = logged_in(cast.anna)
    path = path_of(cast, cast.bakery, "/archive")
    for missing in ({"reason": "stopped"}, {"understood": "on"}):
        assert anna.post(path, missing).status_code == 200
        cast.bakery.refresh_from_db()
        assert cast.bakery.archived_at is None
    assert anna.post(path, {"reason": "stopped", "understood": "on"}).status_code == 303
    cast.bakery.refresh_from_db()
    assert cast.bakery.archived_reason == "stopped"
    assert (
        anna.get(
            f"/offices/{cast.janssens.slug}/companies/{cast.bakery.company_number}"
        ).status_code
        == 404
    )
    assert anna.get(path_of(cast, cast.bakery)).status_code == 200
    assert (
        anna.get(path).status_code
        == anna.get(path_of(cast, cast.bakery, "/edit")).status_code
        == 404
    )


def test_anna_takes_a_company_back_while_her_office_has_no_other_with_its_number(
    cast: Cast,
) -> None:
    anna = logged_in(cast.anna)
    cast.bakery.archive(cast.anna, "stopped")
    assert anna.post(path_of(cast, cast.bakery, "/restore")).status_code == 303
    assert Client.objects.active().get(pk=cast.bakery.pk).archived_reason == ""
    cast.bakery.archive(cast.anna, "again")
    factories.make_client(cast.peeters, company_number=cast.bakery.company_number)
    told = anna.post(path_of(cast, cast.bakery, "/restore"), follow=True).content.decode()
    assert "is active again." in told
    assert cast.peeters.name not in told
    assert kinds(cast.bakery) == ["archived", "restored", "archived", "restored"]
    cast.bakery.refresh_from_db()
    assert (cast.bakery.confirmed_at, cast.bakery.contested) == (None, True)
    cast.bakery.archive(cast.anna, "once more")
    factories.make_client(
        cast.janssens, company_number=cast.bakery.company_number, confirmed_at=None
    )
    with pytest.raises(NumberTaken):
        cast.bakery.restore(cast.anna)


def test_anna_registers_and_removes_an_account(cast: Cast) -> None:
    anna = logged_in(cast.anna)
    path = path_of(cast, cast.bakery, "/accounts")
    assert anna.post(path, {"iban": IBAN.lower()}).status_code == 303
    assert cast.bakery.accounts.get().iban == "BE68539007547034"
    assert (
        "Your office has already added this account."
        in anna.post(path, {"iban": IBAN}).content.decode()
    )
    assert (
        "This IBAN is not valid"
        in anna.post(path, {"iban": "BE68 5390 0754 7035"}).content.decode()
    )
    butcher = factories.make_client(cast.janssens)
    with pytest.raises(AccountTaken):
        butcher.register_account(cast.anna, "BE68539007547034")
    assert anna.post(f"{path}/BE68539007547034/remove").status_code == 303
    assert not cast.bakery.accounts.exists()
    assert anna.post(f"{path}/BE68539007547034/remove").status_code == 303
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


@pytest.mark.requirement(47)
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
def test_anna_searches_filters_and_sorts(cast: Cast, query: str, found: list[str]) -> None:
    from clients.models import Transfer

    Client.objects.filter(office=cast.janssens).delete()
    made = {
        name: Client.objects.create(
            office=cast.janssens, name=name, code=code, company_number=factories.company_number()
        )
        for name, code in (("Beta", "K2"), ("Alfa", "K3"), ("Gamma", "K4"), ("Delta", "K1"))
    }
    made["Gamma"].archive(cast.anna, "stopped")
    Transfer.objects.ask(made["Delta"], cast.anna, cast.peeters)
    context = logged_in(cast.anna).get(f"/offices/{cast.janssens.slug}/companies{query}").context
    assert [company.name for company, _seen in context["companies"]] == found
    assert context["counts"] == (3, 1, 1)


def test_the_list_is_paged_by_key_and_adds_no_query_per_row(cast: Cast) -> None:
    anna = logged_in(cast.anna)
    path = f"/offices/{cast.janssens.slug}/companies"
    queries = []
    # Both times there is a second page: only then are the rows counted.
    for more in (60, 65):
        for n in range(more):
            factories.make_client(cast.janssens, f"Company {n % 7}")
        anna.get(path)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            anna.get(path)
        queries.append(len(captured))
    assert queries[0] == queries[1]
    seen: list[int] = []
    url: str | None = path
    while url:
        context = anna.get(url).context
        seen += [company.pk for company, _seen in context["companies"]]
        url = context["page"].next and path + context["page"].next
    assert sorted(seen) == sorted(cast.janssens.clients.values_list("pk", flat=True))
    assert len(seen) == len(set(seen)) == 126


@pytest.mark.requirement(61, 111)
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


@pytest.mark.requirement(52)
def test_anna_acts_on_the_office_of_the_tab_that_is_open(cast: Cast) -> None:
    """Anna works for two offices; a form of one never writes in the other (assurance 52)."""
    Membership.objects.create(office=cast.peeters, user=cast.anna, role="admin")
    anna = logged_in(cast.anna)
    anna.get(f"/offices/{cast.peeters.slug}/companies")
    assert add(cast, anna, code="TWO").status_code == 303
    assert Client.objects.get(code="TWO").office == cast.janssens
    stale = f"/offices/{cast.peeters.slug}/companies/{cast.bakery.uuid}/edit"
    assert anna.post(stale, filled(name="Wrong office")).status_code == 404
    cast.bakery.refresh_from_db()
    assert cast.bakery.name != "Wrong office"


def test_the_database_keeps_the_story_and_the_rules(cast: Cast) -> None:
    cast.bakery.archive(cast.anna, "stopped")
    for statement in (
        "update clients_clientevent set by_name = 'x'",
        "delete from clients_clientevent",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    with pytest.raises(IntegrityError), transaction.atomic():
        Client.objects.filter(pk=cast.bakery.pk).update(leaves_at=cast.bakery.created_at)
    with pytest.raises(Outdated):
        cast.bakery.archive(cast.anna, "twice")


@pytest.mark.requirement(103)
def test_the_database_gives_a_number_and_an_account_to_one_company_only(cast: Cast) -> None:
    twin = factories.make_client(
        cast.peeters, company_number=cast.bakery.company_number, confirmed_at=None
    )
    factories.make_account(cast.bakery, "BE68539007547034")
    other = factories.make_client(cast.peeters)
    wrong: list[Callable[[], object]] = [
        lambda: Client.objects.filter(pk=twin.pk).update(confirmed_at=Now()),
        lambda: factories.make_account(other, "BE68539007547034"),
        # A claim holds no confirmed account, and a company with one is no claim.
        lambda: factories.make_account(twin, "BE71096123456769"),
        lambda: Client.objects.filter(pk=cast.bakery.pk).update(confirmed_at=None),
        lambda: Client.objects.filter(pk=cast.bakery.pk).update(archived_at=Now()),
    ]
    for change in wrong:
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


@pytest.mark.requirement(103)
def test_an_account_that_another_office_has_answers_like_a_free_one(cast: Cast) -> None:
    anna = logged_in(cast.anna)
    factories.make_account(factories.make_client(cast.peeters), "BE68539007547034")
    answers, pages = [], []
    for account in ("BE68539007547034", "BE71096123456769"):
        client = factories.make_client(cast.janssens)
        path = path_of(cast, client, "/accounts")
        answer = anna.post(path, {"iban": account}, follow=True)
        answers.append([str(message) for message in answer.context["messages"]])
        shown = seen(anna, client, (path, path_of(cast, client)))
        spelled = " ".join(account[at : at + 4] for at in range(0, len(account), 4))
        pages.append([text.replace(account, "…").replace(spelled, "…") for text in shown])
        assert "Not confirmed yet" in shown[0]
    assert answers == [["The account has been added."]] * 2
    assert pages[0] == pages[1]


@pytest.mark.requirement(103)
def test_claims_are_limited_whether_or_not_they_are_free(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.models.event.MOST_CLAIMS_A_DAY", 3)
    theirs = factories.make_client(cast.peeters)
    anna = logged_in(cast.anna)
    add(cast, anna, company_number=theirs.company_number, code="A")
    add(cast, anna, code="B")
    cast.bakery.register_account(cast.anna, "BE68539007547034")
    page = add(cast, anna, code="C").content.decode()
    assert "as many companies and accounts as one day allows" in page
    assert not Client.objects.filter(code="C").exists()
    for verb in (
        lambda: cast.bakery.register_account(cast.anna, "BE71096123456769"),
        lambda: Client.objects.get(code="A").restore(cast.anna),
    ):
        with pytest.raises(TooManyClaims):
            verb()
    chloe = logged_in(cast.chloe)
    path = f"/offices/{cast.peeters.slug}/companies/add"
    assert chloe.post(path, filled(code="D")).status_code == 303, "each office for itself"


@pytest.mark.requirement(103)
def test_anna_cannot_try_number_after_number(cast: Cast, settings: Any) -> None:
    cache.clear()  # an earlier run may have counted somebody with her key
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "claim": "3/5m/user"}
    anna = logged_in(cast.anna)
    answers = [add(cast, anna, company_number="123").status_code for _ in range(4)]
    assert answers == [200, 200, 200, 429]
