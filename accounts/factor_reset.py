"""A person who lost her second factor gets in again: by two operators, told to all concerned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction

from accounts.events import MembershipEvent, MembershipEventKind
from accounts.models import Membership
from accounts.told_of_acts import tell_of_act

if TYPE_CHECKING:
    from accounts.joint import JointAct
    from accounts.models import User


def reset_factor(act: JointAct, by: User) -> None:
    """Remove app, passkeys and codes and end all sessions, with an event at each of her offices.

    Raises NeedsAnother.
    """
    with transaction.atomic():
        act.confirm(by)
        Authenticator.objects.filter(user=act.person).delete()
        # Whoever holds her open session now must not add a factor of his own.
        for session in UserSession.objects.filter(user=act.person):
            session.end()
        for of in Membership.objects.active().filter(user=act.person).select_related("office"):
            MembershipEvent.objects.write(
                of.office,
                MembershipEventKind.FACTOR_RESET,
                by,
                by_name=act.names,
                email=of.user.email,
                role=of.role,
                person=of.user,
            )
        tell_of_act(act)
