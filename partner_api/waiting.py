"""Calls that wait for a change (connect-api section 11).

A waiting call keeps a thread of the web server, so there are fewer places to wait than threads, and
a partner gets ten. It keeps no connection to the database: one thread of the process looks for all.
One change may wake them all, so they answer in turn: few have a connection at the same time.
"""

from __future__ import annotations

import time
from threading import BoundedSemaphore, Event, Lock, Thread
from types import TracebackType
from typing import Self
from uuid import uuid4

import structlog
from django.conf import settings
from django.db import connection
from redis.exceptions import RedisError

from consents.access import AccessContext
from core.streams import Slot, Slots
from documents.models.document_changes import Wait, changed
from partner_api.errors import too_many_requests
from partner_api.hot_path.rate_limit import redis_client

# How often the database is asked, in seconds.
LOOK_EVERY = 0.5
# How many calls of a process answer at the same time after they waited. A call that gets no turn
# within so many seconds answers anyway.
TURNS, LONGEST_FOR_A_TURN = 4, 5
# When a call for which there is no place may try again, and how long the place of a killed process
# still counts; in seconds.
TRY_AGAIN, GRACE = 5, 5
TOO_MANY = "Too many calls of your software wait at the same time; end one, then try again."
NO_PLACE = "No more calls can wait now; ask without wait, or try again."
log = structlog.get_logger("api")
_turns = BoundedSemaphore(TURNS)
_places = Slots("PORTAL_WAITS_AT_ONCE", "PORTAL_WAITS_PER_PARTNER")


class Waiting:
    """The place of one call that waits at most `seconds`; raises ApiError 429 without one.

    After `until_a_change` returns, the call has a turn, until it waits again or leaves.
    """

    def __init__(self, partner_id: int, access: AccessContext, seconds: int) -> None:
        self.partner_id, self.access = partner_id, access
        self.ends = time.monotonic() + seconds
        self.changed = Event()
        self._count = _PartnerCount(partner_id, seconds)
        self._slot: Slot | None = None
        self._has_turn = False

    def __enter__(self) -> Self:
        if not self._count.enter():
            raise too_many_requests(TRY_AGAIN, TOO_MANY)
        self._slot = _places.take(self.partner_id)
        if self._slot is None:
            self._count.leave()
            raise too_many_requests(TRY_AGAIN, NO_PLACE)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end_turn()
        if self._slot is not None:
            self._slot.release()
        self._count.leave()

    def until_a_change(self, wait: Wait) -> bool:
        """Wait until something may have changed, also access; False when the time is over."""
        self._end_turn()
        self.changed.clear()
        _watcher.add(self, wait)
        try:
            is_changed = self.changed.wait(max(self.ends - time.monotonic(), 0))
        finally:
            _watcher.remove(self)
        self._has_turn = _turns.acquire(timeout=LONGEST_FOR_A_TURN)
        return is_changed

    def _end_turn(self) -> None:
        """Give the turn to the next call, and with it the connection to the database."""
        if not connection.in_atomic_block:
            connection.close()
        if self._has_turn:
            self._has_turn = False
            _turns.release()


class _PartnerCount:
    """How many calls of a partner wait in all processes. Without Redis there is no such limit."""

    def __init__(self, partner_id: int, seconds: int) -> None:
        self._key, self._name = f"waits:{partner_id}", str(uuid4())
        self._seconds = seconds + GRACE

    def enter(self) -> bool:
        now = time.time()
        try:
            pipe = redis_client().pipeline(transaction=True)
            # What a killed process left behind.
            pipe.zremrangebyscore(self._key, 0, now)
            pipe.zadd(self._key, {self._name: now + self._seconds})
            pipe.zcard(self._key)
            pipe.expire(self._key, self._seconds)
            count = int(pipe.execute()[2])
        except RedisError as error:
            log.warning("waits_not_counted", reason=str(error))
            return True
        if count > settings.PORTAL_WAITS_PER_PARTNER:
            self.leave()
            return False
        return True

    def leave(self) -> None:
        try:
            redis_client().zrem(self._key, self._name)
        except RedisError as error:
            log.warning("waits_not_counted", reason=str(error))


class _Watcher:
    """One thread that asks for all waiting calls of this process; it ends when nobody waits."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: dict[Waiting, Wait] = {}
        self._runs = False

    def add(self, waiting: Waiting, wait: Wait) -> None:
        with self._lock:
            self._waiting[waiting] = wait
            if not self._runs:
                self._runs = True
                Thread(target=self._run, name="waiting calls", daemon=True).start()

    def remove(self, waiting: Waiting) -> None:
        with self._lock:
            self._waiting.pop(waiting, None)

    def _run(self) -> None:
        while True:
            time.sleep(LOOK_EVERY)
            with self._lock:
                waiting = dict(self._waiting)
                if not waiting:
                    self._runs = False
                    break
            try:
                woken = _to_be_woken(waiting)
            except Exception:
                # Wake them all: each repeats its query and meets the error itself.
                log.exception("waiting_calls_crash")
                connection.close()
                woken = list(waiting)
            for one in woken:
                one.changed.set()
        connection.close()


def _to_be_woken(waiting: dict[Waiting, Wait]) -> list[Waiting]:
    """Those with a change, and those whose access has ended."""
    connection.close_if_unusable_or_obsolete()
    calls = list(waiting)
    places = changed(list(waiting.values()))
    now = AccessContext.of_consents({one.access.consent_id for one in calls})
    return [
        one
        for place, one in enumerate(calls)
        if place in places or now[one.access.consent_id].denial_reason() is not None
    ]


_watcher = _Watcher()
