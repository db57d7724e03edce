"""How often a partner may call: counted per partner, never per address, in Redis.

When Redis is away the API goes on without a limit and writes that to the log. A limit protects the
portal from a runaway program, so it must not be a reason for the API to be away.
"""

from __future__ import annotations

import time
from functools import cache
from typing import NamedTuple

import structlog
from django.conf import settings
from redis import ConnectionPool, Redis
from redis.exceptions import RedisError

MINUTE = 60
# After a failure Redis is left alone for some seconds, so that calls do not wait for it one by one.
PAUSE_AFTER_FAILURE = 5.0
# A process counts at most so many calls by itself before it adds them to the count in Redis.
LONGEST_STEP = 100
log = structlog.get_logger("api")
_paused_until = 0.0


@cache
def redis_client() -> Redis:
    timeouts = {"socket_timeout": 0.25, "socket_connect_timeout": 0.25}
    # `Redis.from_url` is not safe here: when two threads make one at once, the one that is thrown
    # away closes connections that are in use.
    return Redis(connection_pool=ConnectionPool.from_url(settings.REDIS_URL, **timeouts))


class CallCounter:
    """The calls of each partner in this minute, of all processes together.

    Redis is asked once for a step of calls, not for each call (150 µs of CPU); the step grows with
    the limit. A process knows its own calls exactly and those of the others one step late. With
    four processes a limit is therefore exceeded by one per cent at most.
    """

    def __init__(self, name: str = "calls") -> None:
        self.name = name
        # By partner: the minute, the count in Redis, and our calls that Redis does not know yet.
        self._counts: dict[int, tuple[int, int, int]] = {}

    def add_one(self, partner_id: int, minute: int, step: int) -> int:
        """Count a call and return how many there were in this minute; raise RedisError."""
        counted_minute, in_redis, own = self._counts.get(partner_id, (0, 0, 0))
        if counted_minute != minute:
            in_redis, own = 0, 0
        own += 1
        # The first call of a minute asks as well: other processes may have used up the limit.
        if own >= step or not in_redis:
            in_redis, own = _add_in_redis(f"{self.name}:{partner_id}:{minute}", own), 0
        # Two threads at once may lose a call here, which does no harm.
        self._counts[partner_id] = (minute, in_redis, own)
        return in_redis + own


class RateLimit(NamedTuple):
    """One limit as a call finds it; `headers` tell it to the caller (IETF draft RateLimit)."""

    name: str
    limit: int
    counted: int
    # Until the count starts again at zero.
    seconds: int

    @property
    def headers(self) -> dict[str, str]:
        left = max(self.limit - self.counted, 0)
        return {
            "RateLimit-Policy": f'"{self.name}";q={self.limit};w={MINUTE}',
            "RateLimit": f'"{self.name}";r={left};t={self.seconds}',
        }

    @property
    def is_exceeded(self) -> bool:
        return self.counted > self.limit

    @property
    def sentence(self) -> str:
        return f"More than {self.limit} {self.name} in a minute; wait {self.seconds} s."


_calls = CallCounter("calls")
# Tokens have a count of their own: software that takes a token for each call keeps all its calls.
_tokens = CallCounter("tokens")


def count_call(partner_id: int, calls_per_minute: int | None) -> RateLimit:
    """Count one call of the partner, which has its own limit or the portal's."""
    return _count(_calls, partner_id, calls_per_minute)


def count_token(partner_id: int, calls_per_minute: int | None) -> RateLimit:
    """Count one access token of the partner; as many as calls are allowed."""
    return _count(_tokens, partner_id, calls_per_minute)


def uncounted() -> RateLimit:
    """The portal's own limit, for an answer to somebody who is not known."""
    return RateLimit("calls", settings.PORTAL_CALLS_PER_MINUTE, 0, _seconds_left(time.time()))


def _count(counter: CallCounter, partner_id: int, calls_per_minute: int | None) -> RateLimit:
    global _paused_until
    limit = calls_per_minute or settings.PORTAL_CALLS_PER_MINUTE
    now = time.time()
    count = 0
    if time.monotonic() >= _paused_until:
        try:
            count = counter.add_one(partner_id, int(now // MINUTE), step_of(limit))
        except RedisError as error:
            _paused_until = time.monotonic() + PAUSE_AFTER_FAILURE
            log.warning("limits_off", reason=str(error))
    return RateLimit(counter.name, limit, count, _seconds_left(now))


def _seconds_left(now: float) -> int:
    return MINUTE - int(now % MINUTE)


def step_of(limit: int) -> int:
    """How many calls a process counts before it asks Redis; 1 where the limit is small."""
    return max(1, min(limit // 400, LONGEST_STEP))


def _add_in_redis(key: str, calls: int) -> int:
    pipe = redis_client().pipeline(transaction=False)
    pipe.incrby(key, calls)
    pipe.expire(key, 2 * MINUTE)
    return int(pipe.execute()[0])
