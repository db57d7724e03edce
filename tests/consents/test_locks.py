"""Nobody waits in a circle: every verb takes its locks in one order (docs/architecture.md).

Two verbs run at the same moment, on connections of their own, about the same office, the same
people, the same software and the same consents. PostgreSQL may make one of them wait. It must end
none of them, and each is carried out or refused in words.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from psycopg import errors

from accounts.models import Invitation, LastAdmin, Office, Role
from accounts.models.invitation import InvitationEnded
from accounts.models.user import User
from backoffice.mfa_reset import reset_mfa
from backoffice.models.four_eyes import ApprovalKind, FourEyesApproval, NeedsSecondOperator
from backoffice.termination import close_office, end_access, retire_partner
from clients.admins import Outdated
from clients.models import Transfer
from consents.actors import Actor
from consents.models import Consent, DecisionConflict, EventKind, NotAnAdmin
from consents.models.block import BlockedByOffice, block, unblock
from consents.models.querysets import CoolingDown, PartyHasEnded
from consents.scheduled_events import _write_one
from consents.scope import ScopeChange, change_scope
from consents.terms_acceptance import accept_terms
from core.locks import Lock, hold, retry_deadlock
from partners.models import Partner, PartnerStatus
from tests import factories
from tests.consents.test_races import at_once
from tests.factories import acting, allow

pytestmark = pytest.mark.requirement(106)

# What a verb may answer when somebody else was quicker.
CALM = (
    *(
        BlockedByOffice,
        CoolingDown,
        DecisionConflict,
        InvitationEnded,
        LastAdmin,
        NeedsSecondOperator,
    ),
    *(NotAnAdmin, Outdated, PartyHasEnded, PermissionDenied),
)


@dataclass
class World:
    """An office that everybody writes in: a request, an allowed consent and a paused one."""

    office: Office
    anna: User
    eva: User
    bram: User
    new: User
    invitation: Invitation
    elsewhere: Office
    chloe: User
    unknown: Partner
    requested: Consent
    allowed: Consent
    paused: Consent
    transfer: Transfer
    operators: tuple[User, User]

    def member(self, person: User) -> Any:
        return self.office.memberships.select_related("office", "user").get(user=person)

    def joint(self, kind: ApprovalKind, **about: Any) -> FourEyesApproval:
        return FourEyesApproval.objects.create(
            kind=kind, reason="test", requested_by=self.operators[0], **about
        )


OPERATORS: list[User] = []


def make_world() -> World:
    if not OPERATORS:
        OPERATORS.extend(factories.make_person(name, is_staff=True) for name in ("Dirk", "Els"))
    factories.terms_in_force()
    office, elsewhere = factories.make_office("Janssens"), factories.make_office("Peeters")
    anna, eva = (factories.make_person(name, office) for name in ("Anna", "Eva"))
    bram = factories.make_person("Bram", office, Role.USER)
    chloe = factories.make_person("Chloé", elsewhere)
    new = factories.make_person("New")
    invitation = Invitation.objects.invite(
        office, anna, email=new.email, role="user", language="en"
    )
    asked, given, stopped = (factories.make_partner(name) for name in ("Ask", "Give", "Stop"))
    paused = factories.make_allowed(office, stopped, anna)
    paused.pause(acting(anna))
    return World(
        *(office, anna, eva, bram, new, invitation, elsewhere, chloe),
        unknown=factories.make_partner("Unknown"),
        requested=factories.make_request(office, asked),
        allowed=factories.make_allowed(office, given, anna),
        paused=paused,
        transfer=Transfer.objects.ask(factories.make_client(office), anna, elsewhere),
        operators=(OPERATORS[0], OPERATORS[1]),
    )


def fresh(consent: Consent) -> Consent:
    found: Consent = Consent.objects.select_related("office", "partner").get(pk=consent.pk)
    return found


def narrow(world: World) -> None:
    change_scope(
        fresh(world.allowed), acting(world.anna), ScopeChange(kinds_out=("purchaseInvoice",))
    )


def agree_anew(world: World) -> None:
    """Eva takes over; whoever gave it may be leaving in this moment."""
    accept_terms(
        fresh(world.allowed), acting(world.eva), factories.terms_in_force(), EventKind.REAFFIRMED
    )


def invite(world: World) -> None:
    email = f"somebody.{factories.unique()}@office.example"
    Invitation.objects.invite(world.office, world.anna, email=email, role="user", language="en")


def retire(which: str) -> Callable[[World], None]:
    def run(world: World) -> None:
        partner = getattr(world, which).partner
        retire_partner(
            world.joint(ApprovalKind.RETIRE_PARTNER, partner=partner), world.operators[1]
        )

    return run


VERBS: dict[str, Callable[[World], Any]] = {
    "request": lambda w: Consent.objects.request(office=w.office, partner=w.unknown),
    "request again": lambda w: Consent.objects.request(
        office=w.office, partner=w.requested.partner
    ),
    "allow": lambda w: allow(fresh(w.requested), w.anna),
    "deny": lambda w: fresh(w.requested).deny(acting(w.eva)),
    "ask": lambda w: fresh(w.requested).ask_admins(acting(w.bram), []),
    "withdraw": lambda w: fresh(w.requested).withdraw(Actor.partner(w.requested.partner)),
    "cancel": lambda w: fresh(w.allowed).cancel(acting(w.anna)),
    "cancel by software": lambda w: fresh(w.allowed).cancel(Actor.partner(w.allowed.partner)),
    "pause": lambda w: fresh(w.allowed).pause(acting(w.anna)),
    "resume": lambda w: fresh(w.paused).resume(acting(w.eva)),
    "narrow": narrow,
    "agree anew": agree_anew,
    "remind": lambda w: _write_one(
        EventKind.UNUSED, Consent.objects.all(), w.allowed.pk, w.office.pk
    ),
    "block": lambda w: block(fresh(w.allowed), acting(w.anna)),
    "unblock": lambda w: unblock(fresh(w.allowed), acting(w.eva)),
    "change role": lambda w: w.member(w.anna).change_role("user", w.eva),
    "remove": lambda w: w.member(w.anna).remove(w.eva),
    "leave": lambda w: w.member(w.anna).leave(),
    "invite": invite,
    "join": lambda w: Invitation.objects.get(pk=w.invitation.pk).accept(w.new),
    "suspend": lambda w: w.office.set_active(False),
    "close": lambda w: close_office(
        w.joint(ApprovalKind.CLOSE_OFFICE, office=w.office), w.operators[1]
    ),
    "retire the asking": retire("requested"),
    "retire the allowed": retire("allowed"),
    "end access": lambda w: end_access(
        w.joint(ApprovalKind.END_ACCESS, consent=fresh(w.allowed)), w.operators[1]
    ),
    "reset MFA": lambda w: reset_mfa(
        w.joint(ApprovalKind.RESET_MFA, person=w.anna, office=w.office), w.operators[1]
    ),
    "hand over": lambda w: Transfer.objects.get(pk=w.transfer.pk).agree(w.chloe, "K1"),
    "keep": lambda w: Transfer.objects.get(pk=w.transfer.pk).withdraw(w.anna),
}


def slowly(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    """A moment after each statement that locks something, so that the other verb gets in between."""
    answer = execute(sql, params, many, context)
    if re.match("insert|update|delete|.* for (no )?key|.* for update", sql, re.I | re.S):
        time.sleep(random.uniform(0, 0.004))
    return answer


def one_by_one(verb: Callable[[World], Any], world: World) -> Callable[[], Any]:
    def run() -> Any:
        with connection.execute_wrapper(slowly):
            return verb(world)

    return run


def deadlocks() -> int:
    """How many this database has seen, also those after which a verb began anew."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_stat_clear_snapshot()")
        cursor.execute("select deadlocks from pg_stat_database where datname = current_database()")
        return int(cursor.fetchone()[0])


