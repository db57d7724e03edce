"""A mail that waits: a row, written with what it tells, sent by a worker until it is taken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import models, transaction
from django.db.models.functions import Now

# After that a mail is no news any more; a mail server may be away that long.
GIVE_UP_AFTER = timedelta(hours=72)


def wake_after_commit(task: Any, key: int) -> None:
    """Wake a worker; where Redis is away the sweep finds it. (Django cannot name a partial.)"""
    transaction.on_commit(lambda: task.delay(key) and None, robust=True)


class OutgoingQuerySet(models.QuerySet[Any]):
    def open(self) -> OutgoingQuerySet:
        """Neither sent nor given up."""
        return self.filter(sent_at=None, given_up_at=None)

    def due(self) -> OutgoingQuerySet:
        return self.open().filter(next_at__lte=Now())

    def send(self, key: int, post: Callable[[Any], bool | None], *related: str) -> None:
        """Send one unless it went, or another worker has it in hands.

        `post` tells whether the mail server took it; None when it is no news any more.
        """
        with transaction.atomic():
            waiting = self.due().select_for_update(skip_locked=True, of=("self",))
            mail = waiting.select_related(*related).filter(pk=key).first()
            if mail is None:
                return
            taken = post(mail)
            if taken is None:
                mail.give_up()
            else:
                mail.sent() if taken else mail.failed()

    def sweep(self, send: Callable[[int], None]) -> None:
        """Send what nobody woke a worker for, and what waited for a mail server."""
        for key in self.due().order_by("next_at").values_list("pk", flat=True)[:1000]:
            send(key)


class Outgoing(models.Model):
    """What every mail that waits has in common."""

    made_at = models.DateTimeField(db_default=Now(), editable=False)
    next_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=models.Q(sent_at=None) | models.Q(given_up_at=None),
                name="%(app_label)s_%(class)s_ends_once",
            )
        ]
        indexes = [
            models.Index(
                fields=["next_at"],
                condition=models.Q(sent_at=None, given_up_at=None),
                name="%(app_label)s_%(class)s_due",
            )
        ]

    def _row(self) -> models.QuerySet[Any]:
        return type(self)._default_manager.filter(pk=self.pk)

    def sent(self) -> None:
        self._row().update(sent_at=Now(), attempts=self.attempts + 1)

    def failed(self) -> None:
        """Try again later: after 1, 2, 4 … 64 minutes, and so on for three days."""
        wait = timedelta(minutes=2 ** min(self.attempts, 6))
        self._row().update(attempts=self.attempts + 1, next_at=Now() + wait)
        self._row().filter(made_at__lte=Now() - GIVE_UP_AFTER).update(given_up_at=Now())

    def give_up(self) -> None:
        """Nothing is to be told any more."""
        self._row().update(given_up_at=Now())
