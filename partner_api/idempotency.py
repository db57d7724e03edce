"""Idempotency keys (connect-api section 8): the same key and body act once, ever so parallel."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models.functions import Now
from django.http import HttpRequest

from partner_api.errors import Fault, invalid, refused
from partner_api.models import IdempotencyRecord

KEPT_FOR = timedelta(hours=24)
LONGEST_KEY = 255


class Kept(NamedTuple):
    """What is kept of an answer, and repeated."""

    status: int
    answer: bytes


def once(request: HttpRequest, body: bytes, partner_id: int, act: Callable[[], Kept]) -> Kept:
    """Act, or repeat what the same key and body did within 24 hours.

    What was done and the record of it are one transaction: after a crash in between there is
    neither. Only what succeeded is kept; a refusal did nothing, so it may be tried again.
    """
    key = request.headers.get("Ibanity-Idempotency-Key", "").strip()
    if not key:
        return act()
    if len(key) > LONGEST_KEY:
        raise invalid(
            Fault("invalidParameter", "Ibanity-Idempotency-Key has more than 255 characters.")
        )
    target = f"{request.method} {request.path}"
    digest = hashlib.sha256(body).hexdigest()
    with transaction.atomic():
        # The second of two at the same moment waits here for the first.
        with connection.cursor() as cursor:
            cursor.execute(
                "select pg_advisory_xact_lock(hashtextextended(%s, 0))",
                [f"{partner_id} {target} {key}"],
            )
        mine = IdempotencyRecord.objects.filter(partner_id=partner_id, target=target, key=key)
        known = mine.filter(created_at__gt=Now() - KEPT_FOR).first()
        if known is None:
            done = act()
            mine.delete()
            mine.create(
                partner_id=partner_id,
                target=target,
                key=key,
                body_sha256=digest,
                status=done.status,
                answer=done.answer,
            )
            return done
    if known.body_sha256 != digest:
        raise refused(
            409, "idempotencyConflict", "This idempotency key was used with another body."
        )
    return Kept(known.status, bytes(known.answer))


def forget_old_records() -> int:
    """Delete what is older than 24 hours; return how many."""
    return IdempotencyRecord.objects.filter(created_at__lte=Now() - KEPT_FOR).delete()[0]
