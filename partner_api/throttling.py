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
log = structlog.get_logger("api")
_left_alone_until = 0.0


@cache
def _redis() -> Redis:
    waits = {"socket_timeout": 0.25, "socket_connect_timeout": 0.25}
    # Not `Redis.from_url`: of two made by threads at once, the one thrown away closes lines in use.
    return Redis(connection_pool=ConnectionPool.from_url(settings.REDIS_URL, **waits))


def count_call(partner_id: int, calls_per_minute: int | None) -> None:
    """Count one call of the partner; raise 429 over its limit, or over everybody's."""
    limit = calls_per_minute or settings.PORTAL_CALLS_PER_MINUTE
    now = time.time()
    if _calls_in(partner_id, int(now // MINUTE)) > limit:
        left = MINUTE - int(now % MINUTE)
        raise too_many_requests(left, f"More than {limit} calls in a minute; wait {left} s.")


def _calls_in(partner_id: int, minute: int) -> int:
    global _left_alone_until
    if time.monotonic() < _left_alone_until:
        return 0
    key = f"calls:{partner_id}:{minute}"
    try:
        pipe = _redis().pipeline(transaction=False)
        pipe.incr(key)
        pipe.expire(key, 2 * MINUTE)
        return int(pipe.execute()[0])
    except RedisError as error:
        _left_alone_until = time.monotonic() + LEAVE_ALONE
        log.warning("limits_off", reason=str(error))
        return 0
