"""The support access log: which operator opened which records of an office.

The Admins of the office read it under Administration > Organization.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.triggers import erasable

if TYPE_CHECKING:
    from accounts.models import Office, User


class AccessedRecord(models.TextChoices):
    """What an operator opened."""

    PEOPLE = "people", _("All users of the office")
    PERSON = "person", _("The account and two-factor authentication of a user")
    CONSENT = "consent", _("The history of a consent")
    COMPANY = "company", _("A company and its bank accounts")


class SupportAccessManager(models.Manager["SupportAccess"]):
    def write(
        self, office: Office, by: User, accessed: AccessedRecord, about: str = ""
    ) -> SupportAccess:
        """Log what an operator is about to see. The name is copied, so that it stays."""
        return self.create(
            office=office,
            operator=by,
            operator_name=str(by)[:120],
            accessed=accessed,
            about=about[:200],
        )


class SupportAccess(models.Model):
    """An operator opened a record of an office; `about` names the person or the consent."""

    office = models.ForeignKey("accounts.Office", models.PROTECT, related_name="support_accesses")
    operator = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    operator_name = models.CharField(max_length=120)
    accessed = models.CharField(max_length=7, choices=AccessedRecord.choices)
    about = models.CharField(max_length=200, blank=True, default="")
    at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[SupportAccessManager] = SupportAccessManager()

    class Meta:
        indexes = [models.Index(fields=["office", "-id"], name="backoffice_access_at_office")]
        triggers = erasable(
            "support_access", "OLD.accessed = 'person' AND NEW.about ~ '^Person [0-9]+$'", "about"
        )

    def __str__(self) -> str:
        return f"{self.operator_name}: {self.accessed} {self.about}"
