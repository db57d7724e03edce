"""Support for the people of an office: two operators reset a lost second factor."""

from __future__ import annotations

from typing import Any, cast

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from accounts.factor_reset import reset_factor
from accounts.joint import Act
from accounts.looks import OperatorLook, Seen
from accounts.models import Membership, Office, User
from backoffice.joint import Joint, act_together
from backoffice.site import Page


def who_works_there(office: Office) -> str:
    """Everybody with role and second factor, each with the way to reset it."""
    members: Any = office.memberships.active().with_second_factor().select_related("user")
    rows = format_html_join(
        "",
        '<li>{} &lt;{}&gt;, {}, {} · <a href="{}">Reset second factor</a></li>',
        (
            (
                str(member.user),
                member.user.email,
                member.get_role_display(),
                "second factor" if member.has_second_factor else "no second factor",
                reverse("admin:factor_reset", args=[office.pk, member.pk]),
            )
            for member in members.order_by("user__email")
        ),
    )
    return format_html("<ul>{}</ul>", rows)


def reset_page(page: Page, request: HttpRequest, office: Office, key: int) -> HttpResponse:
    """Say what she has and what goes; one operator asks, another one confirms."""
    members = office.memberships.active().select_related("user")
    member: Membership = get_object_or_404(members, pk=key)
    person = member.user
    OperatorLook.objects.write(office, cast(User, request.user), Seen.PERSON, str(person))
    factors = Authenticator.objects.filter(user=person).order_by("type")
    kinds = [Authenticator.Type(factor.type).label for factor in factors]
    sessions = UserSession.objects.filter(user=person).count()
    joint = Joint(
        kind=Act.RESET_FACTOR,
        about={"person": person, "office": office},
        carry_out=reset_factor,
        logged=office,
        back=reverse("admin:accounts_office_change", args=[office.pk]),
        title=f"Reset the second factor of {person}",
        stops=[
            f"{person} <{person.email}>, {member.get_role_display()} of {office}.",
            f"Removed: {', '.join(str(kind) for kind in kinds) or 'nothing, there is none'}.",
            f"Ended: {sessions} sessions. She logs in by her password alone, and adds a new one.",
            "Told: she herself, and the Admins of all her offices.",
            "Ring her back by a number that you knew before: a thief asks for this as well.",
        ],
    )
    return act_together(page, request, joint)
