"""What two operators do together: the end of an access or an office, a lost second factor."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.db import IntegrityError, ProgrammingError, transaction
from django.db.models.functions import Now
from django.test import Client as Browser

from accounts.models import Membership, Office, OfficeEvent, Role, User
from backoffice.models.four_eyes import ApprovalKind, FourEyesApproval, NeedsSecondOperator
from consents.models import Consent, Status
from notifications.fan_out import fan_out
from tests import factories
from tests.accounts.people import add_app, log_in, logged_in
from tests.backoffice.test_operators import another_operator, proven
from tests.conftest import Cast
from tests.factories import allow
from tests.outbox import emails_about
from tests.test_access_matrix import as_person

pytestmark = [pytest.mark.requirement(83), pytest.mark.usefixtures("quick_worker")]


def factor_page(cast: Cast, person: Any) -> str:
    member = cast.janssens.memberships.get(user=person)
    return f"/admin/accounts/office/{cast.janssens.pk}/people/{member.pk}/factor/"


def confirmed(page: str, first: Any, second: Any, **said: str) -> FourEyesApproval:
    """Ask in one browser, confirm in another one."""
    asked = first.post(page, {"reason": "As agreed", **said})
    assert asked.status_code == 302, asked.content.decode()
    act = FourEyesApproval.objects.latest("pk")
    second.post(page, {"confirm": act.pk})
    act.refresh_from_db()
    return act


def test_two_operators_reset_a_lost_second_factor(cast: Cast, commits: None, eager: None) -> None:
    """Bram comes in by his password again; he, Anna and the Admin of his other office are told."""
    bram = logged_in(cast.bram)
    add_app(bram)
    User.objects.update(language="en")
    Membership.objects.create(office=cast.peeters, user=cast.bram, role=Role.USER)
    page = factor_page(cast, cast.bram)
    dirk, eva = proven(cast.dirk), proven(another_operator(cast))
    assert "totp authenticator" in dirk.get(page).content.decode().lower()
    mail.outbox.clear()
    assert dirk.post(page, {"reason": "Lost his phone"}).status_code == 302
    act = FourEyesApproval.objects.get()
    dirk.post(page, {"confirm": act.pk})
    assert Authenticator.objects.filter(user=cast.bram).exists()
    assert "Lost his phone" in eva.get(page).content.decode()
    eva.post(page, {"confirm": act.pk})
    assert not Authenticator.objects.filter(user=cast.bram).exists()
    assert not UserSession.objects.filter(user=cast.bram).exists()
    assert bram.get("/me").status_code == 302
    asked, *done = mail.outbox
    assert asked.subject == "A second operator is needed"
    told = {message.to[0]: str(message.body) for message in done}
    assert set(told) == {cast.bram.email, cast.anna.email, cast.chloe.email}
    assert "Change your password now" in told[cast.bram.email]
    for body in told.values():
        assert "Dirk & Eva" in body
        assert "Lost his phone" in body
    written = OfficeEvent.objects.filter(kind="factor_reset", person=cast.bram)
    assert {event.office for event in written} == {cast.janssens, cast.peeters}
    assert {event.by_name for event in written} == {"Dirk & Eva"}
    assert "_auth_user_id" in _after_login(cast).session
    history = LogEntry.objects.filter(object_id=str(cast.janssens.pk)).order_by("pk")
    assert [entry.user for entry in history] == [
        cast.dirk,
        act.__class__.objects.get().confirmed_by,
    ]
    # Once.
    eva.post(page, {"confirm": act.pk})
    assert written.count() == 2


def _after_login(cast: Cast) -> Browser:
    browser = Browser()
    log_in(browser, cast.bram)
    return browser


@pytest.mark.requirement(105)
def test_dirk_asks_twice_and_it_is_one_request(cast: Cast) -> None:
    """The second press shows the request that waits; a new form with another reason replaces it."""
    allow(cast.consent, cast.anna)
    page = f"/admin/consents/consent/{cast.consent.pk}/end/"
    dirk = proven(cast.dirk)
    for _twice in range(2):
        answer = dirk.post(page, {"reason": "Stolen", "replaces": ""}, follow=True)
        assert "Stolen" in answer.content.decode()
    first = FourEyesApproval.objects.get()
    assert LogEntry.objects.filter(user=cast.dirk).count() == 1
    assert f'name="replaces" value="{first.pk}"' in dirk.get(page).content.decode()
    for _twice in range(2):
        dirk.post(page, {"reason": "Leaked", "replaces": str(first.pk)})
    assert FourEyesApproval.objects.exclude(pk=first.pk).get().reason == "Leaked"


def test_after_24_hours_nobody_resets_a_factor(cast: Cast) -> None:
    Authenticator.objects.create(user=cast.bram, type="totp", data={"secret": "x"})
    page, eva = factor_page(cast, cast.bram), another_operator(cast)
    proven(cast.dirk).post(page, {"reason": "Lost his phone"})
    act = FourEyesApproval.objects.get()
    FourEyesApproval.objects.update(requested_at=Now() - timedelta(hours=24, seconds=1))
    proven(eva).post(page, {"confirm": act.pk})
    assert Authenticator.objects.filter(user=cast.bram).exists()
    with pytest.raises(NeedsSecondOperator):
        act.confirm(eva)


@pytest.mark.requirement(109)
def test_an_old_login_is_asked_again_before_a_factor_is_reset(cast: Cast) -> None:
    answer = as_person(cast.dirk).post(factor_page(cast, cast.bram), {"reason": "Lost"})
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert not FourEyesApproval.objects.exists()


def test_nobody_of_an_office_resets_a_factor(cast: Cast) -> None:
    for person in (cast.anna, cast.bram, cast.chloe):
        assert proven(person).post(factor_page(cast, cast.bram), {"reason": "x"}).status_code == 302
    assert not FourEyesApproval.objects.exists()


def test_dirk_reaches_nobody_of_another_office_by_the_page_of_this_one(cast: Cast) -> None:
    stranger = cast.peeters.memberships.get(user=cast.chloe)
    page = f"/admin/accounts/office/{cast.janssens.pk}/people/{stranger.pk}/factor/"
    assert proven(cast.dirk).get(page).status_code == 404


def test_an_operator_who_works_for_an_office_never_resets_her_own_factor(cast: Cast) -> None:
    eva = another_operator(cast)
    Membership.objects.create(office=cast.janssens, user=eva, role=Role.USER)
    page = factor_page(cast, eva)
    proven(cast.dirk).post(page, {"reason": "Lost her key"})
    proven(eva).post(page, {"confirm": FourEyesApproval.objects.get().pk})
    assert FourEyesApproval.objects.get().confirmed_by is None
    assert Authenticator.objects.filter(user=eva).exists()


def _wish(cast: Cast, **change: Any) -> FourEyesApproval:
    fields = {
        "kind": ApprovalKind.RESET_MFA,
        "person": cast.bram,
        "office": cast.janssens,
        "reason": "Lost",
        "requested_by": cast.dirk,
        **change,
    }
    return FourEyesApproval.objects.create(**fields)


def _end(cast: Cast, **change: Any) -> FourEyesApproval:
    end = {"kind": ApprovalKind.END_ACCESS, "person": None, "office": None, "consent": cast.consent}
    return _wish(cast, **{**end, **change})


def _raw(act: FourEyesApproval, **change: Any) -> None:
    """As raw SQL would do it, past every rule of the code."""
    FourEyesApproval.objects.filter(pk=act.pk).update(**change)


WRONG: dict[str, Callable[[Cast, Any], Any]] = {
    "same person": lambda cast, eva: _raw(_wish(cast), confirmed_by=cast.dirk, confirmed_at=Now()),
    "nobody": lambda cast, eva: _raw(_wish(cast), confirmed_at=Now()),
    "after a day": lambda cast, eva: _raw(
        _wish(cast), confirmed_by=eva, confirmed_at=Now() + timedelta(hours=25)
    ),
    "no reason": lambda cast, eva: _wish(cast, reason=""),
    "asked for oneself": lambda cast, eva: _wish(cast, person=cast.dirk),
    "confirmed for oneself": lambda cast, eva: _raw(
        _wish(cast, person=eva), confirmed_by=eva, confirmed_at=Now()
    ),
    "about nobody": lambda cast, eva: _wish(cast, person=None),
    "another person": lambda cast, eva: _raw(_wish(cast), person=cast.anna),
    "another reason": lambda cast, eva: _raw(_wish(cast), reason="Found"),
    "no number": lambda cast, eva: _wish(cast, kind=ApprovalKind.CHANGE_NUMBER, person=None),
    "no access": lambda cast, eva: _end(cast, consent=None),
    "an access and an office": lambda cast, eva: _end(cast, office=cast.janssens),
    "an access ended alone": lambda cast, eva: _raw(
        _end(cast), confirmed_by=cast.dirk, confirmed_at=Now()
    ),
    "another access": lambda cast, eva: _raw(
        _end(cast), consent=factories.make_request(cast.janssens, cast.tally)
    ),
    "deleted": lambda cast, eva: FourEyesApproval.objects.filter(pk=_wish(cast).pk).delete(),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_the_database_itself_wants_two_operators_for_what_was_asked(cast: Cast, wrong: str) -> None:
    eva = another_operator(cast)
    with pytest.raises((IntegrityError, ProgrammingError)), transaction.atomic():
        WRONG[wrong](cast, eva)


def _page(cast: Cast, word: str) -> str:
    return f"/admin/accounts/office/{cast.janssens.pk}/{word}/"


def test_two_operators_close_an_office_and_nothing_of_it_is_readable(
    cast: Cast, commits: None, eager: None
) -> None:
    """Consents end with an event each, the people are out and told, the proof stays."""
    User.objects.update(language="en")
    allow(cast.consent, cast.anna)
    waiting = factories.make_request(cast.janssens, cast.tally)
    other = factories.make_allowed(cast.peeters, cast.ledgerly, cast.chloe)
    dirk, eva, anna = proven(cast.dirk), proven(another_operator(cast)), as_person(cast.anna)
    shown = dirk.get(_page(cast, "close")).content.decode()
    assert "1 allowed consent " in shown
    assert "1 unanswered request " in shown
    assert cast.ledgerly.name in shown
    mail.outbox.clear()
    act = confirmed(_page(cast, "close"), dirk, eva, reason="Bankrupt")
    assert act.confirmed_by is not None
    cast.janssens.refresh_from_db()
    assert cast.janssens.closed_at is not None
    assert cast.fresh().access() is not None
    event = cast.consent.events.get(kind="cancelled")
    assert (event.actor_kind, event.actor_name, event.reason) == (
        "operator",
        "Dirk & Eva",
        "Bankrupt",
    )
    lapsed = waiting.events.get(kind="lapsed")
    assert (lapsed.actor_kind, lapsed.reason) == ("operator", "Bankrupt")
    slug = cast.janssens.slug
    for path in (
        f"/offices/{slug}",
        f"/offices/{slug}/consents/{cast.consent.uuid}",
        f"/offices/{slug}/companies",
        f"/offices/{slug}/users",
        f"/consent/{cast.consent.uuid}",
        f"/consent/{waiting.uuid}",
    ):
        assert anna.get(path).status_code == 404, path
    assert slug not in anna.get("/offices", follow=True).content.decode()
    told = {message.to[0]: str(message.body) for message in mail.outbox if "closed" in message.body}
    assert set(told) == {cast.anna.email, cast.bram.email}
    assert "Bankrupt" in told[cast.bram.email]
    fan_out(event.pk)
    assert [row.recipient for row in emails_about([event])] == [cast.anna.email]
    # Another office is not touched, and nobody opens this one again.
    assert Consent.objects.get(pk=other.pk).access() is None
    assert not cast.janssens.set_active(True)
    assert dirk.post(_page(cast, "state"), {"reason": "Back"}).status_code == 404
    with pytest.raises(ProgrammingError), transaction.atomic():
        Office.objects.filter(pk=cast.janssens.pk).update(closed_at=None)
    seen = dirk.get(_page(cast, "history")).content.decode()
    assert "active → closed" in seen


def test_dirk_alone_closes_no_office(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    act = confirmed(_page(cast, "close"), proven(cast.dirk), proven(cast.dirk), reason="Bankrupt")
    assert act.confirmed_by is None
    cast.janssens.refresh_from_db()
    assert cast.janssens.is_active
    assert cast.fresh().access() is None


def test_an_invitation_to_an_office_that_closes_is_withdrawn(cast: Cast) -> None:
    path = f"/offices/{cast.janssens.slug}/users/invite"
    fields = {"email": "nora@office.example", "role": "user", "language": "nl"}
    logged_in(cast.anna).post(path, fields)
    dirk, eva = proven(cast.dirk), proven(another_operator(cast))
    confirmed(_page(cast, "close"), dirk, eva)
    assert cast.janssens.invitations.get().state == "revoked"
    kinds = list(cast.janssens.office_events.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["invited", "revoked", "closed"]


def test_a_new_number_ends_what_was_allowed_for_the_old_one(
    cast: Cast, commits: None, eager: None
) -> None:
    """Consents do not move to another legal person: they end, and the Admins are told why."""
    allow(cast.consent, cast.anna)
    before, number = cast.janssens.company_number, factories.company_number()
    dirk, eva, page = proven(cast.dirk), proven(another_operator(cast)), _page(cast, "number")
    for wrong in ("0100000000", cast.peeters.company_number):
        assert dirk.post(page, {"detail": wrong, "reason": "Merger"}).status_code == 200
    mail.outbox.clear()
    confirmed(page, dirk, eva, detail=number, reason="Merger")
    cast.janssens.refresh_from_db()
    assert cast.janssens.company_number == number
    assert cast.fresh().status == Status.CANCELLED
    assert cast.consent.events.get(kind="cancelled").reason == "Merger"
    # The office goes on, and may allow anew.
    assert as_person(cast.anna).get(f"/offices/{cast.janssens.slug}").status_code == 200
    assert factories.make_allowed(cast.janssens, cast.ledgerly, cast.anna).access() is None
    told = [message for message in mail.outbox if number in str(message.body)]
    assert [message.to for message in told] == [[cast.anna.email]]
    assert f"{before} → {number}" in dirk.get(_page(cast, "history")).content.decode()


def test_a_number_that_was_taken_meanwhile_ends_nothing(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    dirk, eva, page = proven(cast.dirk), proven(another_operator(cast)), _page(cast, "number")
    number = factories.company_number()
    dirk.post(page, {"detail": number, "reason": "Merger"})
    factories.make_office("Quick", company_number=number)
    eva.post(page, {"confirm": FourEyesApproval.objects.get().pk})
    assert cast.fresh().access() is None
    assert FourEyesApproval.objects.get().confirmed_by is None


def test_two_operators_end_an_access_and_the_office_reads_why(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    page = f"/admin/consents/consent/{cast.consent.pk}/end/"
    dirk, eva = proven(cast.dirk), proven(another_operator(cast))
    assert dirk.post(page, {"reason": "Stolen secret"}).status_code == 302
    assert cast.fresh().status == Status.ALLOWED
    wish = FourEyesApproval.objects.get()
    # The same person twice is one person.
    alone = dirk.post(page, {"confirm": wish.pk}, follow=True).content.decode()
    assert "a different operator must confirm" in alone
    assert cast.fresh().status == Status.ALLOWED
    assert "Stolen secret" in eva.get(page).content.decode()
    eva.post(page, {"confirm": wish.pk})
    assert cast.fresh().status == Status.CANCELLED
    event = cast.consent.events.get(kind="cancelled")
    assert (event.actor_kind, event.reason) == ("operator", "Stolen secret")
    assert str(cast.dirk) in event.actor_name
    assert "Eva" in event.actor_name
    told = as_person(cast.anna).get(f"/offices/{cast.janssens.slug}/consents/{cast.consent.uuid}")
    assert "Stolen secret" in told.content.decode()
    # Once: the second press finds nothing to end.
    eva.post(page, {"confirm": wish.pk})
    assert cast.consent.events.filter(kind="cancelled").count() == 1
    story = dirk.get(f"/admin/consents/consent/{cast.consent.pk}/change/").content.decode()
    for part in ("Requested", "Allowed", "Cancelled", "Stolen secret"):
        assert part in story
    # Nobody asks for what has ended.
    assert "there is no access to end." in dirk.post(page, {"reason": "Again"}).content.decode()
    assert FourEyesApproval.objects.get() == wish


def test_after_24_hours_the_second_operator_is_too_late(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    wish = _end(cast, reason="Too slow")
    FourEyesApproval.objects.update(requested_at=Now() - timedelta(hours=24, seconds=1))
    page = f"/admin/consents/consent/{cast.consent.pk}/end/"
    eva = another_operator(cast)
    proven(eva).post(page, {"confirm": wish.pk})
    assert cast.fresh().status == Status.ALLOWED
    with pytest.raises(NeedsSecondOperator):
        wish.confirm(eva)


@pytest.mark.requirement(37)
def test_an_old_login_is_asked_again_before_an_access_ends(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    page = f"/admin/consents/consent/{cast.consent.pk}/end/"
    answer = as_person(cast.dirk).post(page, {"reason": "Stolen secret"})
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert not FourEyesApproval.objects.exists()


def test_nobody_but_operators_can_ask_to_end(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    page = f"/admin/consents/consent/{cast.consent.pk}/end/"
    for person in (cast.anna, cast.bram, cast.chloe):
        assert proven(person).post(page, {"reason": "x"}).status_code == 302
    assert not FourEyesApproval.objects.exists()
