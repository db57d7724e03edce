"""The outbox: every e-mail that the portal sends is a row here first."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

# A mail server may be away that long. Later the e-mail is too old to be useful.
GIVE_UP_AFTER = timedelta(hours=72)


def random_key() -> str:
    return str(uuid.uuid4())


class OutgoingEmailQuerySet(models.QuerySet["OutgoingEmail"]):
    def open(self) -> OutgoingEmailQuerySet:
        """The e-mails that are neither sent nor given up."""
        return self.filter(sent_at=None, given_up_at=None)

    def due(self) -> OutgoingEmailQuerySet:
        """The e-mails that may be tried now."""
        return self.open().filter(next_attempt_at__lte=Now())


class OutgoingEmail(models.Model):
    """One e-mail to one mailbox, written in the transaction of the change that it reports.

    The row contains no secret and no text. `context` has the ids from which the function registered
    for `message` (see mailer.messages) makes the text and the links at the moment of sending.
    """

    # The event and the person, if there are any: nobody gets two e-mails about one event. It
    # is also the Message-ID, so that a mailbox which receives one e-mail twice shows it once.
    dedupe_key = models.CharField(max_length=100, unique=True, default=random_key, editable=False)
    message = models.CharField(max_length=40)
    recipient = models.EmailField()
    # Empty means the language of the portal.
    language = models.CharField(max_length=2, blank=True)
    context = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    next_attempt_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)

    objects: ClassVar[OutgoingEmailQuerySet] = OutgoingEmailQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(sent_at=None) | models.Q(given_up_at=None),
                name="mailer_outgoingemail_ends_once",
            )
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(sent_at=None, given_up_at=None),
                name="mailer_outgoingemail_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.message} {self.dedupe_key}"

    def mark_sent(self) -> None:
        self._row().update(sent_at=Now(), attempts=self.attempts + 1)

    def mark_failed(self) -> None:
        """Try again after 1, 2, 4 … 64 minutes, then every 64 minutes; give up after three days."""
        wait = timedelta(minutes=2 ** min(self.attempts, 6))
        self._row().update(attempts=self.attempts + 1, next_attempt_at=Now() + wait)
        self._row().filter(created_at__lte=Now() - GIVE_UP_AFTER).update(given_up_at=Now())

    def give_up(self) -> None:
        """Stop trying: the e-mail is no longer needed."""
        self._row().update(given_up_at=Now())

    def _row(self) -> OutgoingEmailQuerySet:
        return OutgoingEmail.objects.filter(pk=self.pk)
