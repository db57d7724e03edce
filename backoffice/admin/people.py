"""The people of an office in the admin, and *MFA reset* by two operators."""

from __future__ import annotations

from typing import Any, cast

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from accounts.models import Membership, Office, User
from backoffice.admin.four_eyes import FourEyesAction, four_eyes_page
from backoffice.admin.site import AdminPage
from backoffice.mfa_reset import reset_mfa
from backoffice.models.four_eyes import ApprovalKind
from backoffice.models.support_access import AccessedRecord, SupportAccess


def list_of_people(office: Office, *, may_reset: bool) -> str:
    """Return everybody with role and two-factor authentication, with a link to the MFA reset."""
    members: Any = office.memberships.active().with_second_factor().select_related("user")
    rows = format_html_join(
        "",
        "<li>{} &lt;{}&gt;, {}, {}{}</li>",
        (
            (
                str(member.user),
                member.user.email,
                member.get_role_display(),
                "second factor" if member.has_second_factor else "no second factor",
                _link_to_reset(office, member) if may_reset else "",
            )
            for member in members.order_by("user__email")
        ),
    )
    return format_html("<ul>{}</ul>", rows)


def _link_to_reset(office: Office, member: Membership) -> str:
    path = reverse("admin:mfa_reset", args=[office.pk, member.pk])
    return format_html(' · <a href="{}">Reset second factor</a>', path)


def reset_page(page: AdminPage, request: HttpRequest, office: Office, key: int) -> HttpResponse:
    """Reset the two-factor authentication of a person, by two operators."""
    members = office.memberships.active().select_related("user")
    member: Membership = get_object_or_404(members, pk=key)
    person = member.user
    SupportAccess.objects.write(
        office, cast(User, request.user), AccessedRecord.PERSON, str(person)
    )
    factors = Authenticator.objects.filter(user=person).order_by("type")
    kinds = [Authenticator.Type(factor.type).label for factor in factors]
    sessions = UserSession.objects.filter(user=person).count()
    action = FourEyesAction(
        kind=ApprovalKind.RESET_MFA,
        subjects={"person": person, "office": office},
        carry_out=reset_mfa,
        history_of=office,
        back=reverse("admin:accounts_office_change", args=[office.pk]),
        title=f"Reset the second factor of {person}",
        consequences=[
            f"{person} <{person.email}>, {member.get_role_display()} of {office}.",
            f"These will be removed: {', '.join(map(str, kinds))}."
            if kinds
            else "No authenticator app, passkey or recovery codes to remove.",
            f"{sessions} sessions will end. The person then logs in with the password only and "
            "sets up two-factor authentication again.",
            "The person and the Admins of all their offices will be told.",
            "Call the person back on a number you already had. An attacker would ask for the same "
            "thing.",
        ],
    )
    return four_eyes_page(page, request, action)
