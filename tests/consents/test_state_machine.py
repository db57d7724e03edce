"""All actors, statuses and actions in random order: only what the table of the product allows.

The oracle below is written from the product's description, not from the code: what each character
may do in each state, and what then holds on the screen, in the database and on the wire.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.db.models.functions import Now
from django.template.loader import get_template
from django.test import Client as Browser
from django.test import RequestFactory

from consents.access import AccessContext
from consents.actors import Actor, ActorKind
from consents.evidence.verify import faults
from consents.models import Consent, ConsentEvent, DecisionConflict, EvidenceSnapshot, NotAnAdmin
from consents.models.querysets import CoolingDown
from consents.presenters import Health
from consents.scope import ScopeChange, change_scope
from core.clock import database_time
from partner_api.serializers.consents import ConsentSerializer
from tests import factories
from tests.conftest import Cast
from tests.factories import acting
from tests.owner import rules_off

pytestmark = pytest.mark.requirement(11, 72, 91)


BANK = "bankAccountStatement"
ADMIN, NOBODY = "Anna", ("Bram", "Chloé", "clock")
WIRE = {
    "to_be_determined": "unconfirmed",
    "allowed": "confirmed",
    "denied": "denied",
    "cancelled": "denied",
}
WORDS = {
    "to_be_determined": "To be determined",
    "allowed": "Allowed",
    "denied": "Denied",
    "cancelled": "Cancelled",
}
ROW = get_template("consents/parts/row.html")
COLUMNS = [field.attname for field in Consent._meta.concrete_fields]


@dataclass
class State:
    """What should be so."""

    status: str = "to_be_determined"
    over: bool = False  # the request lapsed or was withdrawn
    paused: bool = False
    narrowed: bool = False  # the office leaves the statements out

    @property
    def open(self) -> bool:
        return self.status == "to_be_determined" and not self.over


def expected(state: State, who: str, action: str) -> str:
    """`moves`, `same` (a success without an event), `conflict` or `forbidden`."""
    if action in ("withdraw", "lapse"):
        return "moves" if state.open else "same"
    may = {"allow": (ADMIN,), "deny": (ADMIN,), "pause": (ADMIN,), "resume": (ADMIN,),
           "narrow": (ADMIN,), "widen": (ADMIN,), "cancel": (ADMIN, "partner", "operator")}[action]  # fmt: skip
    if who not in may:
        return "forbidden"
    if action in ("allow", "deny"):
        goal = {"allow": "allowed", "deny": "denied"}[action]
        return "moves" if state.open else "same" if state.status == goal else "conflict"
    if action == "cancel":
        known = {"allowed": "moves", "cancelled": "same"}
        return known.get(state.status, "conflict")
    if action in ("narrow", "widen"):
        if not (state.open or state.status == "allowed"):
            return "conflict"
        return "moves" if state.narrowed == (action == "widen") else "same"
    if state.status != "allowed":
        return "conflict"
    return "moves" if state.paused == (action == "resume") else "same"


def follow(state: State, action: str) -> None:
    match action:
        case "allow":
            state.status = "allowed"
        case "deny":
            state.status = "denied"
        case "cancel":
            state.status, state.paused = "cancelled", state.paused
        case "pause":
            state.paused = True
        case "resume":
            state.paused = False
        case "narrow" | "widen":
            state.narrowed = action == "narrow"
        case _:
            state.over = True


class Walk:
    """One random walk over one consent after the other."""

    def __init__(self, cast: Cast, seed: int) -> None:
        self.cast, self.dice = cast, random.Random(seed)
        self.actors = {
            ADMIN: acting(cast.anna),
            "Bram": acting(cast.bram),
            "Chloé": acting(cast.chloe),
            "partner": Actor.partner(cast.ledgerly),
            "operator": Actor(ActorKind.OPERATOR, name="Dirk"),
            "clock": Actor.clock(),
        }
        self.terms = factories.terms_in_force()
        self.seen: set[tuple[str, str, str]] = set()
        self.checked: tuple[Any, State] | None = None
        self.begin(cast.consent)

    def begin(self, consent: Consent) -> None:
        self.consent, self.state = self.fresh(consent.pk), State()
        self.events = ConsentEvent.objects.filter(consent=consent).count()

    def fresh(self, pk: int) -> Consent:
        """The consent as it stands; its office and its software stay the same all along."""
        consent: Consent = Consent.objects.get(pk=pk)
        consent.office, consent.partner = self.cast.janssens, self.cast.ledgerly
        return consent

    def step(self) -> None:
        ended = self.state.status in ("denied", "cancelled") or self.state.over
        if ended and self.dice.random() < 0.3:
            return self.ask_again()
        who = self.dice.choice(list(self.actors))
        verbs = ["allow", "deny", "cancel", "pause", "resume", "withdraw", "lapse"]
        verbs += ["narrow", "widen"]
        action = self.dice.choices(verbs, [5, 1, 2, 3, 3, 1, 1, 2, 2])[0]
        outcome = self.act(who, action)
        assert outcome == expected(self.state, who, action), (self.state, who, action)
        self.seen.add((self.state.status, action, outcome))
        if outcome == "moves":
            follow(self.state, action)
            self.events += 1
        self.check()
        return None

    def act(self, who: str, action: str) -> str:
        by, read = self.actors[who], self.consent
        try:
            if action == "allow":
                read.allow(by, self.terms, EvidenceSnapshot("x", [], 1))
            elif action == "lapse":
                read.lapse()
            elif action == "narrow":
                change_scope(read, by, ScopeChange(kinds_out=(BANK,)))
            elif action == "widen":
                change_scope(read, by, ScopeChange(kinds_in=(BANK,)), self.terms)
            else:
                getattr(read, action)(by)
        except NotAnAdmin:
            return "forbidden"
        except DecisionConflict as conflict:
            told = conflict.consent.status
            return "conflict" if told == self.state.status else f"told {told}"
        after = ConsentEvent.objects.filter(consent=self.consent).count()
        return "moves" if after > self.events else "same"

    def ask_again(self) -> None:
        """A new attempt is a new consent with a new identifier; after a denial only later."""
        denied = self.state.status == "denied"
        # The walk asks more often than software may in a day; days pass between its requests.
        earlier = Consent.objects.filter(office=self.cast.janssens, partner=self.cast.ledgerly)
        with rules_off("consents_consent"):
            earlier.update(requested_at=F("requested_at") - timedelta(days=2))
        try:
            fresh = factories.make_request(self.cast.janssens, self.cast.ledgerly)
            assert not denied
        except CoolingDown:
            assert denied
            newest = Consent.objects.filter(pk=self.consent.pk)
            newest.update(decided_at=Now() - timedelta(days=8))
            fresh = factories.make_request(self.cast.janssens, self.cast.ledgerly)
        assert fresh.uuid != self.consent.uuid
        self.begin(fresh)

    def check(self) -> None:
        """Database, wire, access and the row of the overview tell the same.

        All of them follow from the row: where no column changed they are as they were checked.
        """
        # Whoever acts next acts on what is read here: nothing happens in between.
        self.consent = self.fresh(self.consent.pk)
        columns = [getattr(self.consent, column) for column in COLUMNS]
        if (columns, self.state) == self.checked:
            return
        self.checked = (columns, replace(self.state))
        rows = Consent.objects.filter(pk=self.consent.pk)
        now = database_time()
        row = rows.with_use().select_related("office", "partner", "decided_by").get()
        assert row.status == self.state.status
        assert (row.closed_at is not None) == self.state.over
        context = {"request": RequestFactory().get("/"), "at": now}
        body = ConsentSerializer(row, context=context).data
        attributes = body["data"]["attributes"]
        assert attributes["status"] == WIRE[self.state.status]
        assert attributes["portalStatus"] == self.state.status
        may = self.state.status == "allowed" and not self.state.paused
        access = AccessContext.of(row.pk)
        assert (access.denial_reason(BANK) is None) == (may and not self.state.narrowed)
        assert (access.denial_reason("salesInvoice") is None) == may
        row.health = Health.of(row, access, now)
        check_row(ROW.render({"consent": row, "office": row.office, "now": now}), self.state)


@pytest.mark.parametrize("seed", range(10))
def test_only_listed_moves_whoever_tries_whatever(cast: Cast, rounds: float, seed: int) -> None:
    """10 walks of 500 steps; of 20,000 with `--rounds 10`, the 200,000 of a release."""
    walk = Walk(cast, seed)
    browser = Browser()
    browser.force_login(cast.anna)
    steps = 500 if rounds <= 1 else int(2_000 * rounds)
    for number in range(steps):
        walk.step()
        if number % 100 == 0:
            _check_screen(browser, walk)
    assert list(faults(cast.janssens.pk)) == []
    # The walk met every action in every status that it can meet.
    assert {action for status, action, _o in walk.seen if status == "allowed"} >= {
        "allow", "deny", "cancel", "pause", "resume", "narrow", "widen"
    }  # fmt: skip
    assert {outcome for _s, _a, outcome in walk.seen} == {"moves", "same", "conflict", "forbidden"}


def _check_screen(browser: Browser, walk: Walk) -> None:
    """The whole overview by HTTP, where `check` only draws the row."""
    page = browser.get(f"/offices/{walk.cast.janssens.slug}/consents?q={walk.consent.uuid}")
    text = page.content.decode()
    check_row(text[text.index("<tbody") : text.index("</tbody")], walk.state)


def check_row(html: str, state: State) -> None:
    assert (WORDS[state.status] in html) != state.over
    offered = {verb for verb in ("pause", "resume", "cancel") if f"/{verb}" in html}
    allowed = {"cancel", "resume" if state.paused else "pause"}
    assert offered == (allowed if state.status == "allowed" else set())
    assert ("via=overview" in html) == state.open
