"""The life of an operator's account: invited, given another role, reset, ended.

To open an account, to change a role and to reset a second factor takes two operators. One alone
can end an access, so that a stolen account is closed at once.
"""

from __future__ import annotations

from typing import NamedTuple, cast

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group
from django.db import transaction

from accounts.models import User
from backoffice.models.four_eyes import (
    ActRefused,
    FourEyesApproval,
    wait_for_other_approvals,
)
from backoffice.models.operators import OperatorIdentity
from backoffice.operator_emails import email_operator, send_link
from backoffice.roles import OperatorRole

HAS_ACCOUNT = "there is an account with this e-mail address already"
NO_OPERATOR = "this person is no operator any more"


class LastSecurityOperator(Exception):
    """The last operator of the role security keeps the role and the access."""


class Invited(NamedTuple):
    """Who is invited, as the detail of the approval says it."""

    role: str
    email: str
    name: str

    @classmethod
    def read(cls, detail: str) -> Invited:
        """Read what `str()` wrote."""
        return cls(*detail.split(" ", 2))

    def __str__(self) -> str:
        return " ".join(self)


def invite(act: FourEyesApproval, by: User) -> None:
    """Open the account of an operator without a password, and send the link to choose one.

    Raises NeedsSecondOperator.
    """
    invited = Invited.read(act.detail)
    with transaction.atomic():
        act.confirm(by)
        if User.objects.filter(email__iexact=invited.email).exists():
            raise ActRefused(HAS_ACCOUNT)
        person = User(email=invited.email, name=invited.name, is_staff=True)
        person.set_unusable_password()
        person.save()
        _give_role(person, invited.role)
        send_link(person)


def change_role(act: FourEyesApproval, by: User) -> None:
    """Give an operator another role, and end their sessions.

    Raises NeedsSecondOperator.
    """
    with transaction.atomic():
        act.confirm(by)
        person = _operator(act)
        try:
            if act.detail != OperatorRole.SECURITY:
                _keep_one_for_security(person)
        except LastSecurityOperator as error:
            raise ActRefused("this is the last operator with the role security") from error
        _give_role(person, act.detail)
        end_sessions(person)
        email_operator(person, "role", role=act.detail, names=act.names)


def reset_factor(act: FourEyesApproval, by: User) -> None:
    """Remove app, passkeys and recovery codes of an operator, and end their sessions.

    Their account at an OpenID provider is forgotten too: the next login there is a first one.
    Raises NeedsSecondOperator.
    """
    with transaction.atomic():
        act.confirm(by)
        person = _operator(act)
        Authenticator.objects.filter(user=person).delete()
        OperatorIdentity.objects.filter(operator=person).delete()
        end_sessions(person)
        email_operator(person, "reset", names=act.names)


def end_access(person: User, by: User) -> int:
    """End the access of an operator now; return how many open requests of theirs lapsed.

    Sessions, role and password end. The account stays, for the history; with a membership the
    person still works for an office. Raises LastSecurityOperator.
    """
    with transaction.atomic():
        wait_for_other_approvals()
        _keep_one_for_security(person)
        lapsed = FourEyesApproval.objects.lapse_requests_of(person)
        still_works = person.memberships.filter(is_active=True).exists()
        person.groups.clear()
        person.user_permissions.clear()
        person.is_staff = person.is_superuser = False
        person.is_active = still_works
        if not still_works:
            person.set_unusable_password()
        person.save()
        end_sessions(person)
        email_operator(person, "ended", names=str(by))
    return int(lapsed)


def end_sessions(person: User, key: int | None = None) -> int:
    """End all sessions of a person, or the one with this key; return how many ended."""
    sessions = UserSession.objects.filter(user=person)
    if key is not None:
        sessions = sessions.filter(pk=key)
    ended = 0
    for session in sessions:
        session.end()
        ended += 1
    return ended


def is_invited(person: User) -> bool:
    """Return whether an operator has not chosen a password yet."""
    return person.is_staff and person.is_active and not person.has_usable_password()


def send_link_again(person: User) -> bool:
    """Send a new link; the one before stops working. False where a password was chosen."""
    with transaction.atomic():
        locked = User.objects.select_for_update(no_key=True).get(pk=person.pk)
        if not is_invited(locked):
            return False
        locked.set_unusable_password()
        locked.save(update_fields=["password"])
        send_link(locked)
    return True


def _operator(act: FourEyesApproval) -> User:
    person = User.objects.filter(pk=cast(int, act.person_id), is_staff=True, is_active=True).first()
    if person is None:
        raise ActRefused(NO_OPERATOR)
    return person


def _give_role(person: User, role: str) -> None:
    """Set the only role of a person. Superusers lose what the command line gave them."""
    person.groups.set([Group.objects.get(name=OperatorRole(role).value)])
    person.user_permissions.clear()
    if person.is_superuser:
        person.is_superuser = False
        person.save(update_fields=["is_superuser"])


def _keep_one_for_security(person: User) -> None:
    """Raise LastSecurityOperator if the person is the only one. The caller has the lock."""
    those = User.objects.filter(
        is_staff=True, is_active=True, groups__name=OperatorRole.SECURITY.value
    )
    if those.filter(pk=person.pk).exists() and not those.exclude(pk=person.pk).exists():
        raise LastSecurityOperator
