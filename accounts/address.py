"""A new e-mail address counts when the old and the new mailbox have both said yes.

Each step is a signed link. The account is not touched before the last one, and a change of the
password or of the address makes every link that is on its way worthless.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Self

from allauth.account.models import EmailAddress
from django.core import signing
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.crypto import constant_time_compare

from accounts.events import MembershipEvent, MembershipEventKind
from accounts.letters import Letter
from accounts.models import Membership, User

VALID_FOR = timedelta(hours=24)
SALT = "accounts.address"
Step = Literal["old", "new"]


class AddressTaken(Exception):
    """Another account has this address."""


@dataclass(frozen=True)
class AddressChange:
    """What a link stands for; `step` is the mailbox that it was sent to."""

    person: User
    new: str
    step: Step

    @classmethod
    def read(cls, token: str, person: User) -> Self | None:
        """The change that this person asked for; None for a link that is old, used or not hers."""
        try:
            told = signing.loads(token, salt=SALT, max_age=VALID_FOR)
        except signing.BadSignature:
            return None
        return cls.told(told, person)

    @classmethod
    def told(cls, told: Mapping[str, Any], person: User) -> Self | None:
        """The change, unless password or address changed since it was asked for."""
        change = cls(person, told["new"], told["step"])
        return change if constant_time_compare(told["seal"], change._seal()) else None

    def _as_told(self) -> dict[str, str]:
        return {"new": self.new, "step": self.step, "seal": self._seal()}

    def path(self) -> str:
        """Where the link leads, signed now."""
        token = signing.dumps(self._as_told(), salt=SALT)
        return reverse("accounts:confirm_email", args=[token])

    def mail(self) -> None:
        """Let a worker send the link to the mailbox of this step."""
        to = self.person.email if self.step == "old" else self.new
        Letter.objects.write(
            "address", to, self.person.language, person=self.person, told=self._as_told()
        )

    def make(self) -> None:
        """Change the address, once, with an event at each office. Raises AddressTaken."""
        try:
            with transaction.atomic():
                old = self.person.email
                same = User.objects.filter(pk=self.person.pk, email=old)
                if same.update(email=self.new):
                    self.person.email = self.new
                    self._write()
        except IntegrityError as error:
            raise AddressTaken from error

    def _write(self) -> None:
        person = self.person
        # allauth would let the old address log in as long as it has it.
        EmailAddress.objects.filter(user=person).delete()
        for of in Membership.objects.active().filter(user=person).select_related("office"):
            MembershipEvent.objects.write(
                of.office,
                MembershipEventKind.EMAIL_CHANGED,
                person,
                email=self.new,
                role=of.role,
                person=person,
            )

    def _seal(self) -> str:
        """What the link is bound to: the person, her password and the address she has now."""
        signer = signing.Signer(salt=SALT)
        return signer.signature(f"{self.person.get_session_auth_hash()}:{self.person.email}")
