"""Erase who somebody was. Rows that are history stay, with a pseudonym in the place of the name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.db.models import Q

from accounts.looks import Seen

if TYPE_CHECKING:
    from accounts.models import User


class StillHere(Exception):
    """The person works for an office, or is an operator: her access ends first."""


def pseudonym(person_id: int) -> str:
    """What stands in the place of an erased name; the same person keeps the same one."""
    return f"Person {person_id}"


def no_address(person_id: int) -> str:
    """An address that nobody can have (RFC 2606), and that no other account has."""
    return f"person-{person_id}@erased.invalid"


def erase_account(person: User) -> None:
    """Close the account for good and forget name, address, password, factors and sessions.

    Raises StillHere.
    """
    from accounts.models import Invitation, Letter, MembershipEvent, OperatorLook

    with transaction.atomic():
        if person.is_staff or person.memberships.filter(is_active=True).exists():
            raise StillHere
        name, address, old = pseudonym(person.pk), no_address(person.pk), person.email
        Invitation.objects.filter(email__iexact=old).update(email=address)
        MembershipEvent.objects.filter(email__iexact=old).update(email=address)
        MembershipEvent.objects.filter(by=person).update(by_name=name)
        OperatorLook.objects.filter(seen=Seen.PERSON, about=str(person)).update(about=name)
        Letter.objects.filter(Q(person=person) | Q(to__iexact=old)).delete()
        for session in UserSession.objects.filter(user_id=person.pk):
            session.end()
        for kind in (EmailAddress, Authenticator):
            kind.objects.filter(user_id=person.pk).delete()
        person.name, person.email, person.language, person.muted = name, address, "", []
        person.is_active = False
        person.set_unusable_password()
        person.save()
