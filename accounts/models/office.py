"""An accounting office: the tenant."""

from __future__ import annotations

import uuid
from typing import Any

import pgtrigger
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models.invitation import Invitation
from accounts.models.last_admin import changing_people
from accounts.models.office_event import OfficeEvent, OfficeEventKind
from accounts.models.user import LANGUAGES, User
from core.enterprise_number import validate_company_number
from core.locks import retry_deadlock
from core.sandbox import NUMBERS_BEGIN_WITH, World
from core.triggers import Protect


class OfficeQuerySet(models.QuerySet["Office"]):
    def of(self, person: User) -> OfficeQuerySet:
        """The offices this person works for now."""
        mine = self.filter(memberships__user=person, memberships__is_active=True, closed_at=None)
        return mine.order_by("name")

    def real(self) -> OfficeQuerySet:
        """Those of real people, without the sandbox."""
        return self.filter(kind=World.REAL)

    def known_to(self, partner: uuid.UUID, kind: str) -> OfficeQuerySet:
        """Those that a partner of this kind may know of: a sandbox partner only its own."""
        return self.filter(kind=kind, made_for=partner if kind == World.SANDBOX else None)


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
    email = models.EmailField(_("email address"), blank=True)
    phone = models.CharField(_("phone number"), max_length=30, blank=True, default="")
    second_factor_required = models.BooleanField(default=False)
    # If on, all Admins get an e-mail about every decision, even if they switched it off.
    decisions_to_all = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    # Closed for good: no software reads it, and nobody opens it here.
    closed_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    kind = models.CharField(
        max_length=7,
        choices=World.choices,
        default=World.REAL,
        db_default=World.REAL,
        editable=False,
    )
    # The identifier of the sandbox partner that this sandbox office was made for.
    made_for = models.UUIDField(null=True, editable=False)

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
            models.CheckConstraint(
                condition=models.Q(
                    kind=World.SANDBOX,
                    made_for__isnull=False,
                    company_number__startswith=NUMBERS_BEGIN_WITH,
                )
                | models.Q(kind=World.REAL, made_for=None)
                & ~models.Q(company_number__startswith=NUMBERS_BEGIN_WITH),
                name="accounts_office_sandbox_apart",
            ),
        ]
        indexes = [
            models.Index(
                fields=["made_for", "-id"],
                condition=models.Q(made_for__isnull=False),
                name="accounts_office_of_sandbox",
            )
        ]
        triggers = [
            Protect(
                name="stay_closed",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__closed_at__isnull=False),
            ),
            Protect(
                name="keep_kind",
                operation=pgtrigger.UpdateOf("kind", "made_for"),  # type: ignore[no-untyped-call]
                condition=pgtrigger.Condition(
                    "NEW.kind <> OLD.kind OR NEW.made_for IS DISTINCT FROM OLD.made_for"
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def set_active(self, active: bool) -> bool:
        """Suspend the office or activate it again; False if it was so already."""
        others = Office.objects.filter(pk=self.pk, is_active=not active, closed_at=None)
        changed = others.update(is_active=active)
        self.is_active = active
        return bool(changed)

    def close(self, by: User, names: str) -> None:
        """Close it for good, on behalf of two operators: nobody can open it or join it any more.

        Its consents end before that: see backoffice.termination.
        """
        with changing_people(self):
            for invitation in self.invitations.open():
                Invitation.objects.filter(pk=invitation.pk).update(revoked_at=Now())
                invitation.write(OfficeEventKind.REVOKED, by)
            self.write(OfficeEventKind.CLOSED, by, names)
            Office.objects.filter(pk=self.pk).update(is_active=False, closed_at=Now())

    def write(self, kind: OfficeEventKind, by: User, names: str = "") -> None:
        """Write an event about the office itself, not about one of its people."""
        OfficeEvent.objects.write(self, kind, by, by_name=names, email=self.email, role="")

    @retry_deadlock
    def change(self, by: User, **said: Any) -> None:
        """Change the data of the office, on behalf of an Admin."""
        with changing_people(self, by):
            required = said["second_factor_required"]
            asked = Office.objects.filter(pk=self.pk).exclude(second_factor_required=required)
            turned = asked.update(second_factor_required=required)
            Office.objects.filter(pk=self.pk).update(**said)
            if turned:
                kinds = OfficeEventKind
                kind = kinds.FACTOR_ASKED if required else kinds.FACTOR_FREE
                OfficeEvent.objects.write(self, kind, by, email=by.email, role="admin")
