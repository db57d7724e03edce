"""What the clock notices is written down once: reminders, first fetch, disuse, unusual volume."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from consents.models import Consent, ConsentActivity, EventKind
from consents.scheduled_events import write_due_events
from tests.conftest import Cast
from tests.factories import acting, allow


def age(cast: Cast, **ago: int) -> None:
    """Let the request, and the decision, lie that much further in the past."""
    past = timedelta(**ago)
    consents = Consent.objects.filter(pk=cast.consent.pk)
    consents.update(requested_at=F("requested_at") - past, lapses_at=F("lapses_at") - past)
    consents.exclude(decided_at=None).update(decided_at=F("decided_at") - past)


def used(cast: Cast, days_ago: int, served: int = 1) -> None:
    at = timezone.now() - timedelta(days=days_ago)
    ConsentActivity.objects.create(
        consent=cast.consent,
        day=timezone.localdate(at),
        served=served,
        first_served_at=at,
        last_served_at=at,
    )


def noticed(cast: Cast) -> list[str]:
    """Notice twice: the second time there is nothing new."""
    write_due_events()
    assert write_due_events() == 0
    events = cast.consent.events.exclude(kind__in=["requested", "allowed", "paused"])
    return list(events.order_by("number").values_list("kind", flat=True))


def test_an_unanswered_request_is_recalled_on_day_7_and_on_day_23(cast: Cast) -> None:
    age(cast, days=6, hours=23)
    assert noticed(cast) == []
    age(cast, hours=2)
    assert noticed(cast) == ["reminded"]
    age(cast, days=15)
    assert noticed(cast) == ["reminded"]
    age(cast, days=1)
    assert noticed(cast) == ["reminded", "reminded"]
    age(cast, days=5)
    assert noticed(cast) == ["reminded", "reminded"]


def test_a_job_that_slept_for_weeks_does_not_remind_after_the_end(cast: Cast) -> None:
    age(cast, days=31)
    assert noticed(cast) == []


def test_what_is_answered_is_not_recalled(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    age(cast, days=8)
    assert noticed(cast) == []


def test_the_first_fetch_is_told_once(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    assert noticed(cast) == []
    used(cast, days_ago=0)
    assert noticed(cast) == ["first_fetched"]


def test_disuse_is_told_after_60_days_and_again_60_days_later(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    age(cast, days=59)
    assert noticed(cast) == []
    age(cast, days=1, hours=1)
    assert noticed(cast) == ["unused"]


def test_what_is_used_now_and_then_is_not_told_as_unused(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    age(cast, days=100)
    used(cast, days_ago=59)
    assert noticed(cast) == ["first_fetched"]


@pytest.mark.parametrize(("served", "told"), [(499, False), (500, True), (5000, True)])
def test_unusual_volume_is_five_times_the_busiest_day(cast: Cast, served: int, told: bool) -> None:
    allow(cast.consent, cast.anna)
    for day in range(2, 12):
        used(cast, days_ago=day, served=90)
    used(cast, days_ago=0, served=served)
    assert ("unusual" in noticed(cast)) is told


def test_without_a_habit_nothing_is_unusual(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    used(cast, days_ago=0, served=100_000)
    assert noticed(cast) == ["first_fetched"]


def test_a_paused_consent_is_watched_all_the_same(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    cast.fresh().pause(acting(cast.anna))
    age(cast, days=61)
    assert noticed(cast) == ["unused"]
    assert cast.consent.events.filter(kind=EventKind.UNUSED, at__lte=Now()).count() == 1
