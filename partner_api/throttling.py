"""How often a partner may call: per partner, never per address, counted in Redis.

When Redis is away the API goes on without a limit and says so in the log: a limit protects the
portal from a runaway program, and must not be a reason to be away.
"""

from __future__ import annotations

import time
from functools import cache

import structlog
from django.conf import settings
from redis import ConnectionPool, Redis
from redis.exceptions import RedisError

from partner_api.errors import too_many_requests

MINUTE = 60
# After a failure Redis is left alone for a while, so that calls do not wait for it one by one.
LEAVE_ALONE = 5.0
# Redis is told at least every so many calls.
MOST = 100
log = structlog.get_logger("api")
_left_alone_until = 0.0


@cache
def _redis() -> Redis:
    waits = {"socket_timeout": 0.25, "socket_connect_timeout": 0.25}
    # Not `Redis.from_url`: of two made by threads at once, the one thrown away closes lines in use.
    return Redis(connection_pool=ConnectionPool.from_url(settings.REDIS_URL, **waits))


class Calls:
    """The calls of each partner in this minute: of all processes as last told, and ours since.

    Redis is asked once for so many calls, not for each (150 µs of CPU): the larger the limit, the
    rarer. A process knows its own calls exactly; those of the others are at most a step late, so a
    limit of n is passed by one part in a hundred of it at most, with four processes.
    """

    def __init__(self, name: str = "calls") -> None:
        self._name = name
        # By partner: the minute, calls that Redis knows of, ours that it does not know yet.
        self._known: dict[int, tuple[int, int, int]] = {}

    def one_more(self, partner_id: int, minute: int, step: int) -> int:
        """Count a call and return how many there were in this minute; raise RedisError."""
        known_minute, told, own = self._known.get(partner_id, (0, 0, 0))
        if known_minute != minute:
            told, own = 0, 0
        own += 1
        # The first of a minute asks as well: others may have used the limit up.
        if own >= step or not told:
            told, own = _tell(f"{self._name}:{partner_id}:{minute}", own), 0
        # Two threads at once may forget a call here, which does no harm.
        self._known[partner_id] = (minute, told, own)
        return told + own


_calls = Calls()
# Counted apart: who takes a token for each call has as many calls as everybody.
_tokens = Calls("tokens")


def count_token(partner_id: int, calls_per_minute: int | None) -> None:
    """Count one token of the partner, which may take as many as it has calls; else raise 429."""
    count_call(partner_id, calls_per_minute, _tokens)


def count_call(partner_id: int, calls_per_minute: int | None, among: Calls = _calls) -> None:
    """Count one call of the partner; raise 429 over its limit, or over everybody's."""
    global _left_alone_until
    limit = calls_per_minute or settings.PORTAL_CALLS_PER_MINUTE
    now = time.time()
    if time.monotonic() < _left_alone_until:
        return
    try:
        count = among.one_more(partner_id, int(now // MINUTE), step_of(limit))
    except RedisError as error:
        _left_alone_until = time.monotonic() + LEAVE_ALONE
        log.warning("limits_off", reason=str(error))
        return
    if count > limit:
        left = MINUTE - int(now % MINUTE)
        raise too_many_requests(left, f"More than {limit} calls in a minute; wait {left} s.")


def step_of(limit: int) -> int:
    """After how many calls of ours Redis is told; every single one where the limit is small."""
    return max(1, min(limit // 400, MOST))


def _tell(key: str, calls: int) -> int:
    pipe = _redis().pipeline(transaction=False)
    pipe.incrby(key, calls)
    pipe.expire(key, 2 * MINUTE)
    return int(pipe.execute()[0])
