"""How many enterprise numbers a partner may try that no office here has.

Somebody who tries number after number would learn which offices there are. So, when the budget of
an hour is used up, every number that the partner did not ask before is refused, known or not.
When Redis is away nothing is counted.
"""

from __future__ import annotations

import time

from django.core.cache import cache

from partner_api.errors import too_many_requests

UNKNOWN_NUMBERS_AN_HOUR = 100
HOUR = 3600


def _key(partner_id: int) -> str:
    return f"unknown-numbers:{partner_id}:{int(time.time() // HOUR)}"


def refuse_after_many_unknown_numbers(partner_id: int) -> None:
    """Raise ApiError 429 when the partner used up its budget of this hour."""
    if cache.get(_key(partner_id), 0) >= UNKNOWN_NUMBERS_AN_HOUR:
        raise too_many_requests(
            HOUR - int(time.time() % HOUR),
            "You asked for too many enterprise numbers that no office here has; try again later.",
        )


def count_unknown_number(partner_id: int) -> None:
    if not cache.add(_key(partner_id), 1, timeout=HOUR):
        cache.incr(_key(partner_id))
