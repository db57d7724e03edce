"""May this partner see this office's clients? The consent, its four statuses and their proof."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar, NamedTuple

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import LANGUAGES, Office, Role, User
from accounts.triggers import append_only
from consents.access import Refusal, Standing
from consents.activity import ConsentActivity
from consents.actors import Actor, ActorKind
from consents.blocks import Block
from consents.events import ConsentEvent, EventKind
from consents.evidence import Evidence
from consents.ledger import LedgerHead
from consents.querysets import ConsentManager, TermsQuerySet
from consents.scope import ListedClient
from consents.seen import Seen
from partners.models import DocumentKind, Partner

__all__ = [
    "Block",
    "Consent",
    "ConsentActivity",
    "ConsentEvent",
    "EventKind",
    "Evidence",
    "LedgerHead",
    "ListedClient",
    "Seen",
    "Terms",
]


class Status(models.TextChoices):
    TO_BE_DETERMINED = "to_be_determined", _("To be determined")
    ALLOWED = "allowed", _("Allowed")
    DENIED = "denied", _("Denied")
    CANCELLED = "cancelled", _("Cancelled")


class ClosedReason(models.TextChoices):
    """Why a request ended without an answer; it stays *To be determined*."""

    LAPSED = "lapsed", _("Request lapsed")
    WITHDRAWN = "withdrawn", _("Withdrawn by the software")


class Step(NamedTuple):
    """One arrow of the status diagram; `by` says who may walk it."""

    source: Status
    target: Status
    by: frozenset[ActorKind]


PERSON_ONLY = frozenset({ActorKind.PERSON})
ALL_BUT_THE_CLOCK = frozenset(ActorKind) - {ActorKind.CLOCK}
TRANSITIONS = {
    EventKind.ALLOWED: Step(Status.TO_BE_DETERMINED, Status.ALLOWED, PERSON_ONLY),
    EventKind.DENIED: Step(Status.TO_BE_DETERMINED, Status.DENIED, PERSON_ONLY),
    EventKind.CANCELLED: Step(Status.ALLOWED, Status.CANCELLED, ALL_BUT_THE_CLOCK),
}


class DecisionConflict(Exception):
    """Somebody else decided first; `consent` was read again and says what."""

    def __init__(self, consent: Consent) -> None:
        super().__init__(f"consent is {consent.status}")
        self.consent = consent


class NotAnAdmin(Exception):
    """The person is not, or no longer, an Admin of the consent's office."""


class Terms(models.Model):
    """One version of the terms in one language. A published text never changes."""

    version = models.PositiveIntegerField()
    language = models.CharField(max_length=2, choices=LANGUAGES)
    body = models.TextField()
    sha256 = models.CharField(max_length=64, editable=False)
    material = models.BooleanField(default=False, db_default=False)  # see consents.reacceptance
    published_at = models.DateTimeField(db_default=Now())
    effective_at = models.DateTimeField(db_default=Now())

    objects = TermsQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "terms"
        constraints = [
            models.UniqueConstraint(
                fields=["version", "language"], name="consents_terms_one_per_language"
            ),
        ]
        triggers = append_only("terms")

    def __str__(self) -> str:
        return f"{self.version} ({self.language})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.sha256 = hashlib.sha256(self.body.encode()).hexdigest()
        super().save(*args, **kwargs)


