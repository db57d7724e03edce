"""What happened to a consent: written once, sealed into the ledger of its office."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from accounts.triggers import erasable
from consents.actors import Actor, ActorKind
from consents.ended import write_down
from consents.evidence import Evidence
from consents.ledger import fingerprint, move_head, next_place, personal_text, seal_of
from consents.signals import consent_moved

if TYPE_CHECKING:
    from consents.models import Consent


class EventKind(models.TextChoices):
    REQUESTED = "requested", _("Requested")
    ALLOWED = "allowed", _("Allowed")
    DENIED = "denied", _("Denied")
    CANCELLED = "cancelled", _("Cancelled")
    LAPSED = "lapsed", _("Request lapsed")
    WITHDRAWN = "withdrawn", _("Withdrawn by the software")
    ASKED = "asked", _("Asked for a decision")
    PAUSED = "paused", _("Paused")
    RESUMED = "resumed", _("Resumed")
    REMINDED = "reminded", _("Reminder sent")
    FIRST_FETCHED = "first_fetched", _("First fetch")
    UNUSED = "unused", _("Not used for 60 days")
    UNUSUAL = "unusual", _("Unusual volume")
    BLOCKED = "blocked", _("Software blocked")
    UNBLOCKED = "unblocked", _("Software unblocked")
    NARROWED = "narrowed", _("Less is shared")
    WIDENED = "widened", _("More is shared")
    TERMS_CHANGED = "terms_changed", _("Terms changed")
    TERMS_REMINDED = "terms_reminded", _("Reminded of the changed terms")
    REACCEPTED = "reaccepted", _("Changed terms accepted")
    REAFFIRMED = "reaffirmed", _("Confirmed again")
    SUSPENDED = "suspended", _("Software suspended")
    REINSTATED = "reinstated", _("Software active again")


# These happen as often as people wish; everything else once in the life of a consent.
REPEATABLE = [
    EventKind.ASKED,
    EventKind.PAUSED,
    EventKind.RESUMED,
    EventKind.REMINDED,
    EventKind.UNUSED,
    EventKind.UNUSUAL,
    EventKind.BLOCKED,
    EventKind.UNBLOCKED,
    EventKind.NARROWED,
    EventKind.WIDENED,
    EventKind.TERMS_CHANGED,
    EventKind.TERMS_REMINDED,
    EventKind.REACCEPTED,
    EventKind.REAFFIRMED,
    EventKind.SUSPENDED,
    EventKind.REINSTATED,
]


class EventManager(models.Manager["ConsentEvent"]):
    def write(
        self,
        consent: Consent,
        kind: EventKind,
        by: Actor,
        *,
        reason: str = "",
        until: datetime | None = None,
        asked: Sequence[int] = (),
        scope: dict[str, Any] | None = None,
        evidence: Evidence | None = None,
    ) -> ConsentEvent:
        """Write an event, its evidence and its place in the office's ledger, in one transaction.

        After the commit the bell rings: who must be told reads the event row.
        """
        # Each move has its transaction already: a savepoint of our own would save nothing.
        with transaction.atomic(savepoint=False):
            place = next_place(consent.office_id)
            event = ConsentEvent(
                consent=consent,
                office_id=consent.office_id,
                number=place.number,
                before=place.before,
                kind=kind,
                at=place.at,
                actor_kind=by.kind,
                actor_name=by.name,
                person=by.person,
                reason=reason,
                until=until,
                asked=list(asked),
                scope=scope,
                salt=secrets.token_hex(16),
            )
            event.personal = fingerprint(event.salt, personal_text(event, evidence))
            event.seal = seal_of(place.before, event, evidence)
            event.save(force_insert=True)
            if evidence is not None:
                evidence.event = event
                evidence.save(force_insert=True)
            move_head(consent.office_id, place, event.seal)
            ring = partial(consent_moved.send_robust, ConsentEvent, event_id=event.pk)
            if kind == EventKind.CANCELLED:
                transaction.on_commit(lambda: write_down(consent.uuid), robust=True)
            transaction.on_commit(ring)
        return event


class ConsentEvent(models.Model):
    """What happened to a consent, by whom and when: written once, in the move's transaction.

    `number`, `before` and `seal` are its place in the ledger of the office; see consents.ledger.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    consent = models.ForeignKey("consents.Consent", models.PROTECT, related_name="events")
    kind = models.CharField(max_length=16, choices=EventKind.choices)
    at = models.DateTimeField(editable=False)
    actor_kind = models.CharField(max_length=8, choices=ActorKind.choices)
    actor_name = models.CharField(max_length=200, blank=True)
    person = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=500, blank=True, default="")
    until = models.DateTimeField(null=True)
    # Whom a colleague asked for a decision; empty for all Admins.
    asked = ArrayField(models.BigIntegerField(), default=list)
    # Which kinds and companies are shared, or are not, from here on.
    scope = models.JSONField(null=True)
    office = models.ForeignKey("accounts.Office", models.PROTECT, related_name="events")
    # The fingerprint of the names and words in it; without the salt they are erased.
    salt = models.CharField(max_length=32, blank=True)
    personal = models.CharField(max_length=64)
    number = models.BigIntegerField()
    before = models.CharField(max_length=64, blank=True)
    seal = models.CharField(max_length=64)

    objects: ClassVar[EventManager] = EventManager()

    class Meta:
        constraints = [
            # One decision gives one event, whatever the code does.
            models.UniqueConstraint(
                fields=["consent", "kind"],
                condition=~models.Q(kind__in=REPEATABLE),
                name="consents_consentevent_once",
            ),
            models.UniqueConstraint(
                fields=["office", "number"], name="consents_consentevent_place"
            ),
        ]
        triggers = erasable(
            "events",
            "OLD.person_id is not null AND OLD.salt <> '' AND NEW.salt = '' AND NEW.reason = ''"
            " AND NEW.actor_name = 'Person ' || OLD.person_id",
            "salt, reason, actor_name",
        )

    def __str__(self) -> str:
        return f"{self.kind} · {self.at:%Y-%m-%d %H:%M}"