def whole(world: World) -> None:
    """What must hold whatever happened: nothing goes on at what has ended."""
    office = Office.objects.get(pk=world.office.pk)
    for consent in office.consents.live().select_related("partner"):
        assert office.closed_at is None
        assert consent.partner.status != PartnerStatus.RETIRED
    if office.closed_at is None:
        assert office.memberships.admins().exists()


@pytest.mark.parametrize("one", VERBS)
def test_two_verbs_at_once_never_wait_in_a_circle(committed: None, rounds: float, one: str) -> None:
    """Each pair once with `--rounds 2`: this verb with itself and with those after it in the list.

    Every day a third of the pairs: with itself, and with every third verb after it.
    """
    names = list(VERBS)
    before = deadlocks()
    for other in names[names.index(one) :: 3 if rounds <= 1 else 1]:
        for _ in range(max(1, int(rounds))):
            world = make_world()
            outcomes = at_once([one_by_one(VERBS[one], world), one_by_one(VERBS[other], world)])
            failed = [o for o in outcomes if isinstance(o, Exception) and not isinstance(o, CALM)]
            assert failed == [], (one, other)
            whole(world)
    assert deadlocks() == before


# The order of docs/architecture.md. Rows of other tables are locked by no two verbs in two orders:
# they belong to one row of these, which is locked first.
ORDER = [
    "partners_partner",
    "accounts_office",
    "accounts_membership",
    "clients_client",
    "consents_consent",
    "consents_chainhead",
]
STATEMENT = re.compile(
    r'(?:update "?(?P<updated>\w+)|insert into "?(?P<inserted>\w+)|delete from "?(?P<deleted>\w+)'
    r'|select .*? from "?(?P<read>\w+).* for (?:no key update|key share|update|share))',
    re.IGNORECASE | re.DOTALL,
)


