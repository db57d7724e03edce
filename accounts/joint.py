"""What only two operators do together: one asks with a reason, another confirms within a day."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import pgtrigger
from django.conf import settings
from django.db import connection, models
from django.db.models import F, Q
from django.db.models.functions import Now

if TYPE_CHECKING:
    from accounts.models import User

VALID_FOR = timedelta(hours=24)
# Held while an act is carried out: two of them could wait for each other's rows.
LOCK = 20_003


class NeedsAnother(Exception):
    """The same operator, too late, or done meanwhile: another operator asks anew."""


class Act(models.TextChoices):
    """What is done; each has its page in the admin, which carries it out when it is confirmed."""

    RESET_FACTOR = "reset_factor", "Reset of the second factor"
    CLOSE_OFFICE = "close_office", "Closing of the office"
    CHANGE_NUMBER = "change_number", "Change of the enterprise number"
    RETIRE_PARTNER = "retire_partner", "Retirement of the software"
    END_ACCESS = "end_access", "End of the access"


def _about(*named: str) -> Q:
    """These are named, and nothing else is."""
    return Q(**{f"{one}__isnull": one not in named for one in NAMED})


NAMED = ("person", "office", "partner", "consent")
ABOUT = {
    Act.RESET_FACTOR: _about("person", "office"),
    Act.CLOSE_OFFICE: _about("office"),
    Act.CHANGE_NUMBER: _about("office") & ~Q(detail=""),
    Act.RETIRE_PARTNER: _about("partner"),
    Act.END_ACCESS: _about("consent"),
}


class JointActQuerySet(models.QuerySet["JointAct"]):
    def waiting(self) -> JointActQuerySet:
        """Asked for within the last day and not confirmed."""
        return self.filter(confirmed_at=None, asked_at__gt=Now() - VALID_FOR)


class JointAct(models.Model):
    """The wish of an operator; nothing is done before another one confirms it."""

    kind = models.CharField(max_length=14, choices=Act.choices)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    office = models.ForeignKey("accounts.Office", models.PROTECT, null=True, related_name="+")
    partner = models.ForeignKey("partners.Partner", models.PROTECT, null=True, related_name="+")
    consent = models.ForeignKey("consents.Consent", models.PROTECT, null=True, related_name="+")
    detail = models.CharField(max_length=10, blank=True, default="")
    reason = models.CharField(max_length=300)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(db_default=Now(), editable=False)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    confirmed_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[Any] = JointActQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_by=None, confirmed_at=None)
                | (
                    ~Q(confirmed_by=None)
                    & ~Q(confirmed_by=F("asked_by"))
                    & Q(confirmed_at__lte=F("asked_at") + VALID_FOR)
                ),
                name="accounts_jointact_two_operators_in_a_day",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="accounts_jointact_for_a_reason"),
            models.CheckConstraint(
                condition=Q(person=None)
                | (
                    ~Q(asked_by=F("person")) & (Q(confirmed_by=None) | ~Q(confirmed_by=F("person")))
                ),
                name="accounts_jointact_not_for_oneself",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    *[Q(kind=k) & about for k, about in ABOUT.items()], _connector="OR"
                ),
                name="accounts_jointact_about_something",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="keep_joint_acts", operation=pgtrigger.Delete),
            # What was asked is what is confirmed, and what is confirmed stays so.
            pgtrigger.Protect(
                name="keep_what_was_asked",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.confirmed_at IS NOT NULL OR"
                    " (OLD.kind, OLD.person_id, OLD.office_id, OLD.partner_id, OLD.consent_id,"
                    " OLD.detail, OLD.reason, OLD.asked_by_id)"
                    " IS DISTINCT FROM (NEW.kind, NEW.person_id, NEW.office_id, NEW.partner_id,"
                    " NEW.consent_id, NEW.detail, NEW.reason, NEW.asked_by_id)"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.reason}"

    @property
    def names(self) -> str:
        """Both operators, as the people read them."""
        return f"{self.asked_by} & {self.confirmed_by}"

    def confirm(self, by: User) -> None:
        """Write down that another operator agrees; the caller does the act in this transaction.

        Raises NeedsAnother. Acts stand in line until the commit.
        """
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        mine = JointAct.objects.waiting().exclude(asked_by=by).exclude(person=by).filter(pk=self.pk)
        if not mine.update(confirmed_by=by, confirmed_at=Now()):
            raise NeedsAnother
        self.confirmed_by = by
