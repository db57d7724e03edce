"""Operators end an access together: one asks with a reason, another one confirms within a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pgtrigger
from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.joint import VALID_FOR, NeedsAnother
from consents.actors import Actor

if TYPE_CHECKING:
    from accounts.models import User
    from consents.models import Consent

__all__ = ["ForcedEnd", "NeedsAnother", "ask_to_end"]


class ForcedEndQuerySet(models.QuerySet["ForcedEnd"]):
    def waiting(self) -> ForcedEndQuerySet:
        """Asked for within the last day and not confirmed."""
        return self.filter(confirmed_at=None, asked_at__gt=Now() - VALID_FOR)


class ForcedEnd(models.Model):
    """The wish of an operator to end an access; it ends nothing before another one confirms."""

    consent = models.ForeignKey("consents.Consent", models.PROTECT, related_name="forced_ends")
    reason = models.CharField(max_length=300)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(db_default=Now(), editable=False)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    confirmed_at = models.DateTimeField(null=True, editable=False)

    objects = ForcedEndQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_by=None, confirmed_at=None)
                | (
                    ~Q(confirmed_by=None)
                    & ~Q(confirmed_by=F("asked_by"))
                    & Q(confirmed_at__lte=F("asked_at") + VALID_FOR)
                ),
                name="consents_forcedend_two_operators_in_a_day",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="consents_forcedend_for_a_reason"),
        ]
        triggers = [pgtrigger.Protect(name="keep_forced_ends", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.consent_id}: {self.reason}"

    def confirm(self, by: User) -> None:
        """End the access for both operators. Raises NeedsAnother, DecisionConflict."""
        with transaction.atomic():
            open_wish = ForcedEnd.objects.waiting().exclude(asked_by=by).filter(pk=self.pk)
            if not open_wish.update(confirmed_by=by, confirmed_at=Now()):
                raise NeedsAnother
            self.consent.cancel(Actor.operators(self.asked_by, by), self.reason)


def ask_to_end(consent: Consent, by: User, reason: str) -> ForcedEnd:
    """Write the wish down; nothing ends yet."""
    return ForcedEnd.objects.create(consent=consent, asked_by=by, reason=reason)
