"""MFA reset: remove the two-factor authentication of a person who lost access to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction

from accounts.models import Membership, Office
from accounts.models.office_event import OfficeEvent, OfficeEventKind
from backoffice.emails import email_approval
from core.locks import hold

if TYPE_CHECKING:
    from accounts.models import User
    from backoffice.models.four_eyes import FourEyesApproval


def reset_mfa(act: FourEyesApproval, by: User) -> None:
    """Remove authenticator app, passkeys and recovery codes, and end all sessions of the person.

    Each of their offices gets an event.

    Raises NeedsSecondOperator.
    """
    with transaction.atomic():
        act.confirm(by)
        offices = Membership.objects.active().filter(user=act.person).select_related("office")
        hold(Office, *offices.values_list("office", flat=True))
        Authenticator.objects.filter(user=act.person).delete()
        # Somebody else may hold an open session and could add an authenticator app of their own.
        for session in UserSession.objects.filter(user=act.person):
            session.end()
        for of in offices:
            OfficeEvent.objects.write(
                of.office,
                OfficeEventKind.FACTOR_RESET,
                by,
                by_name=act.names,
                email=of.user.email,
                role=of.role,
                person=of.user,
            )
        email_approval(act)
