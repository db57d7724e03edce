"""A process that dies after any statement of any move leaves no half state."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from accounts.models import Membership
from consents.actors import Actor
from consents.evidence.verify import faults
from consents.models import Consent, EventKind, block
from consents.scope import ScopeChange, change_scope
from consents.terms_acceptance import accept_terms
from tests import factories
from tests.conftest import Cast
from tests.factories import acting, allow

pytestmark = pytest.mark.requirement(14)


class CutOff(Exception):
    """The process died after this statement."""


BANK = "bankAccountStatement"
BEGIN_ALLOWED = ("cancel", "pause", "resume", "narrow", "widen", "accept_terms", "reaffirm")
BEGIN_UNDECIDED = ("allow", "deny", "withdraw", "lapse", "block", "unblock")


@pytest.mark.parametrize("action", [*BEGIN_UNDECIDED, *BEGIN_ALLOWED])
def test_a_crash_after_any_statement_leaves_no_half_state(cast: Cast, action: str) -> None:
    _prepare(cast, action)
    before = _shape()
    whole = _after(cast, action, die_at=None)
    assert whole != before
    crashes = 0
    for place in range(1, 80):
        found = _after(cast, action, die_at=place)
        if found is None:
            break
        crashes += 1
        # What its own transaction finished is whole, everything else has not happened.
        assert found in (before, whole), f"half a state after statement {place}"
    else:
        pytest.fail("it never came to an end")
    assert crashes >= 4
    act(cast, action)
    assert _shape() == whole
    assert list(faults(cast.janssens.pk)) == []


def _prepare(cast: Cast, action: str) -> None:
    if action in BEGIN_ALLOWED:
        allow(cast.consent, cast.anna)
    match action:
        case "resume":
            cast.fresh().pause(acting(cast.anna))
        case "widen":
            change_scope(cast.fresh(), acting(cast.anna), ScopeChange(kinds_out=(BANK,)))
        case "accept_terms":
            old = factories.terms_in_force()
            factories.make_terms(old.version + 1)
            Consent.objects.filter(pk=cast.consent.pk).update(accept_terms_by=Now())
        case "reaffirm":
            factories.make_person("Bea", cast.janssens)
            Membership.objects.get(user=cast.anna).leave()
        case "unblock":
            block.block(cast.consent, acting(cast.anna))


def act(cast: Cast, action: str) -> None:
    consent, anna = cast.fresh(), acting(cast.anna)
    match action:
        case "allow":
            allow(consent, cast.anna)
        case "lapse":
            consent.lapse()
        case "withdraw":
            consent.withdraw(Actor.partner(cast.ledgerly))
        case "narrow":
            change_scope(
                consent, anna, ScopeChange(kinds_out=(BANK,), clients_out=(cast.bakery.pk,))
            )
        case "widen":
            change_scope(consent, anna, ScopeChange(kinds_in=(BANK,)), factories.terms_in_force())
        case "accept_terms":
            accept_terms(consent, anna, factories.terms_in_force())
        case "reaffirm":
            bea = acting(cast.janssens.memberships.admins().get().user)
            accept_terms(consent, bea, factories.terms_in_force(), EventKind.REAFFIRMED)
        case "block":
            block.block(consent, anna)
        case "unblock":
            block.unblock(consent, anna)
        case _:
            getattr(consent, action)(anna)


def _after(cast: Cast, action: str, die_at: int | None) -> Any:
    """What is left when the process dies after so many statements; None: it lived to the end."""
    done = 0

    def die(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal done
        answer = execute(sql, params, many, context)
        done += 1
        if done == die_at:
            raise CutOff(sql)
        return answer

    # Around the act there is no transaction of ours that would tidy up after it.
    here = transaction.savepoint()
    died = False
    try:
        with connection.execute_wrapper(die):
            act(cast, action)
    except CutOff:
        died = True
    left = _shape() if died or die_at is None else None
    transaction.savepoint_rollback(here)
    return left


def _shape() -> list[Any]:
    """Everything that a move writes, without the times and seals that differ each time."""
    consents = """select id, status, decided_at is null, decided_by_id, terms_id,
        cancelled_at is null, closed_reason, paused_at is null, accept_terms_by is null,
        excluded_kinds, allowlist_mode, scope_number from consents_consent order by id"""
    counted = ["consentevent", "evidence", "listedclient", "block"]
    with connection.cursor() as cursor:
        cursor.execute(consents)
        rows: list[Any] = [cursor.fetchall()]
        for table in counted:
            cursor.execute(f"select count(*) from consents_{table}")
            rows.append(cursor.fetchone())
        cursor.execute("select office_id, length from consents_chainhead order by office_id")
        return [*rows, cursor.fetchall()]
