"""Which person is this, and for which office?"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any, ClassVar

import pgtrigger
from allauth.mfa.models import Authenticator
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower, Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.company_number import validate_company_number
from accounts.events import MembershipEvent, MembershipEventKind
from accounts.invitations import Invitation
from accounts.joint import JointAct
from accounts.last_admin import KEEP_AN_ADMIN, LastAdmin, changing_people
from accounts.letters import Letter
from accounts.looks import OperatorLook

__all__ = ["Invitation", "JointAct", "LastAdmin", "Letter", "MembershipEvent", "OperatorLook"]

SEEN_EVERY = timedelta(minutes=5)
LANGUAGES = [("en", "English"), ("nl", "Nederlands"), ("fr", "Français"), ("de", "Deutsch")]


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who logs in: office staff through memberships, an operator when `is_staff`."""

    email = models.EmailField(_("e-mail address"))
    name = models.CharField(_("name"), max_length=120)
    # Empty: the language of the browser.
    language = models.CharField(max_length=2, choices=LANGUAGES, blank=True, default="")
    # The mails she does not want; see accounts.topics.
    muted = ArrayField(models.CharField(max_length=10), default=list, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(_("operator"), default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="accounts_user_one_per_email")]

    def __str__(self) -> str:
        return self.name or self.email


class OfficeQuerySet(models.QuerySet["Office"]):
    def of(self, person: User) -> OfficeQuerySet:
        """The offices this person works for now."""
        mine = self.filter(memberships__user=person, memberships__is_active=True, closed_at=None)
        return mine.order_by("name")


class Office(models.Model):
    """An accounting office: the tenant. Its enterprise number is how software names it."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    company_number = models.CharField(
        _("enterprise number"), max_length=10, unique=True, validators=[validate_company_number]
    )
    name = models.CharField(_("name"), max_length=120)
    slug = models.SlugField(unique=True)
    language = models.CharField(max_length=2, choices=LANGUAGES, default="nl")
    contact = models.CharField(_("contact person"), max_length=120, blank=True, default="")
    email = models.EmailField(_("e-mail address"), blank=True)
    phone = models.CharField(_("telephone"), max_length=30, blank=True, default="")
    second_factor_required = models.BooleanField(default=False)
    # Its Admins hear of every decision, whatever each of them switched off.
    decisions_to_all = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    # Closed for good: no software reads it, and nobody opens it here.
    closed_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = OfficeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(company_number__regex=r"^[01][0-9]{9}$"),
                name="accounts_office_ten_digits",
            ),
            models.CheckConstraint(
                condition=models.Q(closed_at=None) | models.Q(is_active=False),
                name="accounts_office_closed_is_not_active",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="stay_closed",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__closed_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def set_active(self, active: bool) -> bool:
        """Suspend the office, or let it go on; False when it was so already."""
        others = Office.objects.filter(pk=self.pk, is_active=not active, closed_at=None)
        changed = others.update(is_active=active)
        self.is_active = active
        return bool(changed)

    def close(self, by: User, names: str) -> None:
        """Close it for good, on behalf of two operators: nobody opens it, nobody joins any more.

        Its consents end before that: see consents.closing.
        """
        with changing_people(self):
            for invitation in self.invitations.open():
                Invitation.objects.filter(pk=invitation.pk).update(revoked_at=Now())
                invitation.write(MembershipEventKind.REVOKED, by)
            self.write(MembershipEventKind.CLOSED, by, names)
            Office.objects.filter(pk=self.pk).update(is_active=False, closed_at=Now())

    def write(self, kind: MembershipEventKind, by: User, names: str = "") -> None:
        """Write down what was done to the office itself, and not to one of its people."""
        MembershipEvent.objects.write(self, kind, by, by_name=names, email=self.email, role="")

    def change(self, by: User, **said: Any) -> None:
        """Change what the office says about itself, on behalf of an Admin."""
        with changing_people(self, by):
            required = said["second_factor_required"]
            asked = Office.objects.filter(pk=self.pk).exclude(second_factor_required=required)
            turned = asked.update(second_factor_required=required)
            Office.objects.filter(pk=self.pk).update(**said)
            if turned:
                kinds = MembershipEventKind
                kind = kinds.FACTOR_ASKED if required else kinds.FACTOR_FREE
                MembershipEvent.objects.write(self, kind, by, email=by.email, role=Role.ADMIN)


class Role(models.TextChoices):
    ADMIN = "admin", _("Admin")
    USER = "user", _("User")


class MembershipQuerySet(models.QuerySet["Membership"]):
    def told(self) -> MembershipQuerySet:
        """Who works for the office, or did so when it closed: whom a mail about it reaches."""
        return self.filter(is_active=True, user__is_active=True)

    def active(self) -> MembershipQuerySet:
        """Who can open the office now."""
        return self.told().filter(office__closed_at=None)

    def admins(self) -> MembershipQuerySet:
        return self.active().filter(role=Role.ADMIN)

    def with_second_factor(self) -> MembershipQuerySet:
        """Add `has_second_factor` to each row."""
        return self.annotate(has_second_factor=models.Exists(second_factors("user_id")))

    def let_in(self, office: Office, person: User, role: str) -> Membership:
        """The membership of a person who comes, or comes back; who is in keeps her role."""
        membership, created = self.get_or_create(
            office=office, user=person, defaults={"role": role}
        )
        if not created and not membership.is_active:
            self.filter(pk=membership.pk).update(is_active=True, role=role)
            membership.refresh_from_db()
        return membership


def second_factors(person: str | int) -> models.QuerySet[Authenticator]:
    """Authenticator apps and passkeys of a person; recovery codes alone are no second factor."""
    owner = models.OuterRef(person) if isinstance(person, str) else person
    kinds = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
    found: models.QuerySet[Authenticator] = Authenticator.objects.filter(
        user_id=owner, type__in=kinds
    )
    return found


class Membership(models.Model):
    """A person in an office, with a role. Read on every request, so a change holds at once."""

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
            # Who goes stays as a row: what she did still points to her.
            pgtrigger.Protect(name="keep_memberships", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.office}"

    @property
    def is_admin(self) -> bool:
        return self.role == Role.ADMIN

    def saw(self) -> None:
        """Note that the person is here, at most every five minutes."""
        if self.last_seen_at and timezone.now() - self.last_seen_at < SEEN_EVERY:
            return
        Membership.objects.filter(pk=self.pk).update(last_seen_at=Now())

    def change_role(self, role: str, by: User) -> None:
        """Give another role, on behalf of an Admin. Raises PermissionDenied, LastAdmin."""
        with changing_people(self.office, by):
            present = Membership.objects.filter(pk=self.pk, is_active=True)
            if present.exclude(role=role).update(role=role):
                self.role = role
                self._write(MembershipEventKind.ROLE_CHANGED, by)

    def remove(self, by: User) -> None:
        """End the membership, on behalf of an Admin. Raises PermissionDenied, LastAdmin."""
        with changing_people(self.office, by):
            self._end(MembershipEventKind.REMOVED, by)

    def leave(self) -> None:
        """End the membership, for the person herself. Raises LastAdmin."""
        with changing_people(self.office):
            self._end(MembershipEventKind.LEFT, self.user)

    def _end(self, kind: MembershipEventKind, by: User) -> None:
        if Membership.objects.filter(pk=self.pk, is_active=True).update(is_active=False):
            self._write(kind, by)

    def _write(self, kind: MembershipEventKind, by: User) -> None:
        MembershipEvent.objects.write(
            self.office, kind, by, email=self.user.email, role=self.role, person=self.user
        )
