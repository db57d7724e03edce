"""Office events: what happened to the people and settings of an office, written once."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from accounts.signals import office_event_written
from core.triggers import erasable

if TYPE_CHECKING:
    from accounts.models import Office, User


class OfficeEventKind(models.TextChoices):
    INVITED = "invited"
    INVITED_AGAIN = "invited_again"
    REVOKED = "revoked"
    JOINED = "joined"
    ROLE_CHANGED = "role_changed"
    REMOVED = "removed"
    LEFT = "left"
    EMAIL_CHANGED = "email_changed"
    FACTOR_ASKED = "factor_asked"
    FACTOR_FREE = "factor_free"
    FACTOR_RESET = "factor_reset"
    RENUMBERED = "renumbered"
    CLOSED = "closed"


class OfficeEventManager(models.Manager["OfficeEvent"]):
    def write(
        self,
        office: Office,
        kind: OfficeEventKind,
        by: User,
        *,
        email: str,
        role: str,
        person: User | None = None,
        by_name: str = "",
    ) -> OfficeEvent:
        """Write who did what to whom; names are copied, so that later changes cannot touch them.

        In the same transaction `office_event_written` is sent.
        """
        event = self.create(
            office=office,
            kind=kind,
            by=by,
            by_name=(by_name or str(by))[:120],
            person=person,
            email=email,
            role=role,
        )
        office_event_written.send(OfficeEvent, event=event)
        return event


class OfficeEvent(models.Model):
    """Something that `by` did to the people or the settings of an office."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    office = models.ForeignKey("accounts.Office", models.PROTECT, related_name="office_events")
    kind = models.CharField(max_length=13, choices=OfficeEventKind.choices)
    at = models.DateTimeField(db_default=Now(), editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    by_name = models.CharField(max_length=120)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    email = models.EmailField()
    role = models.CharField(max_length=5)

    objects: ClassVar[OfficeEventManager] = OfficeEventManager()

    class Meta:
        indexes = [models.Index(fields=["office", "-id"], name="accounts_event_of_office")]
        triggers = erasable(
            "office_events",
            "(NEW.by_name = OLD.by_name OR NEW.by_name = 'Person ' || OLD.by_id)"
            " AND (NEW.email = OLD.email OR NEW.email ~ '^person-[0-9]+@erased.invalid$')",
            "by_name, email",
        )

    def __str__(self) -> str:
        return f"{self.kind} · {self.email}"
