"""Where an approval is confirmed, who may confirm it, and the e-mail that asks them to."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse

from accounts.models import Membership, User
from backoffice.models.four_eyes import ApprovalKind, FourEyesApproval
from backoffice.roles import holders_of
from mailer.messages import Content, email_message
from mailer.models import OutgoingEmail
from mailer.outbox import enqueue

# What the page of each act asks for.
RIGHTS = {
    ApprovalKind.RESET_MFA: "backoffice.reset_factor",
    ApprovalKind.CLOSE_OFFICE: "backoffice.close_office",
    ApprovalKind.CHANGE_NUMBER: "backoffice.close_office",
    ApprovalKind.RETIRE_PARTNER: "backoffice.retire_partner",
    ApprovalKind.END_ACCESS: "backoffice.end_access",
    ApprovalKind.NEW_OPERATOR: "backoffice.manage_operators",
    ApprovalKind.CHANGE_ROLE: "backoffice.manage_operators",
    ApprovalKind.RESET_OPERATOR: "backoffice.manage_operators",
    ApprovalKind.PUBLISH_TERMS: "consents.add_terms",
}


def right_to_confirm(approval: FourEyesApproval) -> str:
    """The permission that the page of this approval asks for."""
    return RIGHTS[ApprovalKind(approval.kind)]


def page_of(approval: FourEyesApproval) -> str:
    """The address of the page where this approval is confirmed."""
    match approval.kind:
        case ApprovalKind.END_ACCESS:
            return reverse("admin:consent_end", args=[approval.consent_id])
        case ApprovalKind.RETIRE_PARTNER:
            return reverse("admin:partner_retire", args=[approval.partner_id])
        case ApprovalKind.CLOSE_OFFICE:
            return reverse("admin:office_close", args=[approval.office_id])
        case ApprovalKind.CHANGE_NUMBER:
            return reverse("admin:office_number", args=[approval.office_id])
        case ApprovalKind.NEW_OPERATOR:
            return reverse("admin:operator_invite")
        case ApprovalKind.CHANGE_ROLE:
            return reverse("admin:operator_role", args=[approval.person_id])
        case ApprovalKind.RESET_OPERATOR:
            return reverse("admin:operator_factor", args=[approval.person_id])
        case ApprovalKind.PUBLISH_TERMS:
            return reverse("admin:terms_publication")
    members = Membership.objects.filter(office=approval.office_id, user=approval.person_id)
    member = members.order_by("-is_active", "pk").values_list("pk", flat=True)[0]
    return reverse("admin:mfa_reset", args=[approval.office_id, member])


def ask_for_second_operator(approval: FourEyesApproval) -> int:
    """Write an e-mail to everybody who may confirm, in the transaction of the request.

    Returns how many there are.
    """
    may_confirm = holders_of(right_to_confirm(approval))
    operators = User.objects.filter(may_confirm, is_staff=True, is_active=True)
    others = operators.exclude(pk__in=[approval.requested_by_id, approval.person_id or 0])
    readers = list(others.distinct())
    for operator in readers:
        enqueue(
            "approval_waiting",
            operator.email,
            operator.language,
            dedupe_key=f"approval.{approval.pk}.{operator.pk}",
            person=operator.pk,
            approval=approval.pk,
        )
    return len(readers)


@email_message("approval_waiting")
def approval_waiting(email: OutgoingEmail) -> Content | None:
    """None when it was confirmed meanwhile, or has lapsed."""
    waiting = FourEyesApproval.objects.waiting().select_related("requested_by")
    approval = waiting.filter(pk=email.context["approval"]).first()
    if approval is None:
        return None
    link = settings.PORTAL_URL + page_of(approval)
    return Content({"approval": approval, "name": str(approval.requested_by), "link": link})
