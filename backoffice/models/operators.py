"""The operators: people of the portal who work in the admin, and the record of their logins."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.contrib.admin.models import LogEntry, LogEntryManager
from django.db import models
from django.db.models.functions import Now

from accounts.models import User
from backoffice.roles import ACTS
from core.triggers import append_only

if TYPE_CHECKING:
    from django.contrib.auth.base_user import BaseUserManager


class Operator(User):  # type: ignore[django-manager-missing]  # of a library
    """A person who is or was an operator. The permissions of the acts belong to this model."""

    objects: ClassVar[BaseUserManager[Operator]]  # type: ignore[assignment]

    class Meta:
        proxy = True
        default_permissions = ("view",)
        permissions = ACTS

    @property
    def role(self) -> str:
        """Return the role, "superuser", or "ended" for who is no operator any more."""
        if not (self.is_staff and self.is_active):
            return "ended"
        if self.is_superuser:
            return "superuser"
        group = self.groups.order_by("name").first()
        return group.name if group else "none"


class AdminHistory(LogEntry):
    """The history of the admin, a table of Django's: it is proof of what operators did."""

    objects: ClassVar[LogEntryManager]

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = append_only("admin_history")


class OperatorIdentity(models.Model):
    """The account of an operator at an OpenID provider: what the provider calls it for good."""

    operator = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    issuer = models.CharField(max_length=400)
    subject = models.CharField(max_length=255)
    linked_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["issuer", "subject"], name="backoffice_identity_is_one_operator"
            ),
            models.UniqueConstraint(
                fields=["operator", "issuer"], name="backoffice_identity_one_per_operator"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} · {self.issuer}"


class OperatorLogin(models.Model):
    """An operator logged in: when, from where, with which proofs."""

    operator = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now(), editable=False)
    address = models.CharField(max_length=45, blank=True)
    browser = models.CharField(max_length=200, blank=True)
    # As allauth names them: password, mfa, …
    proofs = models.CharField(max_length=100, blank=True)

    class Meta:
        indexes = [models.Index(fields=["operator", "-at"], name="backoffice_login_by_operator")]
        triggers = append_only("operator_logins")

    def __str__(self) -> str:
        return f"{self.operator} · {self.at}"
