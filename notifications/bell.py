"""Hears the bells that events ring after their commit, and wakes a worker."""

from __future__ import annotations

from typing import Any

import structlog
from django.dispatch import receiver

from clients.signals import client_told
from consents.signals import consent_moved
from notifications.tasks import fan_out, fan_out_company

log = structlog.get_logger(__name__)


@receiver(consent_moved)
def wake(sender: Any, event_id: int, **kwargs: Any) -> None:
    _wake(fan_out, event_id)


@receiver(client_told)
def wake_for_company(sender: Any, event_id: int, **kwargs: Any) -> None:
    _wake(fan_out_company, event_id)


def _wake(task: Any, event_id: int) -> None:
    """Only a wake-up call: what nobody hears is found by the sweep, in the event rows."""
    try:
        task.delay(event_id)
    except OSError as error:
        log.warning("worker_not_woken", event=event_id, reason=type(error).__name__)
