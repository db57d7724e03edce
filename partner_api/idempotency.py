"""Idempotency keys (connect-api section 8): the same key and body act once, also in parallel."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models.functions import Now
from django.http import HttpRequest

from core.locks import retry_deadlock
from core.purges import delete_in_batches
from partner_api.errors import Fault, invalid, refused
from partner_api.models import IdempotencyRecord

STORED_FOR = timedelta(hours=24)
LONGEST_KEY = 255


class StoredAnswer(NamedTuple):
    """The part of an answer that is stored under an idempotency key and sent again."""

    status: int
    body: bytes


@retry_deadlock
def run_once(
    request: HttpRequest, body: bytes, partner_id: int, act: Callable[[], StoredAnswer]
) -> StoredAnswer:
    """Call `act`, or return the stored answer of the same key and body within 24 hours.

    The work and its record are one transaction, so a crash in between leaves neither. Only a
    success is stored; a refusal changed nothing, so software may try again.
    """
    key = request.META.get("HTTP_IBANITY_IDEMPOTENCY_KEY", "").strip()
    if not key:
        return act()
    if len(key) > LONGEST_KEY:
        raise invalid(
            Fault("invalidParameter", "Ibanity-Idempotency-Key must have at most 255 characters.")
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
        known = mine.filter(created_at__gt=Now() - STORED_FOR).first()
        if known is None:
            done = act()
            mine.delete()
            mine.create(
                partner_id=partner_id,
                target=target,
                key=key,
                body_sha256=digest,
                status=done.status,
                answer=done.body,
            )
            return done
    if known.body_sha256 != digest:
        raise refused(
            409, "idempotencyConflict", "Ibanity-Idempotency-Key was used with another body."
        )
    return StoredAnswer(known.status, bytes(known.answer))


def forget_old_records() -> int:
    """Delete the records that are older than 24 hours; return how many there were."""
    return delete_in_batches(IdempotencyRecord.objects.filter(created_at__lte=Now() - STORED_FOR))
