"""Hears the bell that every event of a consent rings after its commit, and wakes a worker."""

from __future__ import annotations

from typing import Any

import structlog
from django.dispatch import receiver

from consents.signals import consent_moved
from notifications.tasks import fan_out

log = structlog.get_logger(__name__)


@receiver(consent_moved)
def wake(sender: Any, event_id: int, **kwargs: Any) -> None:
    """Only a wake-up call: what nobody hears is found by the sweep, in the event rows."""
    try:
        fan_out.delay(event_id)
    except OSError as error:
        log.warning("worker_not_woken", event=event_id, reason=type(error).__name__)
