"""The consent: its four statuses, and the only ways from one to another."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar, NamedTuple

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Office, User
from consents.access import AccessContext, DenialReason
from consents.actors import Actor, ActorKind
from consents.models.event import ConsentEvent, EventKind
from consents.models.evidence import Evidence, EvidenceSnapshot
from consents.models.querysets import ConsentManager
from consents.models.terms import Terms
from consents.models.worlds import WORLDS_APART
from consents.sharing_gaps import Pair, note_new_consent
from core.clock import database_time
from core.document_kinds import TYPE_CHOICES
from core.locks import hold, retry_deadlock
from core.triggers import FSM, Protect
from partners.models import Partner


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
    """One arrow of the status diagram; `by` says who may use it."""

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
    """Somebody else decided first; `consent` was read again and says what they decided."""

    def __init__(self, consent: Consent) -> None:
        super().__init__(f"consent is {consent.status}")
        self.consent = consent


class NotAnAdmin(Exception):
    """The person is not, or no longer, an Admin of the consent's office."""


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
    accept_terms_by = models.DateTimeField(null=True)
    # What the office leaves out, see consents.scope; `scope_number` grows with every change.
    excluded_kinds = ArrayField(
        models.CharField(max_length=24, choices=TYPE_CHOICES), default=list, db_default=[]
    )
    allowlist_mode = models.BooleanField(default=False, db_default=False)
    scope_number = models.PositiveIntegerField(default=0, db_default=0)

    objects: ClassVar[ConsentManager] = ConsentManager()

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
            WORLDS_APART,
            # A wrong move is refused even to raw SQL.
            FSM(
                name="status_moves",
                field="status",
                transitions=[(step.source, step.target) for step in TRANSITIONS.values()],
            ),
            Protect(
                name="begin_undecided",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.status <> 'to_be_determined'"),
            ),
            Protect(name="keep_consents", operation=pgtrigger.Delete),
            Protect(
                name="stay_closed",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__closed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.partner} · {self.office} · {self.status}"

    def is_lapsed(self, at: datetime) -> bool:
        """Whether nobody answered in time. The clock decides; the job writes it down later."""
        if self.closed_at is None:
            return self.status == Status.TO_BE_DETERMINED and self.lapses_at <= at
        return self.closed_reason == ClosedReason.LAPSED

    def is_open(self, at: datetime) -> bool:
        """Whether the office can still answer."""
        waiting = self.status == Status.TO_BE_DETERMINED and self.closed_at is None
        return waiting and not self.is_lapsed(at)

    def lapsed_at(self, at: datetime) -> datetime | None:
        """When the request lapsed; None where it has not."""
        return (self.closed_at or self.lapses_at) if self.is_lapsed(at) else None

    def is_paused(self, at: datetime) -> bool:
        """Whether the office has stopped access for a while."""
        until = self.paused_until
        return self.paused_at is not None and (until is None or until > at)

    def terms_overdue(self, at: datetime) -> bool:
        """Whether the day is over by which the office had to accept the changed terms."""
        return self.accept_terms_by is not None and self.accept_terms_by <= at

    def access(self, kind: str | None = None) -> DenialReason | None:
        """Return the first reason why the partner may not read now, or None: read afresh."""
        return AccessContext.of(self.pk).denial_reason(kind)

    @property
    def shared_kinds(self) -> list[str]:
        """The kinds of the software that the office does not leave out."""
        return [kind for kind in self.partner.document_kinds if kind not in self.excluded_kinds]

    @retry_deadlock
    def allow(
        self,
        by: Actor,
        terms: Terms,
        snapshot: EvidenceSnapshot,
        scope_number: int | None = None,
    ) -> ConsentEvent | None:
        """Give access, with evidence of what the person saw.

        `scope_number` is that of the scope on the screen. Returns None when access was allowed
        already. Raises DecisionConflict when somebody decided otherwise or changed the scope in
        between, and NotAnAdmin.
        """
        evidence = Evidence.describe(by, terms, snapshot)
        return self._move(
            EventKind.ALLOWED,
            by,
            evidence=evidence,
            only_if=models.Q() if scope_number is None else models.Q(scope_number=scope_number),
            decided_at=Now(),
            decided_by=by.person,
            terms=terms,
        )

    @retry_deadlock
    def deny(self, by: Actor) -> ConsentEvent | None:
        """Refuse this request: by an Admin of the office. Returns and raises like `allow`."""
        return self._move(EventKind.DENIED, by, decided_at=Now(), decided_by=by.person)

    @retry_deadlock
    def cancel(self, by: Actor, reason: str = "") -> ConsentEvent | None:
        """End access for good: by an Admin of the office, by its software or by an operator.

        Returns and raises like `allow`.
        """
        return self._move(EventKind.CANCELLED, by, reason, cancelled_at=Now())

    @retry_deadlock
    def pause(self, by: Actor, until: datetime | None = None) -> ConsentEvent | None:
        """Stop access without ending the consent, until `until` where one is given.

        Returns None when access was paused already; raises like `allow`.
        """
        running = models.Q(paused_at=None) | models.Q(paused_until__lte=Now())
        changes = {"paused_at": Now(), "paused_until": until}
        return self._change(EventKind.PAUSED, by, running, until=until, **changes)

    @retry_deadlock
    def pause_after_restore(
        self, by: Actor, until: datetime | None, reason: str
    ) -> ConsentEvent | None:
        """Stop access again that was paused when the database was lost; no Admin acts."""
        changes = {"paused_at": Now(), "paused_until": until}
        with transaction.atomic():
            hold(Office, self.office_id)
            allowed = Consent.objects.filter(pk=self.pk, status=Status.ALLOWED)
            if not allowed.filter(self.runs_until(until)).update(**changes):
                return None
            return ConsentEvent.objects.write(
                self, EventKind.PAUSED, by, until=until, reason=reason
            )

    @staticmethod
    def runs_until(until: datetime | None) -> models.Q:
        """The condition that access runs now, or would begin again before `until`."""
        paused = models.Q(paused_until=None)
        if until is not None:
            paused |= models.Q(paused_until__gte=until)
        return models.Q(paused_at=None) | ~paused

    @retry_deadlock
    def resume(self, by: Actor) -> ConsentEvent | None:
        """End a pause. Returns None when access was not paused; raises like `allow`."""
        stopped = models.Q(paused_at__isnull=False) & (
            models.Q(paused_until=None) | models.Q(paused_until__gt=Now())
        )
        return self._change(EventKind.RESUMED, by, stopped, paused_at=None, paused_until=None)

    @retry_deadlock
    def ask_admins(self, by: Actor, admins: list[User], note: str = "") -> ConsentEvent | None:
        """Ask Admins of the office to decide, all of them where none is named.

        Returns None when the same person asked within the last ten minutes: a double click.
        Raises DecisionConflict when there is nothing to decide any more.
        """
        with transaction.atomic():
            hold(Office, self.office_id)
            locked = Consent.objects.select_for_update(no_key=True, of=("self",)).get(pk=self.pk)
            at = database_time()
            if not locked.is_open(at):
                raise DecisionConflict(locked)
            lately = at - timedelta(minutes=10)
            asked = locked.events.filter(kind=EventKind.ASKED, person=by.person, at__gt=lately)
            if asked.exists():
                return None
            asked_ids = sorted(admin.pk for admin in admins)
            return ConsentEvent.objects.write(
                self, EventKind.ASKED, by, reason=note, asked=asked_ids
            )

    @retry_deadlock
    def withdraw(self, by: Actor, why: str = "") -> None:
        """Close an open request at the wish of its software; an ended request stays as it is."""
        self._close(ClosedReason.WITHDRAWN, by, why)

    @retry_deadlock
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
        """Change the status with one conditional UPDATE and write its event; the first one wins.

        After the commit the event's signal is sent (consents/signals.py): e-mails and webhooks.
        """
        step = TRANSITIONS[verb]
        if by.kind not in step.by:
            raise NotAnAdmin
        with transaction.atomic():
            if by.kind == ActorKind.PERSON:
                self.hold_admin(by)
            else:
                hold(Office, self.office_id)
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
            event = ConsentEvent.objects.write(self, verb, by, reason=reason, evidence=evidence)
            if step.target == Status.ALLOWED:
                pair = Pair(self.office_id, self.partner_id)
                note_new_consent(pair, self.pk, self.excluded_kinds)
            return event

    def _change(
        self,
        verb: EventKind,
        by: Actor,
        condition: models.Q,
        until: datetime | None = None,
        **changes: Any,
    ) -> ConsentEvent | None:
        """Change an allowed consent for an Admin, with one conditional UPDATE and its event."""
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
        if not Membership.objects.hold_admin(self.office_id, by.person):
            raise NotAnAdmin

    def _close(self, reason: ClosedReason, by: Actor, why: str) -> None:
        with transaction.atomic():
            hold(Office, self.office_id)
            still_open = Consent.objects.filter(
                pk=self.pk, status=Status.TO_BE_DETERMINED, closed_at=None
            )
            if still_open.update(closed_at=Now(), closed_reason=reason):
                ConsentEvent.objects.write(self, EventKind(reason.value), by, reason=why)
        self.reread()

    def reread(self) -> None:
        """Read the columns again; what was read of its office and software stays."""
        fresh = Consent.objects.get(pk=self.pk)
        for column in self._meta.concrete_fields:
            setattr(self, column.attname, getattr(fresh, column.attname))