class Consent(models.Model):
    """One office, one partner, one decision."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    office = models.ForeignKey(Office, models.PROTECT, related_name="consents")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="consents")
    status = models.CharField(
        max_length=16, choices=Status.choices, default=Status.TO_BE_DETERMINED, editable=False
    )
    requested_at = models.DateTimeField(db_default=Now(), editable=False)
    lapses_at = models.DateTimeField()
    redirect_uri = models.TextField(blank=True, default="")
    state = models.CharField(max_length=500, blank=True, default="")
    decided_at = models.DateTimeField(null=True, editable=False)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    terms = models.ForeignKey(Terms, models.PROTECT, null=True, related_name="+")
    cancelled_at = models.DateTimeField(null=True, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    closed_reason = models.CharField(
        max_length=9, choices=ClosedReason.choices, blank=True, default=""
    )
    paused_at = models.DateTimeField(null=True)
    paused_until = models.DateTimeField(null=True)
    reaccept_by = models.DateTimeField(null=True)
    # What the office leaves out; see consents.scope. The number grows with every change.
    excluded_kinds = ArrayField(
        models.CharField(max_length=24, choices=DocumentKind.choices), default=list, db_default=[]
    )
    only_listed = models.BooleanField(default=False, db_default=False)
    scope_number = models.PositiveIntegerField(default=0, db_default=0)

    objects: ClassVar[ConsentManager] = ConsentManager()

    # The moment, by the database's clock, at which this row was read; see ConsentManager.
    read_at: datetime

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=Status.values), name="consents_consent_known_status"
            ),
            models.CheckConstraint(
                condition=models.Q(status=Status.TO_BE_DETERMINED, decided_at=None)
                | (~models.Q(status=Status.TO_BE_DETERMINED) & models.Q(decided_at__isnull=False)),
                name="consents_consent_decided_has_a_date",
            ),
            models.CheckConstraint(
                condition=~models.Q(status__in=[Status.ALLOWED, Status.CANCELLED])
                | models.Q(terms__isnull=False, decided_by__isnull=False),
                name="consents_consent_allowed_has_terms_and_person",
            ),
            models.CheckConstraint(
                condition=models.Q(status=Status.CANCELLED, cancelled_at__isnull=False)
                | (~models.Q(status=Status.CANCELLED) & models.Q(cancelled_at=None)),
                name="consents_consent_cancelled_has_a_date",
            ),
            models.CheckConstraint(
                condition=models.Q(closed_at=None, closed_reason="")
                | models.Q(
                    status=Status.TO_BE_DETERMINED,
                    closed_at__isnull=False,
                    closed_reason__in=ClosedReason.values,
                ),
                name="consents_consent_only_requests_close",
            ),
            models.UniqueConstraint(
                fields=["office", "partner"],
                condition=models.Q(status=Status.ALLOWED)
                | models.Q(status=Status.TO_BE_DETERMINED, closed_at=None),
                name="consents_consent_one_live",
            ),
        ]
        indexes = [
            models.Index(fields=["office", "partner", "-id"], name="consents_consent_of_pair"),
            models.Index(fields=["office", "-id"], name="consents_consent_overview"),
            models.Index(
                fields=["lapses_at"],
                condition=models.Q(status=Status.TO_BE_DETERMINED, closed_at=None),
                name="consents_consent_to_lapse",
            ),
        ]
        triggers = [
            # A wrong move is refused even to raw SQL.
            pgtrigger.FSM(
                name="status_moves",
                field="status",
                transitions=[(step.source, step.target) for step in TRANSITIONS.values()],
            ),
            pgtrigger.Protect(
                name="begin_undecided",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.status <> 'to_be_determined'"),
            ),
            pgtrigger.Protect(name="keep_consents", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="stay_closed",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__closed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.partner} · {self.office} · {self.status}"

    @property
    def is_lapsed(self) -> bool:
        """The clock decides; the job that writes it down may come later."""
        if self.closed_at is None:
            return self.status == Status.TO_BE_DETERMINED and self.lapses_at <= self.read_at
        return self.closed_reason == ClosedReason.LAPSED

    @property
    def is_open(self) -> bool:
        """The office can still answer."""
        waiting = self.status == Status.TO_BE_DETERMINED and self.closed_at is None
        return waiting and not self.is_lapsed

    @property
    def lapsed_at(self) -> datetime | None:
        return (self.closed_at or self.lapses_at) if self.is_lapsed else None

    @property
    def is_paused(self) -> bool:
        until = self.paused_until
        return self.paused_at is not None and (until is None or until > self.read_at)

    @property
    def terms_overdue(self) -> bool:
        return self.reaccept_by is not None and self.reaccept_by <= self.read_at

    def access(self, kind: str | None = None) -> Refusal | None:
        """Return the first reason why the partner may not read now, or None: read afresh."""
        return Standing.of(self.pk).refusal(kind)

    @property
    def shared_kinds(self) -> list[str]:
        """The kinds of the software that the office does not leave out."""
        return [kind for kind in self.partner.document_kinds if kind not in self.excluded_kinds]

    def allow(
        self, by: Actor, terms: Terms, scope_number: int | None = None, **shown: Any
    ) -> ConsentEvent | None:
        """Give access, with evidence of what the person saw.

        `shown` are the fields of Evidence about the screen, `scope_number` the scope on it. None
        when it was allowed already; raises DecisionConflict when it was decided otherwise or covers
        something else by now, and NotAnAdmin.
        """
        evidence = Evidence.describe(by, terms, **shown)
        return self._move(
            EventKind.ALLOWED,
            by,
            evidence=evidence,
            only_if=models.Q() if scope_number is None else models.Q(scope_number=scope_number),
            decided_at=Now(),
            decided_by=by.person,
            terms=terms,
        )

    def deny(self, by: Actor) -> ConsentEvent | None:
        """Refuse; final. Answers and errors as `allow`."""
        return self._move(EventKind.DENIED, by, decided_at=Now(), decided_by=by.person)

    def cancel(self, by: Actor, reason: str = "") -> ConsentEvent | None:
        """End access; final. Answers and errors as `allow`."""
        return self._move(EventKind.CANCELLED, by, reason, cancelled_at=Now())

    def pause(self, by: Actor, until: datetime | None = None) -> ConsentEvent | None:
        """Stop access without ending the consent, until `until` where one is given.

        Returns None when it was paused already; errors as `allow`.
        """
        running = models.Q(paused_at=None) | models.Q(paused_until__lte=Now())
        changes = {"paused_at": Now(), "paused_until": until}
        return self._change(EventKind.PAUSED, by, running, until=until, **changes)

    def resume(self, by: Actor) -> ConsentEvent | None:
        """Undo a pause. Returns None when it was not paused; errors as `allow`."""
        stopped = models.Q(paused_at__isnull=False) & (
            models.Q(paused_until=None) | models.Q(paused_until__gt=Now())
        )
        return self._change(EventKind.RESUMED, by, stopped, paused_at=None, paused_until=None)

    def ask_admins(self, by: Actor, admins: list[User], note: str = "") -> ConsentEvent | None:
        """Ask Admins of the office to decide, all of them where none is named.

        Returns None when the same person asked within the last ten minutes: a double click.
        Raises DecisionConflict when there is nothing to decide any more.
        """
        with transaction.atomic():
            locked = Consent.objects.select_for_update(no_key=True, of=("self",)).get(pk=self.pk)
            if not locked.is_open:
                raise DecisionConflict(locked)
            lately = locked.read_at - timedelta(minutes=10)
            asked = locked.events.filter(kind=EventKind.ASKED, person=by.person, at__gt=lately)
            if asked.exists():
                return None
            asked_ids = sorted(admin.pk for admin in admins)
            return ConsentEvent.objects.write(
                self, EventKind.ASKED, by, reason=note, asked=asked_ids
            )

    def withdraw(self, by: Actor, why: str = "") -> None:
        """Close an open request for the partner who made it; an ended one stays as it is."""
        self._close(ClosedReason.WITHDRAWN, by, why)

    def lapse(self, by: Actor | None = None, why: str = "") -> None:
        """Write down that nobody answered in time, or that nobody can answer any more."""
        self._close(ClosedReason.LAPSED, by or Actor.clock(), why)

    def _move(
        self,
        verb: EventKind,
        by: Actor,
        reason: str = "",
        evidence: Evidence | None = None,
        only_if: models.Q | None = None,
        **changes: Any,
    ) -> ConsentEvent | None:
        """One conditional UPDATE and its event, or nothing: the first commit wins."""
        step = TRANSITIONS[verb]
        if by.kind not in step.by:
            raise NotAnAdmin
        with transaction.atomic():
            if by.kind == ActorKind.PERSON:
                self.hold_admin(by)
            source = Consent.objects.filter(
                only_if or models.Q(), pk=self.pk, status=step.source, closed_at=None
            )
            if step.source == Status.TO_BE_DETERMINED:
                source = source.filter(lapses_at__gt=Now())
            moved = source.update(status=step.target, **changes)
            self.reread()
            if not moved:
                if self.status == step.target:
                    return None
                raise DecisionConflict(self)
            return ConsentEvent.objects.write(self, verb, by, reason=reason, evidence=evidence)

    def _change(
        self,
        verb: EventKind,
        by: Actor,
        condition: models.Q,
        until: datetime | None = None,
        **changes: Any,
    ) -> ConsentEvent | None:
        """As `_move`, for what an Admin changes on an allowed consent."""
        if by.kind != ActorKind.PERSON:
            raise NotAnAdmin
        with transaction.atomic():
            self.hold_admin(by)
            allowed = Consent.objects.filter(pk=self.pk, status=Status.ALLOWED)
            changed = allowed.filter(condition).update(**changes)
            self.reread()
            if self.status != Status.ALLOWED:
                raise DecisionConflict(self)
            if not changed:
                return None
            return ConsentEvent.objects.write(self, verb, by, until=until)

    def hold_admin(self, by: Actor) -> None:
        """Make sure the person is an Admin now and stays one until this transaction ends."""
        membership = self.office.memberships.active().select_for_update(no_key=True, of=("self",))
        if not membership.filter(user=by.person, role=Role.ADMIN).exists():
            raise NotAnAdmin

    def _close(self, reason: ClosedReason, by: Actor, why: str) -> None:
        with transaction.atomic():
            still_open = Consent.objects.filter(
                pk=self.pk, status=Status.TO_BE_DETERMINED, closed_at=None
            )
            if still_open.update(closed_at=Now(), closed_reason=reason):
                ConsentEvent.objects.write(self, EventKind(reason.value), by, reason=why)
        self.reread()

    def reread(self) -> None:
        """Read the row again, with the time of reading."""
        fresh = Consent.objects.get(pk=self.pk)
        for column in self._meta.concrete_fields:
            setattr(self, column.attname, getattr(fresh, column.attname))
        self.read_at = fresh.read_at
