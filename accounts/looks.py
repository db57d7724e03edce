"""Every look of an operator at the people or a consent of an office is written down for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.triggers import erasable

if TYPE_CHECKING:
    from accounts.models import Office, User


class Seen(models.TextChoices):
    PEOPLE = "people", _("Everybody who works for the office")
    PERSON = "person", _("A person and her second factor")
    CONSENT = "consent", _("The story of a consent")


class OperatorLookManager(models.Manager["OperatorLook"]):
    def write(self, office: Office, by: User, seen: Seen, about: str = "") -> OperatorLook:
        """Write down what an operator is about to see; the name is copied, so that it stays."""
        return self.create(
            office=office, operator=by, operator_name=str(by)[:120], seen=seen, about=about[:200]
        )


class OperatorLook(models.Model):
    """One look; `about` names the person or the consent."""

    office = models.ForeignKey("accounts.Office", models.PROTECT, related_name="looks")
    operator = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    operator_name = models.CharField(max_length=120)
    seen = models.CharField(max_length=7, choices=Seen.choices)
    about = models.CharField(max_length=200, blank=True, default="")
    at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[OperatorLookManager] = OperatorLookManager()

    class Meta:
        indexes = [models.Index(fields=["office", "-id"], name="accounts_look_at_office")]
        triggers = erasable(
            "looks", "OLD.seen = 'person' AND NEW.about ~ '^Person [0-9]+$'", "about"
        )

    def __str__(self) -> str:
        return f"{self.operator_name}: {self.seen} {self.about}"
