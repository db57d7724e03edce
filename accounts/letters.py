"""Mails about people wait in a table, written with what they tell; a worker makes their links.

No row has a secret: an invitation's key follows from a seed in the row and PORTAL_SECRET_KEY, the
other links are signed at the moment of sending. So a stolen database opens nothing.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.conf import settings
from django.db import models
from django.http import HttpRequest
from django.utils import timezone, translation

from accounts.outbox import Outgoing, OutgoingQuerySet, wake_after_commit
from accounts.topics import Topic

if TYPE_CHECKING:
    from accounts.invitations import Invitation
    from accounts.models import MembershipEvent, User


class LetterQuerySet(OutgoingQuerySet):
    def write(self, kind: str, to: str, language: str, **about: Any) -> Letter:
        """Write a letter in the transaction of what it tells; after the commit a worker is woken.

        `about` are fields of the letter; `told` goes to the template as it is.
        """
        from accounts.tasks import send_letter

        letter = cast("Letter", self.create(kind=kind, to=to, language=language, **about))
        wake_after_commit(send_letter, letter.pk)
        return letter


class Letter(Outgoing):
    """One mail to one mailbox; `kind` is the name of its template."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=20)
    to = models.EmailField()
    # Empty: the portal's own.
    language = models.CharField(max_length=2, blank=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    invitation = models.ForeignKey(
        "accounts.Invitation", models.PROTECT, null=True, related_name="+"
    )
    event = models.ForeignKey(
        "accounts.MembershipEvent", models.PROTECT, null=True, related_name="+"
    )
    told = models.JSONField(default=dict)

    objects: ClassVar[Any] = LetterQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.kind} {self.uuid}"


def tell_of_credential(
    request: HttpRequest,
    person: User,
    what: str,
    mailbox: str = "",
    name: str = "credential_changed",
) -> None:
    """Tell a person what happened to her account, when, and from which address and browser."""
    from accounts.requests import address_of

    told = {
        "what": what,
        "at": timezone.now().isoformat(),
        "address": address_of(request),
        "browser": request.headers.get("User-Agent", "")[:200],
    }
    language = person.language or translation.get_language() or ""
    Letter.objects.write(name, mailbox or person.email, language[:2], person=person, told=told)


def send_reset_link(person: User, language: str) -> None:
    """Let a worker mail a link to choose a new password."""
    Letter.objects.write("password_reset", person.email, language[:2], person=person)


def tell_of_invitation(invitation: Invitation, seed: str, next_path: str = "") -> None:
    """Mail the link whose key follows from the seed."""
    from accounts.models import User

    person = User.objects.filter(email__iexact=invitation.email).first()
    Letter.objects.write(
        "invitation",
        invitation.email,
        (person and person.language) or invitation.language,
        invitation=invitation,
        told={"seed": seed, "next": next_path},
    )


def tell_admins(event: MembershipEvent) -> None:
    """Tell the other Admins of the office what happened, unless they said they do not want it."""
    from accounts.models import User

    admins = event.office.memberships.admins().exclude(user=event.by).exclude(user=event.person)
    wanting = User.objects.filter(pk__in=admins.values("user"), is_active=True)
    for admin in wanting.exclude(muted__contains=[Topic.PEOPLE]).order_by("pk"):
        language = admin.language or event.office.language
        Letter.objects.write("people_changed", admin.email, language, person=admin, event=event)
