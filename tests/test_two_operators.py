"""What two operators do together: the reset of a lost second factor, the end of an office."""

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

from accounts.joint import Act, JointAct, NeedsAnother
from accounts.models import MembershipEvent, Role
from tests import factories
from tests.accounts.people import add_app, log_in, logged_in
from tests.conftest import Cast
from tests.test_access_matrix import as_person
from tests.test_operators import another_operator, proven


def factor_page(cast: Cast, person: Any) -> str:
    member = cast.janssens.memberships.get(user=person)
    return f"/admin/accounts/office/{cast.janssens.pk}/people/{member.pk}/factor/"


def confirmed(page: str, first: Any, second: Any, **said: str) -> JointAct:
    """Ask in one browser, confirm in another one."""
    asked = first.post(page, {"reason": "Lost her phone", **said})
    assert asked.status_code == 302, asked.content.decode()
    act = JointAct.objects.latest("pk")
    second.post(page, {"confirm": act.pk})
    act.refresh_from_db()
    return act


def test_two_operators_reset_a_lost_second_factor(cast: Cast, commits: None, eager: None) -> None:
    """Bram comes in by his password again; he, An and the Admin of his other office are told."""
    bram = logged_in(cast.bram)
    add_app(bram)
    factories.Membership.objects.create(office=cast.peeters, user=cast.bram, role=Role.USER)
    page = factor_page(cast, cast.bram)
    dirk, eva = proven(cast.dirk), proven(another_operator(cast))
    assert "totp authenticator" in dirk.get(page).content.decode().lower()
    mail.outbox.clear()
    assert dirk.post(page, {"reason": "Lost his phone"}).status_code == 302
    act = JointAct.objects.get()
    dirk.post(page, {"confirm": act.pk})
    assert Authenticator.objects.filter(user=cast.bram).exists()
    assert "Lost his phone" in eva.get(page).content.decode()
    eva.post(page, {"confirm": act.pk})
    assert not Authenticator.objects.filter(user=cast.bram).exists()
    assert not UserSession.objects.filter(user=cast.bram).exists()
    assert bram.get("/me").status_code == 302
    told = {message.to[0]: str(message.body) for message in mail.outbox}
    assert set(told) == {cast.bram.email, cast.an.email, cast.chloe.email}
    assert "choose a new password at once" in told[cast.bram.email]
    for body in told.values():
        assert "Dirk & Eva" in body
        assert "Lost his phone" in body
    written = MembershipEvent.objects.filter(kind="factor_reset", person=cast.bram)
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


def test_after_24_hours_nobody_resets_a_factor(cast: Cast) -> None:
    Authenticator.objects.create(user=cast.bram, type="totp", data={"secret": "x"})
    page, eva = factor_page(cast, cast.bram), another_operator(cast)
    proven(cast.dirk).post(page, {"reason": "Lost his phone"})
    act = JointAct.objects.get()
    JointAct.objects.update(asked_at=Now() - timedelta(hours=24, seconds=1))
    proven(eva).post(page, {"confirm": act.pk})
    assert Authenticator.objects.filter(user=cast.bram).exists()
    with pytest.raises(NeedsAnother):
        act.confirm(eva)


def test_an_old_login_is_asked_again_before_a_factor_is_reset(cast: Cast) -> None:
    answer = as_person(cast.dirk).post(factor_page(cast, cast.bram), {"reason": "Lost"})
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert not JointAct.objects.exists()


def test_nobody_of_an_office_resets_a_factor(cast: Cast) -> None:
    for person in (cast.an, cast.bram, cast.chloe):
        assert proven(person).post(factor_page(cast, cast.bram), {"reason": "x"}).status_code == 302
    assert not JointAct.objects.exists()


def test_dirk_reaches_nobody_of_another_office_by_the_page_of_this_one(cast: Cast) -> None:
    stranger = cast.peeters.memberships.get(user=cast.chloe)
    page = f"/admin/accounts/office/{cast.janssens.pk}/people/{stranger.pk}/factor/"
    assert proven(cast.dirk).get(page).status_code == 404


def test_an_operator_who_works_for_an_office_never_resets_her_own_factor(cast: Cast) -> None:
    eva = another_operator(cast)
    factories.Membership.objects.create(office=cast.janssens, user=eva, role=Role.USER)
    page = factor_page(cast, eva)
    proven(cast.dirk).post(page, {"reason": "Lost her key"})
    proven(eva).post(page, {"confirm": JointAct.objects.get().pk})
    assert JointAct.objects.get().confirmed_by is None
    assert Authenticator.objects.filter(user=eva).exists()


def _wish(cast: Cast, **change: Any) -> JointAct:
    fields = {
        "kind": Act.RESET_FACTOR,
        "person": cast.bram,
        "office": cast.janssens,
        "reason": "Lost",
        "asked_by": cast.dirk,
        **change,
    }
    return JointAct.objects.create(**fields)


def _raw(act: JointAct, **change: Any) -> None:
    """As raw SQL would do it, past every rule of the code."""
    JointAct.objects.filter(pk=act.pk).update(**change)


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
    "another person": lambda cast, eva: _raw(_wish(cast), person=cast.an),
    "another reason": lambda cast, eva: _raw(_wish(cast), reason="Found"),
    "no number": lambda cast, eva: _wish(cast, kind=Act.CHANGE_NUMBER, person=None),
    "deleted": lambda cast, eva: JointAct.objects.filter(pk=_wish(cast).pk).delete(),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_the_database_itself_wants_two_operators_for_what_was_asked(cast: Cast, wrong: str) -> None:
    eva = another_operator(cast)
    with pytest.raises((IntegrityError, ProgrammingError)), transaction.atomic():
        WRONG[wrong](cast, eva)
