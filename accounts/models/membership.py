"""A person in an office, with a role."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pgtrigger
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.last_admin import KEEP_AN_ADMIN, changing_people
from accounts.models.office import Office
from accounts.models.office_event import OfficeEvent, OfficeEventKind
from accounts.models.user import User, second_factors
from core.locks import hold, retry_deadlock
from core.sandbox import MAIL_DOMAIN
from core.triggers import Protect, Trigger

SEEN_EVERY = timedelta(minutes=5)
# A sandbox office has no real people, and whoever is invented works nowhere else.
INVENTED_PEOPLE = Trigger(
    name="invented_people",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.UpdateOf("office_id", "user_id"),  # type: ignore[no-untyped-call]
    func=f"""
        IF EXISTS (
            SELECT 1 FROM accounts_office o, accounts_user u
            WHERE o.id = NEW.office_id AND u.id = NEW.user_id
                AND (o.kind = 'sandbox') <> (right(u.email, {len(MAIL_DOMAIN)}) = '{MAIL_DOMAIN}')
        ) THEN
            RAISE EXCEPTION 'Person % and office % are of two worlds', NEW.user_id, NEW.office_id
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    """,  # noqa: S608  # constants only
)


class Role(models.TextChoices):
    ADMIN = "admin", _("Admin")
    USER = "user", _("User")


class MembershipQuerySet(models.QuerySet["Membership"]):
    def reachable(self) -> MembershipQuerySet:
        """The people who work for the office, or did when it closed. They get its e-mails."""
        return self.filter(is_active=True, user__is_active=True)

    def active(self) -> MembershipQuerySet:
        """The people who can open the office now."""
        return self.reachable().filter(office__closed_at=None)

    def left(self) -> MembershipQuerySet:
        """The people who could open the office once and cannot now."""
        return self.exclude(is_active=True, user__is_active=True, office__closed_at=None)

    def admins(self) -> MembershipQuerySet:
        return self.active().filter(role=Role.ADMIN)

    def with_second_factor(self) -> MembershipQuerySet:
        """Add `has_second_factor` to each row."""
        return self.annotate(has_second_factor=models.Exists(second_factors("user_id")))

    def hold_admin(self, office_id: int, person: User | None, *others: int) -> bool:
        """Whether the person is an Admin of the office. A lock keeps them one until the commit.

        The office is locked first, together with the `others` that the transaction writes about.
        """
        hold(Office, office_id, *others)
        admins = self.admins().filter(office=office_id, user=person)
        return admins.select_for_update(no_key=True, of=("self",)).first() is not None

    def admit(self, office: Office, person: User, role: str) -> Membership:
        """Make or renew the membership of a person. The role of an active one does not change."""
        membership, created = self.get_or_create(
            office=office, user=person, defaults={"role": role}
        )
        if not created and not membership.is_active:
            self.filter(pk=membership.pk).update(is_active=True, role=role)
            membership.refresh_from_db()
        return membership


class Membership(models.Model):
    """A person in an office, with a role. Every request reads it, so a change works at once."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    office = models.ForeignKey(Office, models.PROTECT, related_name="memberships")
    user = models.ForeignKey(User, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=5, choices=Role.choices)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_seen_at = models.DateTimeField(null=True, editable=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["office", "user"], name="accounts_membership_one_per_person"
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="accounts_membership_known_role"
            ),
        ]
        triggers = [
            KEEP_AN_ADMIN,
            INVENTED_PEOPLE,
            # The row of a person who left stays, because their events point to it.
            Protect(name="keep_memberships", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.office}"

    @property
    def is_admin(self) -> bool:
        return self.role == Role.ADMIN

    def note_visit(self) -> None:
        """Note that the person is here, at most every five minutes."""
        if self.last_seen_at and timezone.now() - self.last_seen_at < SEEN_EVERY:
            return
        Membership.objects.filter(pk=self.pk).update(last_seen_at=Now())

    @retry_deadlock
    def change_role(self, role: str, by: User) -> None:
        """Give another role, on behalf of an Admin. Raises PermissionDenied, LastAdmin."""
        with changing_people(self.office, by):
            present = Membership.objects.filter(pk=self.pk, is_active=True)
            if present.exclude(role=role).update(role=role):
                self.role = role
                self._write(OfficeEventKind.ROLE_CHANGED, by)

    @retry_deadlock
    def remove(self, by: User) -> None:
        """End the membership, on behalf of an Admin. Raises PermissionDenied, LastAdmin."""
        with changing_people(self.office, by):
            self._end(OfficeEventKind.REMOVED, by)

    @retry_deadlock
    def leave(self) -> None:
        """End the membership, for the person themselves. Raises LastAdmin."""
        with changing_people(self.office):
            self._end(OfficeEventKind.LEFT, self.user)

    def _end(self, kind: OfficeEventKind, by: User) -> None:
        if Membership.objects.filter(pk=self.pk, is_active=True).update(is_active=False):
            self._write(kind, by)

    def _write(self, kind: OfficeEventKind, by: User) -> None:
        OfficeEvent.objects.write(
            self.office, kind, by, email=self.user.email, role=self.role, person=self.user
        )
