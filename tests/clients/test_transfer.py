"""A company goes to another office: asked, agreed, moved; and everything that may come between."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from clients.admins import CodeTaken, Outdated
from clients.models import Account, Client, Transfer
from clients.tasks import move_companies
from consents.models import Consent, ListedClient
from consents.scope import clients_in_scope
from core.row_security import every_office
from documents.models import Document
from tests import factories
from tests.accounts.people import logged_in
from tests.conftest import Cast
from tests.factories import allow
from tests.owner import rules_off

pytestmark = pytest.mark.requirement(51)


SOON = timedelta(days=2)


def asked(cast: Cast, **fields: Any) -> Transfer:
    return Transfer.objects.ask(cast.bakery, cast.anna, cast.peeters, **fields)


def path(cast: Cast, page: str) -> str:
    return f"/offices/{cast.janssens.slug}/companies/{cast.bakery.uuid}{page}"


def office_of(client: Client) -> int:
    return Client.objects.get(pk=client.pk).office_id


def let_the_moment_come(transfer: Transfer) -> None:
    """Two days pass; the trigger that only lets transfers move forward looks away for it."""
    with rules_off("clients_transfer"):
        Transfer.objects.filter(pk=transfer.pk).update(agreed_at=Now() - SOON, effective_at=Now())
    Client.objects.filter(pk=transfer.client_id).update(leaves_at=Now())


def test_anna_asks_and_chloe_agrees_on_their_screens(cast: Cast) -> None:
    anna, chloe = logged_in(cast.anna), logged_in(cast.chloe)
    document = factories.make_document(cast.bakery)
    cast.bakery.register_account(cast.anna, "BE68539007547034")
    number = cast.peeters.company_number
    fields = {"number": f"BE {number}", "understood": "on"}
    assert anna.post(path(cast, "/transfer"), {"number": number}).status_code == 200
    assert anna.post(path(cast, "/transfer"), fields).status_code == 303
    transfer = Transfer.objects.get()
    answer = f"/offices/{cast.peeters.slug}/transfers/{transfer.uuid}"
    for page in ("", "/companies"):
        assert answer in chloe.get(f"/offices/{cast.peeters.slug}{page}").content.decode()
    assert (
        "Enter the code that your office uses"
        in chloe.post(answer, {"wish": "agree"}).content.decode()
    )
    assert office_of(cast.bakery) == cast.janssens.pk
    assert chloe.post(answer, {"wish": "agree", "code": "P1"}).status_code == 303
    moved = Client.objects.get(pk=cast.bakery.pk)
    assert (moved.office, moved.code, moved.leaves_at) == (cast.peeters, "P1", None)
    assert Account.objects.get().client.office == cast.peeters
    with every_office():
        assert Document.objects.get(pk=document.pk).office_id == cast.peeters.pk
    for page in (path(cast, ""), f"/offices/{cast.janssens.slug}/companies/{moved.company_number}"):
        assert anna.get(page).status_code == 404
    shown = chloe.get(f"/offices/{cast.peeters.slug}/companies/{moved.uuid}").content.decode()
    assert "Company transferred" in shown
    assert "Bank account added" not in shown, "that is the story of the old office"


def test_a_number_that_is_no_office_and_a_suspended_one_answer_like_an_unknown_one(
    cast: Cast,
) -> None:
    anna = logged_in(cast.anna)
    suspended = factories.make_office("Gone", is_active=False)
    company = factories.make_client(cast.peeters)
    pages = []
    for number in (suspended.company_number, company.company_number, factories.company_number()):
        fields = {"number": number, "understood": "on"}
        page = anna.post(path(cast, "/transfer"), fields).content.decode()
        assert "No accounting office in the portal has this number. Check the number." in page
        pages.append(
            [line for line in page.replace(number, "N").splitlines() if "csrf" not in line]
        )
    assert pages[0] == pages[1] == pages[2]
    own = anna.post(
        path(cast, "/transfer"), {"number": cast.janssens.company_number, "understood": "on"}
    )
    assert "your own office" in own.content.decode()
    assert not Transfer.objects.exists()


@pytest.mark.parametrize("wished", ["2020-01-01T10:00", "2999-01-01T10:00", "soon"])
def test_anna_wishes_a_moment_of_the_coming_year(cast: Cast, wished: str) -> None:
    fields = {"number": cast.peeters.company_number, "understood": "on", "preferred_at": wished}
    assert logged_in(cast.anna).post(path(cast, "/transfer"), fields).status_code == 200
    assert not Transfer.objects.exists()


def test_a_login_of_20_minutes_ago_is_asked_for_the_password(cast: Cast) -> None:
    transfer = asked(cast)
    for person, page in (
        (cast.chloe, f"/offices/{cast.peeters.slug}/transfers/{transfer.uuid}"),
        (
            cast.anna,
            f"/offices/{cast.janssens.slug}/companies/{factories.make_client(cast.janssens).uuid}/transfer",
        ),
    ):
        browser = logged_in(person)
        session = browser.session
        for proof in session["account_authentication_methods"]:
            proof["at"] -= 20 * 60
        session.save()
        answer = browser.post(page, {"wish": "agree", "code": "P1"})
        assert answer.status_code == 302
        assert "/reauthenticate" in answer["Location"]
    assert office_of(cast.bakery) == cast.janssens.pk


def test_nobody_but_the_admins_of_the_two_offices_moves_anything(cast: Cast) -> None:
    transfer = asked(cast)
    third = factories.make_person("Emma", factories.make_office("Willems"))
    for stranger in (third, cast.anna, cast.bram):
        page = f"/offices/{cast.peeters.slug}/transfers/{transfer.uuid}"
        assert logged_in(stranger).get(page).status_code == 404
        with pytest.raises(PermissionDenied):
            transfer.agree(stranger, "X")
        with pytest.raises(PermissionDenied):
            transfer.decline(stranger)
    for stranger in (third, cast.chloe, cast.bram):
        with pytest.raises(PermissionDenied):
            transfer.withdraw(stranger)
    own = f"/offices/{cast.janssens.slug}/transfers/{transfer.uuid}"
    assert logged_in(cast.anna).get(own).status_code == 404
    assert Transfer.objects.awaiting_answer().get() == transfer


def test_chloe_declines_and_anna_keeps_the_company(cast: Cast) -> None:
    transfer = asked(cast)
    page = f"/offices/{cast.peeters.slug}/transfers/{transfer.uuid}"
    chloe = logged_in(cast.chloe)
    assert chloe.post(page, {"wish": "decline"}).status_code == 303
    assert chloe.post(page, {"wish": "agree", "code": "P1"}).status_code == 303, "told calmly"
    assert office_of(cast.bakery) == cast.janssens.pk
    wishes: list[Callable[[], object]] = [
        lambda: transfer.agree(cast.chloe, "P1"),
        lambda: transfer.withdraw(cast.anna),
    ]
    for wish in wishes:
        with pytest.raises(Outdated):
            wish()
    assert asked(cast).pk != transfer.pk, "Anna may ask again"


def test_anna_withdraws_before_the_moment_and_not_after_it(cast: Cast) -> None:
    transfer = asked(cast, preferred_at=timezone.now() + SOON)
    transfer.agree(cast.chloe, "P1")
    assert Client.objects.active().get(pk=cast.bakery.pk).is_leaving
    assert logged_in(cast.anna).post(path(cast, "/withdraw")).status_code == 303
    assert Client.objects.get(pk=cast.bakery.pk).leaves_at is None
    again = asked(cast, preferred_at=timezone.now() + SOON)
    again.agree(cast.chloe, "P1")
    let_the_moment_come(again)
    with pytest.raises(Outdated):
        again.withdraw(cast.anna)
    assert logged_in(cast.anna).post(path(cast, "/withdraw")).status_code == 404


def test_from_the_moment_on_it_is_gone_though_no_job_has_run(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    transfer = asked(cast, preferred_at=timezone.now() + SOON)
    transfer.agree(cast.chloe, "P1")
    anna = logged_in(cast.anna)
    number = cast.bakery.company_number
    pages = [path(cast, ""), f"/offices/{cast.janssens.slug}/companies/{number}"]
    assert [anna.get(page).status_code for page in pages] == [200, 200]
    assert list(clients_in_scope(cast.fresh())) == [cast.bakery]
    let_the_moment_come(transfer)
    assert office_of(cast.bakery) == cast.janssens.pk, "the row has not moved"
    assert [anna.get(page).status_code for page in pages] == [404, 404]
    assert list(clients_in_scope(cast.fresh())) == []
    for page in (
        "/companies?state=all",
        "/companies/export.csv",
        f"/consents/{cast.consent.uuid}/scope",
    ):
        assert number not in anna.get(f"/offices/{cast.janssens.slug}{page}").content.decode()


def test_the_job_moves_what_is_due_and_nothing_else(cast: Cast, eager: None) -> None:
    transfer = asked(cast, preferred_at=timezone.now() + SOON)
    move_companies()
    transfer.agree(cast.chloe, "P1")
    move_companies()
    assert office_of(cast.bakery) == cast.janssens.pk
    let_the_moment_come(transfer)
    move_companies()
    move_companies()
    assert office_of(cast.bakery) == cast.peeters.pk
    assert list(cast.bakery.events.order_by("pk").values_list("kind", flat=True)) == [
        *["transfer_asked"] * 2, *["transfer_agreed"] * 2, *["moved"] * 2,
    ]  # fmt: skip


def test_a_code_that_was_taken_meanwhile_gets_a_number(cast: Cast) -> None:
    factories.make_client(cast.peeters, "First")
    taken = cast.peeters.clients.get().code
    transfer = asked(cast, preferred_at=timezone.now() + SOON)
    with pytest.raises(CodeTaken):
        transfer.agree(cast.chloe, taken)
    transfer.agree(cast.chloe, "P1")
    Client.objects.add(
        cast.peeters,
        cast.chloe,
        name="Second",
        code="P1",
        company_number=factories.company_number(),
    )
    let_the_moment_come(transfer)
    assert transfer.move()
    assert Client.objects.get(pk=cast.bakery.pk).code == "P1-2"


def test_agreeing_again_says_that_it_was_answered_and_not_that_the_code_is_taken(
    cast: Cast,
) -> None:
    transfer = asked(cast)
    also_open = Transfer.objects.get(pk=transfer.pk)
    transfer.agree(cast.chloe, "P1")
    with pytest.raises(Outdated):
        also_open.agree(cast.chloe, "P1")
    assert Client.objects.get(pk=cast.bakery.pk).code == "P1"


def test_a_company_that_is_being_transferred_is_not_archived(cast: Cast) -> None:
    transfer = asked(cast)
    fields = {"reason": "stopped", "understood": "on"}
    answer = logged_in(cast.anna).post(path(cast, "/archive"), fields, follow=True)
    assert "cannot archive a company while it is being transferred" in answer.content.decode()
    with pytest.raises(Outdated):
        cast.bakery.archive(cast.anna, "stopped")
    transfer.withdraw(cast.anna)
    cast.bakery.archive(cast.anna, "stopped")
    with pytest.raises(Outdated):
        asked(cast)


def test_no_exception_of_a_consent_goes_along(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    ListedClient.objects.create(consent=cast.consent, client=cast.bakery)
    theirs = factories.make_allowed(cast.peeters, cast.ledgerly, cast.chloe)
    few = factories.make_allowed(cast.peeters, cast.tally, cast.chloe)
    Consent.objects.filter(pk=few.pk).update(allowlist_mode=True)
    asked(cast).agree(cast.chloe, "P1")
    assert not ListedClient.objects.filter(client=cast.bakery).exists()
    assert list(clients_in_scope(Consent.objects.get(pk=theirs.pk))) == [cast.bakery]
    assert list(clients_in_scope(Consent.objects.get(pk=few.pk))) == []
    Transfer.objects.ask(Client.objects.get(pk=cast.bakery.pk), cast.chloe, cast.janssens).agree(
        cast.anna, "J9"
    )
    assert list(clients_in_scope(cast.fresh())) == [cast.bakery], "back again, and new"


@pytest.mark.parametrize(
    "backwards",
    [
        {"agreed_at": None, "agreed_by": None, "effective_at": None, "code": ""},
        {"to_office": "janssens"},
        {"moved_at": None},
        {"closed_at": Now()},
    ],
)
def test_the_database_lets_a_transfer_move_forward_only(
    cast: Cast, backwards: dict[str, Any]
) -> None:
    transfer = asked(cast)
    transfer.agree(cast.chloe, "P1")
    values = {
        name: getattr(cast, value) if isinstance(value, str) and value else value
        for name, value in backwards.items()
    }
    with pytest.raises(DatabaseError), transaction.atomic():
        Transfer.objects.filter(pk=transfer.pk).update(**values)
    with pytest.raises(DatabaseError), transaction.atomic():
        transfer.delete()


def at_once(*wishes: Any) -> list[str]:
    """Carry the wishes out in threads that start together; what became of each."""
    start, results = threading.Barrier(len(wishes)), [""] * len(wishes)

    def run(place: int, wish: Any) -> None:
        start.wait()
        try:
            wish()
            results[place] = "done"
        except Outdated:
            results[place] = "outdated"
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n, wish)) for n, wish in enumerate(wishes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_two_that_ask_or_answer_at_once_leave_one_winner(people: Cast) -> None:
    third = factories.make_office("Willems")
    emma = factories.make_person("Emma", third)
    bea = factories.make_person("Bea", people.janssens)
    assert sorted(
        at_once(
            lambda: Transfer.objects.ask(people.bakery, people.anna, people.peeters),
            lambda: Transfer.objects.ask(people.bakery, bea, third),
            lambda: people.bakery.archive(bea, "stopped"),
        )
    ) == ["done", "outdated", "outdated"]
    shop = factories.make_client(people.janssens, "Shop")
    transfer = Transfer.objects.ask(shop, people.anna, third)
    results = at_once(
        lambda: transfer.agree(emma, "W1"),
        lambda: Transfer.objects.get(pk=transfer.pk).decline(emma),
        lambda: Transfer.objects.get(pk=transfer.pk).withdraw(people.anna),
    )
    assert sorted(results) == ["done", "outdated", "outdated"]
    assert office_of(shop) == (third.pk if results[0] == "done" else people.janssens.pk)
    tool = factories.make_client(people.janssens, "Tool")
    due = Transfer.objects.ask(tool, people.anna, third, timezone.now() + SOON)
    due.agree(emma, "W2")
    let_the_moment_come(due)
    at_once(*[Transfer.objects.get(pk=due.pk).move for _ in range(4)])
    assert tool.events.filter(kind="moved").count() == 2


@pytest.mark.requirement(103)
def test_a_transfer_takes_the_place_of_what_the_new_office_had_claimed(cast: Cast) -> None:
    claim = Client.objects.add(
        cast.peeters, cast.chloe, company_number=cast.bakery.company_number, name="X", code="X"
    )
    elsewhere = factories.make_office("Maes")
    Transfer.objects.ask(claim, cast.chloe, elsewhere)
    asked(cast).agree(cast.chloe, "P1")
    claim.refresh_from_db()
    assert claim.archived_at
    assert claim.transfer_under_way() is None
    moved = Client.objects.get(pk=cast.bakery.pk)
    assert (moved.office, moved.archived_at) == (cast.peeters, None)
    assert moved.confirmed_at


@pytest.mark.requirement(103)
def test_a_claim_cannot_be_given_to_the_office_that_has_the_company(cast: Cast) -> None:
    claim = Client.objects.add(
        cast.peeters, cast.chloe, company_number=cast.bakery.company_number, name="X", code="X"
    )
    later = Transfer.objects.ask(claim, cast.chloe, cast.janssens)
    answer = f"/offices/{cast.janssens.slug}/transfers/{later.uuid}"
    page = logged_in(cast.anna).post(answer, {"wish": "agree", "code": "J9"})
    assert "Your office already has this company." in page.content.decode()
    # Of two claims the one that moves stays.
    Client.objects.filter(pk=cast.bakery.pk).update(confirmed_at=None)
    later.agree(cast.anna, "J9")
    assert Client.objects.get(pk=claim.pk).archived_at is None
    assert Client.objects.get(pk=cast.bakery.pk).archived_at


@pytest.mark.requirement(103)
def test_a_claim_that_moves_gives_way_to_a_company_that_was_confirmed_meanwhile(
    cast: Cast,
) -> None:
    Client.objects.filter(pk=cast.bakery.pk).update(confirmed_at=None)
    claim = Client.objects.add(
        cast.peeters, cast.chloe, company_number=cast.bakery.company_number, name="X", code="X"
    )
    wished = timezone.now() + SOON
    transfer = Transfer.objects.ask(claim, cast.chloe, cast.janssens, wished)
    transfer.agree(cast.anna, "J9")
    Client.objects.filter(pk=cast.bakery.pk).update(confirmed_at=Now())
    let_the_moment_come(transfer)
    assert transfer.move()
    moved = Client.objects.get(pk=claim.pk)
    assert moved.office == cast.janssens
    assert moved.archived_at
    assert Client.objects.get(pk=cast.bakery.pk).archived_at is None
