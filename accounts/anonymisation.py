"""Anonymise a person. Their history stays, with a pseudonym instead of the name."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.db.models import Q

from accounts.models import Invitation, OfficeEvent, User
from accounts.signals import person_anonymised
from mailer.models import OutgoingEmail


class StillActive(Exception):
    """The person works for an office, or is an operator: their access must end first."""


def pseudonym(person_id: int) -> str:
    """The name of a person after anonymisation. The same person always gets the same one."""
    return f"Person {person_id}"


def unreachable_address(person_id: int) -> str:
    """An e-mail address that no mailbox can have (RFC 2606) and no other account has."""
    return f"person-{person_id}@erased.invalid"


def anonymise_account(person: User) -> None:
    """Close the account for good; remove name, address, password, second factors and sessions.

    Raises StillActive.
    """
    with transaction.atomic():
        if person.is_staff or person.memberships.filter(is_active=True).exists():
            raise StillActive
        name, address, old = pseudonym(person.pk), unreachable_address(person.pk), person.email
        Invitation.objects.filter(email__iexact=old).update(email=address)
        OfficeEvent.objects.filter(email__iexact=old).update(email=address)
        OfficeEvent.objects.filter(by=person).update(by_name=name)
        person_anonymised.send(sender=type(person), person=person, pseudonym=name)
        about_them = Q(context__person=person.pk) | Q(recipient__iexact=old)
        OutgoingEmail.objects.filter(about_them).delete()
        for session in UserSession.objects.filter(user_id=person.pk):
            session.end()
        for kind in (EmailAddress, Authenticator):
            kind.objects.filter(user_id=person.pk).delete()
        person.name, person.email, person.language, person.muted_notifications = (
            name,
            address,
            "",
            [],
        )
        person.is_active = False
        person.set_unusable_password()
        person.save()
