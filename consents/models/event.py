"""What happened to a consent: written once, in the hash chain of its office."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from consents.actors import Actor, ActorKind
from consents.ended_register import TOPICS, Line, register
from consents.models.evidence import Evidence
from consents.models.hash_chain import (
    event_hash_of,
    fingerprint,
    move_head,
    next_place,
    personal_text,
)
from consents.models.listed_client import ListedClient
from consents.signals import consent_event_written
from core.triggers import erasable

if TYPE_CHECKING:
    from consents.models import Consent


class EventKind(models.TextChoices):
    REQUESTED = "requested", _("Requested")
    ALLOWED = "allowed", _("Allowed")
    DENIED = "denied", _("Denied")
    CANCELLED = "cancelled", _("Cancelled")
    LAPSED = "lapsed", _("Request lapsed")
    WITHDRAWN = "withdrawn", _("Withdrawn by the software")
    ASKED = "asked", _("Decision requested")
    PAUSED = "paused", _("Paused")
    RESUMED = "resumed", _("Resumed")
    REMINDED = "reminded", _("Reminder sent")
    FIRST_FETCHED = "first_fetched", _("First download")
    UNUSED = "unused", _("Not used for 60 days")
    UNUSUAL = "unusual", _("Unusually many downloads")
    BLOCKED = "blocked", _("Software blocked")
    UNBLOCKED = "unblocked", _("Software unblocked")
    NARROWED = "narrowed", _("Sharing reduced")
    WIDENED = "widened", _("Sharing extended")
    TERMS_CHANGED = "terms_changed", _("Terms changed")
    TERMS_REMINDED = "terms_reminded", _("Reminder about changed terms sent")
    REACCEPTED = "reaccepted", _("Changed terms accepted")
    REAFFIRMED = "reaffirmed", _("Reconfirmed")
    SUSPENDED = "suspended", _("Software suspended")
    REINSTATED = "reinstated", _("Software active again")


# These can happen again and again; every other kind happens once in the life of a consent.
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
        """Write an event, its evidence and its place in the hash chain, in one transaction.

        After the commit the signal `consent_event_written` is sent; notifications/receivers.py
        listens, for e-mails and webhooks.
        """
        # Each move has its transaction already: a savepoint of our own would save nothing.
        with transaction.atomic(savepoint=False):
            place = next_place(consent.office_id)
            event = ConsentEvent(
                consent=consent,
                office_id=consent.office_id,
                number=place.number,
                previous_hash=place.previous_hash,
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
            event.personal_hash = fingerprint(event.salt, personal_text(event, evidence))
            event.event_hash = event_hash_of(place.previous_hash, event, evidence)
            event.save(force_insert=True)
            if evidence is not None:
                evidence.event = event
                evidence.save(force_insert=True)
            move_head(consent.office_id, place, event.event_hash)
            send = partial(consent_event_written.send_robust, ConsentEvent, event_id=event.pk)
            if kind in TOPICS:
                line = line_of(event)
                transaction.on_commit(lambda: register(line), robust=True)
            transaction.on_commit(send)
        return event


class ConsentEvent(models.Model):
    """What happened to a consent, by whom and when: written once, in the transaction of the change.

    `number`, `previous_hash` and `event_hash` are its place in the hash chain of the office.
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
    # The hash of the names and words in it. Without the salt nobody can find them by trying.
    salt = models.CharField(max_length=32, blank=True)
    personal_hash = models.CharField(max_length=64)
    number = models.BigIntegerField()
    previous_hash = models.CharField(max_length=64, blank=True)
    event_hash = models.CharField(max_length=64)

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


def line_of(event: ConsentEvent) -> Line:
    """The line of an event in the register of ended consents; a scope is written as it is now."""
    consent = event.consent
    state: dict[str, Any] = {}
    if event.kind == EventKind.PAUSED:
        state = {"until": event.until and event.until.astimezone(UTC).isoformat()}
    elif TOPICS[event.kind] == "scope":
        listed = ListedClient.objects.filter(consent=consent).order_by("client")
        state = {
            "kinds": consent.excluded_kinds,
            "allowlist": consent.allowlist_mode,
            "clients": [str(uuid) for uuid in listed.values_list("client__uuid", flat=True)],
        }
    return Line(
        at=event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        kind=str(event.kind),
        event=str(event.uuid),
        consent=str(consent.uuid),
        office=str(event.office.uuid),
        partner=str(consent.partner.uuid),
        state=state,
    )