def locked_by(sql: str) -> str | None:
    """The table of which this statement locks rows; None for one that only reads."""
    found = STATEMENT.match(sql.strip())
    if found is None:
        return None
    return next(table for table in found.groups() if table)


def added_to(sql: str) -> str | None:
    """The table that this statement adds rows to."""
    found = STATEMENT.match(sql.strip())
    return found["inserted"] if found else None


# Writing one of these points at the office.
EVENTS = {"consents_consentevent", "accounts_officeevent", "clients_clientevent"}


@pytest.mark.parametrize("name", VERBS)
def test_each_verb_takes_its_locks_in_the_order_of_the_docs(committed: None, name: str) -> None:
    world = make_world()
    with CaptureQueriesContext(connection) as log:
        VERBS[name](world)
    text = [query["sql"] for query in log.captured_queries]
    of_software, seen = tables_pointing_at("partners_partner"), 0
    for statements in transactions(text):
        tables = [table for table in map(locked_by, statements) if table]
        first = [table for table in dict.fromkeys(tables) if table in ORDER]
        assert first == sorted(first, key=ORDER.index), statements
        if EVENTS & set(tables):
            assert "accounts_office" in first, statements
        # Whoever ends software holds its row, then its consents.
        if "consents_consent" in tables and of_software & set(
            filter(None, map(added_to, statements))
        ):
            assert "partners_partner" in first, statements
        seen += len(first)
    assert seen
    for sql in text:
        if re.search(r" join .* for (no key )?update", sql, re.IGNORECASE | re.DOTALL):
            assert re.search(r" for (no key )?update of ", sql, re.IGNORECASE), sql


def tables_pointing_at(table: str) -> set[str]:
    """Those with a foreign key that PostgreSQL checks: it locks the row that a new row names."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select conrelid::regclass::text from pg_constraint "
            "where contype = 'f' and confrelid = %s::regclass",
            [table],
        )
        return {name for (name,) in cursor.fetchall()}


def transactions(statements: list[str]) -> list[list[str]]:
    """What was said between each BEGIN and its COMMIT; a statement outside stands alone."""
    found: list[list[str]] = []
    inside = False
    for sql in statements:
        if sql in ("BEGIN", "COMMIT"):
            inside = sql == "BEGIN"
            found += [[]] if inside else []
        elif inside:
            found[-1].append(sql)
        else:
            found.append([sql])
    return found


def test_a_verb_that_postgresql_sends_back_is_run_once_more(committed: None) -> None:
    """Two lock the same two rows crosswise: one is ended by PostgreSQL, and both are carried out."""
    keys = [factories.make_office("Janssens").pk for _ in range(2)]
    met, runs = threading.Barrier(2), []

    @retry_deadlock
    def crosswise(first: int, second: int) -> str:
        runs.append(first)
        with transaction.atomic():
            hold(Office, first, lock=Lock.CHANGE)
            if len(runs) <= 2:
                met.wait(20)
            hold(Office, second, lock=Lock.CHANGE)
        return "done"

    outcomes = at_once([lambda: crosswise(*keys), lambda: crosswise(*reversed(keys))])
    assert outcomes == ["done", "done"]
    assert len(runs) == 3


def test_what_goes_wrong_twice_or_inside_a_transaction_is_told(committed: None) -> None:
    runs = []

    @retry_deadlock
    def never() -> None:
        runs.append(1)
        raise OperationalError from errors.DeadlockDetected()

    with pytest.raises(OperationalError):
        never()
    assert len(runs) == 2
    with pytest.raises(OperationalError), transaction.atomic():
        never()
    assert len(runs) == 3


def test_between_parties_that_have_ended_no_consent_begins(committed: None) -> None:
    world = make_world()
    stranger = factories.make_partner("Late")
    VERBS["close"](world)
    with pytest.raises(PartyHasEnded):
        Consent.objects.request(office=world.office, partner=stranger)
    VERBS["retire the asking"](world)
    with pytest.raises(PartyHasEnded):
        Consent.objects.request(office=world.elsewhere, partner=world.requested.partner)


def test_an_office_is_closed_once(committed: None) -> None:
    world = make_world()
    VERBS["close"](world)
    with pytest.raises(NeedsSecondOperator):
        VERBS["close"](world)
