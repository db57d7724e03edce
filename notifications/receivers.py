"""Receive the signals of `consents`, `clients` and `documents`.

A receiver of an event queues, after the commit, the task that fans the event out
(notifications/fan_out.py).
"""

from __future__ import annotations

from typing import Any

import structlog
from django.dispatch import receiver

from clients.signals import client_event_written
from consents.signals import consent_event_written
from documents.signals import documents_filed
from notifications.documents_available import note_filed_documents
from notifications.fan_out import fan_out, fan_out_company

log = structlog.get_logger(__name__)


@receiver(consent_event_written)
def wake_for_consent(sender: Any, event_id: int, **kwargs: Any) -> None:
    _wake(fan_out, event_id)


@receiver(client_event_written)
def wake_for_company(sender: Any, event_id: int, **kwargs: Any) -> None:
    _wake(fan_out_company, event_id)


@receiver(documents_filed)
def note_documents(sender: Any, filed: Any, **kwargs: Any) -> None:
    note_filed_documents(filed)


def _wake(task: Any, event_id: int) -> None:
    """Queue the task for a worker. While Redis is down, `tasks.sweep` finds the event later."""
    try:
        task.delay(event_id)
    except OSError as error:
        log.warning("worker_not_woken", event=event_id, reason=type(error).__name__)
