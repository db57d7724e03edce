"""The four statuses: who may move a consent, from where to where, and what is written down."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from accounts.models import Role
from consents.actors import Actor, ActorKind
from consents.models import (
    ClosedReason,
    Consent,
    ConsentEvent,
    DecisionConflict,
    Evidence,
    EvidenceSnapshot,
    NotAnAdmin,
    Status,
)
from consents.models.querysets import CoolingDown
from consents.tasks import write_down_lapsed_requests
from core.clock import database_time
from tests import factories
from tests.conftest import Cast
from tests.factories import acting, allow


def events(consent: Consent) -> list[str]:
    return list(consent.events.order_by("pk").values_list("kind", flat=True))


def let_time_pass(consent: Consent, **ago: float) -> None:
    """Move the moment of lapsing into the past; the clock that counts is the database's."""
    Consent.objects.filter(pk=consent.pk).update(lapses_at=Now() - timedelta(**ago))


def test_anna_allows_and_the_partner_may_read(cast: Cast) -> None:
    assert cast.consent.access() == "consentNotConfirmed"
    allow(cast.consent, cast.anna)
    assert cast.consent.status == Status.ALLOWED
    assert cast.consent.access() is None
    assert events(cast.consent) == ["requested", "allowed"]


def test_anna_denies_and_nothing_is_shared(cast: Cast) -> None:
    cast.consent.deny(acting(cast.anna))
    assert cast.consent.status == Status.DENIED
    assert cast.consent.access() == "consentNotConfirmed"
    assert events(cast.consent) == ["requested", "denied"]
    assert not Evidence.objects.filter(event__consent=cast.consent).exists()


