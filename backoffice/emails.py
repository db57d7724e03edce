"""The e-mails about what two operators did: they go to everybody concerned and have no switch."""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.db.models import Q
from django.urls import reverse

from accounts.models import Membership, Office, User
from backoffice.models.four_eyes import ApprovalKind, FourEyesApproval
from mailer.messages import Content, email_message
from mailer.models import OutgoingEmail
from mailer.outbox import enqueue

# What everybody concerned reads; whose second factor was reset reads another one.
MESSAGES = {
    ApprovalKind.RESET_MFA: "mfa_reset_colleague",
    ApprovalKind.CLOSE_OFFICE: "office_closed",
    ApprovalKind.CHANGE_NUMBER: "office_renumbered",
}
OWN_MFA_RESET = "mfa_reset_own"


def email_approval(act: FourEyesApproval) -> None:
    """Write an e-mail to everybody concerned, in the transaction of the act."""
    office = Office.objects.get(pk=cast(int, act.office_id))
    for reader in readers(act):
        own = reader.pk == act.person_id
        enqueue(
            OWN_MFA_RESET if own else MESSAGES[ApprovalKind(act.kind)],
            reader.email,
            reader.language or office.language,
            dedupe_key=f"operators.{act.pk}.{reader.pk}",
            person=reader.pk,
            approval=act.pk,
        )


def readers(act: FourEyesApproval) -> list[User]:
    """The person and the Admins of their offices, or the people of the office."""
    if act.person is not None:
        members = Membership.objects.admins().filter(office__in=Office.objects.of(act.person))
    elif act.kind == ApprovalKind.CLOSE_OFFICE:
        members = Membership.objects.reachable().filter(office=act.office)
    else:
        members = Membership.objects.admins().filter(office=act.office)
    people = User.objects.filter(Q(pk__in=members.values("user")) | Q(pk=act.person_id))
    return list(people.filter(is_active=True).order_by("pk"))


@email_message(OWN_MFA_RESET, *MESSAGES.values())
def done_by_operators(email: OutgoingEmail) -> Content:
    acts = FourEyesApproval.objects.select_related(
        "office", "person", "requested_by", "confirmed_by"
    )
    act = acts.get(pk=email.context["approval"])
    office = cast(Office, act.office)
    path = reverse("dashboard:home")
    if email.message == OWN_MFA_RESET:
        path = reverse("mfa_index")
    elif act.kind == ApprovalKind.RESET_MFA:
        path = reverse("accounts:users", args=[office.slug])
    context = {
        "approval": act,
        "person": str(act.person),
        "office": office.name,
        "number": act.detail,
        "names": act.names,
        "link": settings.PORTAL_URL + path,
    }
    return Content(context)
