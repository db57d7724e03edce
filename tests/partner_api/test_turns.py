"""One change wakes many waiting calls; they ask the database in turn (connect-api section 11)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from consents.access import AccessContext
from documents.models.document_changes import Wait
from partner_api.waiting import TURNS, Waiting
from tests import factories
from tests.conftest import Cast
from tests.factories import allow

pytestmark = pytest.mark.requirement(56)
CALLS, SECONDS = 40, 15


class Crowd:
    """Calls of one partner that wait; each says how it ended, and how many answered beside it."""

    def __init__(self, people: Cast) -> None:
        self.people = people
        self.access = AccessContext.of_consents({people.consent.pk})[people.consent.pk]
        self.wait = Wait(people.janssens.pk, people.ledgerly.pk, timezone.now())
        self.lock = Lock()
        self.answering = self.most = 0

    def call(self, seconds: int = SECONDS) -> tuple[bool, float]:
        """Whether something changed, and after how many seconds the call answered."""
        begun = time.monotonic()
        try:
            with Waiting(self.people.ledgerly.pk, self.access, seconds) as waiting:
                is_changed = waiting.until_a_change(self.wait)
                with self.lock:
                    self.answering += 1
                    self.most = max(self.most, self.answering)
                with connection.cursor() as cursor:
                    cursor.execute("select pg_sleep(0.02)")
                with self.lock:
                    self.answering -= 1
            assert connection.connection is None
            return is_changed, time.monotonic() - begun
        finally:
            connection.close()

    def fail(self) -> None:
        with Waiting(self.people.ledgerly.pk, self.access, 0) as waiting:
            assert not waiting.until_a_change(self.wait)
            raise RuntimeError("on the way")

    def calls(self, arrives: bool, seconds: int = SECONDS) -> list[tuple[bool, float]]:
        with ThreadPoolExecutor(CALLS) as pool:
            all_of_them = [pool.submit(self.call, seconds) for _ in range(CALLS)]
            if arrives:
                time.sleep(1)
                factories.make_document(self.people.bakery)
            return [one.result(60) for one in all_of_them]


@pytest.fixture
def crowd(people: Cast, settings: Any) -> Crowd:
    settings.PORTAL_WAITS_PER_PARTNER = settings.PORTAL_WAITS_AT_ONCE = CALLS
    allow(people.consent, people.anna)
    return Crowd(people)


def test_those_woken_by_one_change_answer_in_turn_and_all_within_their_wait(crowd: Crowd) -> None:
    ended = crowd.calls(arrives=True)
    assert all(is_changed for is_changed, _seconds in ended)
    assert max(seconds for _changed, seconds in ended) < SECONDS
    assert 1 <= crowd.most <= TURNS


def test_those_whose_time_is_over_at_once_answer_in_turn_as_well(crowd: Crowd) -> None:
    ended = crowd.calls(arrives=False, seconds=1)
    assert not any(is_changed for is_changed, _seconds in ended)
    assert 1 <= crowd.most <= TURNS


def test_a_turn_is_given_on_where_a_call_fails(crowd: Crowd) -> None:
    for _ in range(TURNS + 1):
        with pytest.raises(RuntimeError, match="on the way"):
            crowd.fail()
    begun = time.monotonic()
    assert crowd.call(seconds=0)[0] is False
    assert time.monotonic() - begun < 4