@pytest.mark.requirement(10)
def test_anna_cancels_what_she_allowed(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    cast.consent.cancel(acting(cast.anna))
    assert cast.consent.access() == "consentNotConfirmed"
    assert events(cast.consent) == ["requested", "allowed", "cancelled"]


def test_the_same_wish_twice_is_one_event(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    allow(cast.fresh(), cast.anna)
    assert events(cast.consent) == ["requested", "allowed"]
    cast.consent.cancel(acting(cast.anna))
    assert cast.fresh().cancel(acting(cast.anna)) is None
    assert events(cast.consent) == ["requested", "allowed", "cancelled"]


def test_the_opposite_wish_is_told_what_was_decided(cast: Cast) -> None:
    late = cast.fresh()
    cast.consent.deny(acting(cast.anna))
    with pytest.raises(DecisionConflict) as conflict:
        allow(late, cast.anna)
    assert conflict.value.consent.status == Status.DENIED
    assert events(cast.consent) == ["requested", "denied"]


@pytest.mark.parametrize("end", ["deny", "cancel"])
def test_an_end_is_final(cast: Cast, end: str) -> None:
    if end == "cancel":
        allow(cast.consent, cast.anna)
        cast.consent.cancel(acting(cast.anna))
    else:
        cast.consent.deny(acting(cast.anna))
    with pytest.raises(DecisionConflict):
        allow(cast.fresh(), cast.anna)


def test_bram_may_not_decide(cast: Cast) -> None:
    with pytest.raises(NotAnAdmin):
        allow(cast.consent, cast.bram)
    with pytest.raises(NotAnAdmin):
        cast.consent.deny(acting(cast.bram))
    assert cast.fresh().status == Status.TO_BE_DETERMINED
    assert events(cast.consent) == ["requested"]


def test_chloe_may_not_decide_for_another_office(cast: Cast) -> None:
    with pytest.raises(NotAnAdmin):
        allow(cast.consent, cast.chloe)


@pytest.mark.requirement(21)
def test_anna_may_not_decide_once_she_left(cast: Cast) -> None:
    factories.change_membership(cast.anna, is_active=False)
    with pytest.raises(NotAnAdmin):
        allow(cast.consent, cast.anna)


@pytest.mark.requirement(21)
def test_anna_may_not_decide_once_her_account_is_closed(cast: Cast) -> None:
    cast.anna.is_active = False
    cast.anna.save()
    with pytest.raises(NotAnAdmin):
        allow(cast.consent, cast.anna)


@pytest.mark.requirement(21)
def test_anna_may_not_decide_once_she_is_no_admin(cast: Cast) -> None:
    factories.change_membership(cast.anna, role=Role.USER)
    with pytest.raises(NotAnAdmin):
        cast.consent.deny(acting(cast.anna))


@pytest.mark.parametrize("kind", [ActorKind.PARTNER, ActorKind.OPERATOR, ActorKind.CLOCK])
def test_nobody_but_a_person_of_the_office_gives_or_denies(cast: Cast, kind: ActorKind) -> None:
    by = Actor(kind, name="somebody", person=cast.dirk)
    with pytest.raises(NotAnAdmin):
        cast.consent.allow(by, factories.terms_in_force(), EvidenceSnapshot("x", [], 0))
    with pytest.raises(NotAnAdmin):
        cast.consent.deny(by)
    assert cast.fresh().status == Status.TO_BE_DETERMINED


@pytest.mark.requirement(10, 38)
def test_a_consent_survives_the_person_who_gave_it(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    factories.change_membership(cast.anna, is_active=False)
    assert cast.consent.access() is None


def test_a_partner_gives_up_access(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    cast.consent.cancel(Actor.partner(cast.ledgerly))
    last = cast.consent.events.get(kind="cancelled")
    assert (last.actor_kind, last.actor_name) == ("partner", cast.ledgerly.name)


def test_a_partner_withdraws_its_request_and_it_never_becomes_cancelled(cast: Cast) -> None:
    cast.consent.withdraw(Actor.partner(cast.ledgerly))
    assert cast.consent.status == Status.TO_BE_DETERMINED
    assert cast.consent.closed_reason == ClosedReason.WITHDRAWN
    with pytest.raises(DecisionConflict):
        allow(cast.fresh(), cast.anna)
    assert events(cast.consent) == ["requested", "withdrawn"]


def test_withdrawing_leaves_an_ended_consent_as_it_is(cast: Cast) -> None:
    cast.consent.deny(acting(cast.anna))
    cast.consent.withdraw(Actor.partner(cast.ledgerly))
    assert cast.consent.closed_at is None
    assert events(cast.consent) == ["requested", "denied"]


@pytest.mark.requirement(6)
def test_the_clock_closes_a_request_before_the_job_writes_it_down(cast: Cast) -> None:
    let_time_pass(cast.consent, seconds=1)
    late = cast.fresh()
    assert late.is_lapsed(database_time())
    assert not late.is_open(database_time())
    with pytest.raises(DecisionConflict):
        allow(late, cast.anna)
    with pytest.raises(DecisionConflict):
        late.deny(acting(cast.anna))


def test_the_job_writes_a_lapse_down_once(cast: Cast) -> None:
    let_time_pass(cast.consent, seconds=1)
    write_down_lapsed_requests()
    write_down_lapsed_requests()
    lapsed = cast.fresh()
    assert lapsed.closed_reason == ClosedReason.LAPSED
    assert lapsed.status == Status.TO_BE_DETERMINED
    assert events(lapsed) == ["requested", "lapsed"]


def test_the_job_leaves_open_requests_alone(cast: Cast) -> None:
    write_down_lapsed_requests()
    assert cast.fresh().is_open(database_time())


def test_a_lapsed_request_no_longer_blocks_a_new_one(cast: Cast) -> None:
    let_time_pass(cast.consent, seconds=1)
    new, created = Consent.objects.request(office=cast.janssens, partner=cast.ledgerly)
    assert created
    assert new.pk != cast.consent.pk
    assert cast.fresh().closed_reason == ClosedReason.LAPSED


def test_an_allowed_consent_never_lapses(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    let_time_pass(cast.consent, days=4000)
    write_down_lapsed_requests()
    assert cast.consent.access() is None
    assert events(cast.consent) == ["requested", "allowed"]


def test_asking_again_gives_the_open_request_with_the_new_address(cast: Cast) -> None:
    again, created = Consent.objects.request(
        office=cast.janssens, partner=cast.ledgerly, redirect_uri="https://x.example", state="s"
    )
    assert not created
    assert again.pk == cast.consent.pk
    assert (cast.fresh().redirect_uri, cast.fresh().state) == ("https://x.example", "s")


def test_asking_again_leaves_an_allowed_consent_untouched(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    again, created = Consent.objects.request(
        office=cast.janssens, partner=cast.ledgerly, redirect_uri="https://x.example"
    )
    assert (again.pk, created) == (cast.consent.pk, False)
    assert cast.fresh().redirect_uri == factories.CALLBACK


def test_after_cancelling_a_new_request_is_a_new_consent(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    cast.consent.cancel(acting(cast.anna))
    new, created = Consent.objects.request(office=cast.janssens, partner=cast.ledgerly)
    assert created
    assert new.status == Status.TO_BE_DETERMINED


@pytest.mark.requirement(108)
@pytest.mark.parametrize(("denials", "hours"), [(1, 24), (2, 48), (3, 96), (4, 168), (5, 168)])
def test_the_cool_down_doubles_up_to_seven_days(cast: Cast, denials: int, hours: int) -> None:
    consent = cast.consent
    for n in range(denials):
        consent.deny(acting(cast.anna))
        if n < denials - 1:
            ago = Now() - timedelta(days=400 - n)
            Consent.objects.filter(pk=consent.pk).update(decided_at=ago)
            consent = factories.make_request(cast.janssens, cast.ledgerly)
    with pytest.raises(CoolingDown) as wait:
        factories.make_request(cast.janssens, cast.ledgerly)
    assert hours * 3600 - 60 < wait.value.seconds <= hours * 3600
    Consent.objects.filter(pk=consent.pk).update(decided_at=Now() - timedelta(hours=hours))
    assert factories.make_request(cast.janssens, cast.ledgerly).is_open(database_time())


def test_an_allow_in_between_forgives_earlier_denials(cast: Cast) -> None:
    cast.consent.deny(acting(cast.anna))
    Consent.objects.filter(pk=cast.consent.pk).update(decided_at=Now() - timedelta(days=9))
    second = allow(factories.make_request(cast.janssens, cast.ledgerly), cast.anna)
    second.cancel(acting(cast.anna))
    third = factories.make_request(cast.janssens, cast.ledgerly)
    third.deny(acting(cast.anna))
    with pytest.raises(CoolingDown) as wait:
        factories.make_request(cast.janssens, cast.ledgerly)
    assert wait.value.seconds <= 24 * 3600


@pytest.mark.requirement(72)
def test_every_change_has_exactly_one_event(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    cast.consent.cancel(acting(cast.anna))
    assert ConsentEvent.objects.filter(consent=cast.consent).count() == 3
