"""Change an e-mail address, by a link to the old mailbox and then a link to the new one.

Each step is a signed link. The account changes after the last one only. When the password or the
address changes, all earlier links stop working.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Self

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.crypto import constant_time_compare

from accounts.models import Membership, Office, User
from accounts.models.office_event import OfficeEvent, OfficeEventKind
from core.locks import hold, retry_deadlock
from mailer.messages import Content, email_message
from mailer.models import OutgoingEmail
from mailer.outbox import enqueue

VALID_FOR = timedelta(hours=24)
SALT = "accounts.login.email_change"
Step = Literal["old", "new"]


class EmailTaken(Exception):
    """Another account has this address."""


@dataclass(frozen=True)
class EmailChange:
    """The change that a link confirms; `step` is the mailbox that got the link."""

    person: User
    new: str
    step: Step

    @classmethod
    def read(cls, token: str, person: User) -> Self | None:
        """The change that this person asked for; None if the link is not valid for them now."""
        try:
            claims = signing.loads(token, salt=SALT, max_age=VALID_FOR)
        except signing.BadSignature:
            return None
        return cls.from_claims(claims, person)

    @classmethod
    def from_claims(cls, claims: Mapping[str, Any], person: User) -> Self | None:
        """The change; None if the password or the address has changed since the request."""
        change = cls(person, claims["new"], claims["step"])
        return change if constant_time_compare(claims["binding"], change._binding()) else None

    def _claims(self) -> dict[str, str]:
        return {"new": self.new, "step": self.step, "binding": self._binding()}

    def path(self) -> str:
        """The path of the link, signed now."""
        token = signing.dumps(self._claims(), salt=SALT)
        return reverse("accounts:confirm_email", args=[token])

    def send_link(self, press: str = "") -> None:
        """Let a worker send the link to the mailbox of this step, once for a press of a button."""
        to, claims = (self.person.email if self.step == "old" else self.new), self._claims()
        language, person = self.person.language, self.person.pk
        enqueue("email_change", to, language, dedupe_key=press, person=person, **claims)

    @retry_deadlock
    def make(self) -> None:
        """Change the address, once, with an event for each office. Raises EmailTaken."""
        try:
            with transaction.atomic():
                mine = Membership.objects.active().filter(user=self.person)
                hold(Office, *mine.values_list("office", flat=True))
                old = self.person.email
                same = User.objects.filter(pk=self.person.pk, email=old)
                if same.update(email=self.new):
                    self.person.email = self.new
                    self._write()
        except IntegrityError as error:
            raise EmailTaken from error

    def _write(self) -> None:
        person = self.person
        # While allauth has the old address, it would accept it at login.
        EmailAddress.objects.filter(user=person).delete()
        for of in Membership.objects.active().filter(user=person).select_related("office"):
            OfficeEvent.objects.write(
                of.office,
                OfficeEventKind.EMAIL_CHANGED,
                person,
                email=self.new,
                role=of.role,
                person=person,
            )

    def _binding(self) -> str:
        """The values to which the link is bound: the person, their password and their address."""
        signer = signing.Signer(salt=SALT)
        return signer.signature(f"{self.person.get_session_auth_hash()}:{self.person.email}")


@email_message("email_change")
def email_change_link(email: OutgoingEmail) -> Content | None:
    """Sign the link now; there is none if the password or the address has changed since."""
    person = User.objects.get(pk=email.context["person"])
    change = EmailChange.from_claims(email.context, person)
    if change is None:
        return None
    return Content({"change": change, "link": settings.PORTAL_URL + change.path()})
