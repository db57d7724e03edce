"""Four-eyes approvals: an operator requests an act, a second one confirms it within 24 hours."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import pgtrigger
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection, models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from backoffice.models.terms_proposal import TermsProposal
from core.triggers import Protect

if TYPE_CHECKING:
    from accounts.models import User

VALID_FOR = timedelta(hours=24)
# The advisory lock that is held while approvals are requested or confirmed: two of them could
# wait for each other's rows.
LOCK = 20_003


class NeedsSecondOperator(Exception):
    """The approval cannot be confirmed: by this operator, this late, or a second time."""


class ActRefused(NeedsSecondOperator):
    """The act is not possible any more; the text says why."""


class ApprovalKind(models.TextChoices):
    """The acts that need two operators. Each has a page in the admin, which carries it out."""

    RESET_MFA = "reset_mfa", "Reset of the second factor"
    CLOSE_OFFICE = "close_office", "Closing of the office"
    CHANGE_NUMBER = "change_number", "Change of the enterprise number"
    RETIRE_PARTNER = "retire_partner", "Retirement of the software"
    END_ACCESS = "end_access", "End of the access"
    NEW_OPERATOR = "new_operator", "New operator"
    CHANGE_ROLE = "change_role", "Change of an operator's role"
    RESET_OPERATOR = "reset_operator", "Reset of an operator's second factor"
    PUBLISH_TERMS = "publish_terms", "Publication of terms"


def _about(*named: str) -> Q:
    """Return the condition that exactly these foreign keys are set."""
    return Q(**{f"{one}__isnull": one not in named for one in SUBJECTS})


SUBJECTS = ("person", "office", "partner", "consent", "terms")
ABOUT = {
    ApprovalKind.RESET_MFA: _about("person", "office"),
    ApprovalKind.CLOSE_OFFICE: _about("office"),
    ApprovalKind.CHANGE_NUMBER: _about("office") & ~Q(detail=""),
    ApprovalKind.RETIRE_PARTNER: _about("partner"),
    ApprovalKind.END_ACCESS: _about("consent"),
    ApprovalKind.NEW_OPERATOR: _about() & ~Q(detail=""),
    ApprovalKind.CHANGE_ROLE: _about("person") & ~Q(detail=""),
    ApprovalKind.RESET_OPERATOR: _about("person"),
    ApprovalKind.PUBLISH_TERMS: _about("terms") & ~Q(detail=""),
}


def wait_for_other_approvals() -> None:
    """Take the lock of all approvals until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [LOCK])


def _is_operator(person: User) -> bool:
    """Return whether the person is an operator now; the session may have begun before the end."""
    operators = get_user_model().objects.filter(is_staff=True, is_active=True)
    return operators.filter(pk=person.pk).exists()


class FourEyesApprovalQuerySet(models.QuerySet["FourEyesApproval"]):
    def request_once(self, replaces: str, **fields: Any) -> FourEyesApproval | None:
        """Create a request, unless another one is waiting that the operator has not seen.

        `self` is what waits for the same act. `replaces` is the key of the request that the form
        showed, or empty: so a form that is sent twice makes one request.
        """
        with transaction.atomic():
            wait_for_other_approvals()
            newest = self.order_by("pk").last()
            if replaces != (str(newest.pk) if newest else ""):
                return None
            if not _is_operator(fields["requested_by"]):
                return None
            return FourEyesApproval.objects.create(**fields)

    def waiting(self) -> FourEyesApprovalQuerySet:
        """Return what was requested within the last 24 hours, is not confirmed and not lapsed."""
        return self.filter(confirmed_at=None, lapsed_at=None, requested_at__gt=Now() - VALID_FOR)

    def lapse_requests_of(self, operator: User) -> int:
        """End the open requests of an operator whose access ends; return how many there were."""
        wait_for_other_approvals()
        return self.waiting().filter(requested_by=operator).update(lapsed_at=Now())


class FourEyesApproval(models.Model):
    """A request of one operator. Nothing is done before a second operator confirms it."""

    kind = models.CharField(max_length=14, choices=ApprovalKind.choices)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    office = models.ForeignKey("accounts.Office", models.PROTECT, null=True, related_name="+")
    partner = models.ForeignKey("partners.Partner", models.PROTECT, null=True, related_name="+")
    consent = models.ForeignKey("consents.Consent", models.PROTECT, null=True, related_name="+")
    terms = models.ForeignKey(TermsProposal, models.PROTECT, null=True, related_name="+")
    detail = models.CharField(max_length=400, blank=True, default="")
    reason = models.CharField(max_length=300)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(db_default=Now(), editable=False)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    confirmed_at = models.DateTimeField(null=True, editable=False)
    # When another request replaced it, or the access of the first operator ended, before somebody
    # confirmed.
    lapsed_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[Any] = FourEyesApprovalQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_by=None, confirmed_at=None)
                | (
                    ~Q(confirmed_by=None)
                    & ~Q(confirmed_by=F("requested_by"))
                    & Q(confirmed_at__lte=F("requested_at") + VALID_FOR)
                ),
                name="backoffice_approval_two_operators_in_a_day",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at=None) | Q(lapsed_at=None),
                name="backoffice_approval_ends_once",
            ),
            models.CheckConstraint(
                condition=~Q(reason=""), name="backoffice_approval_for_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(person=None)
                | (
                    ~Q(requested_by=F("person"))
                    & (Q(confirmed_by=None) | ~Q(confirmed_by=F("person")))
                ),
                name="backoffice_approval_not_for_oneself",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    *[Q(kind=k) & about for k, about in ABOUT.items()], _connector="OR"
                ),
                name="backoffice_approval_about_something",
            ),
        ]
        triggers = [
            Protect(name="keep_approvals", operation=pgtrigger.Delete),
            # A request does not change until it is confirmed, and not at all afterwards.
            Protect(
                name="keep_what_was_requested",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.confirmed_at IS NOT NULL OR OLD.lapsed_at IS NOT NULL OR"
                    " (OLD.kind, OLD.person_id, OLD.office_id, OLD.partner_id, OLD.consent_id,"
                    " OLD.terms_id, OLD.detail, OLD.reason, OLD.requested_by_id)"
                    " IS DISTINCT FROM (NEW.kind, NEW.person_id, NEW.office_id, NEW.partner_id,"
                    " NEW.consent_id, NEW.terms_id, NEW.detail, NEW.reason, NEW.requested_by_id)"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.reason}"

    @property
    def subject(self) -> str:
        """What the act is about, as people read it."""
        if self.consent is not None:
            return f"{self.consent.partner} at {self.consent.office}"
        return str(self.person or self.office or self.partner or self.terms or self.detail)

    @property
    def names(self) -> str:
        """Return the names of both operators, as people read them."""
        return f"{self.requested_by} & {self.confirmed_by}"

    def confirm(self, by: User) -> None:
        """Record that a second operator agrees. The caller does the act in this transaction.

        Raises NeedsSecondOperator. Approvals are carried out one after the other.
        """
        wait_for_other_approvals()
        waiting = FourEyesApproval.objects.waiting().filter(pk=self.pk)
        mine = waiting.exclude(requested_by=by).exclude(person=by)
        if not _is_operator(by) or not mine.update(confirmed_by=by, confirmed_at=Now()):
            raise NeedsSecondOperator
        self.confirmed_by = by
