"""Invitations: a link by e-mail that works once, within 14 days. The row has the key's digest."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.signing import BadSignature, Signer
from django.db import models
from django.db.models.functions import Lower, Now
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts.models.last_admin import changing_people
from accounts.models.office_event import OfficeEvent, OfficeEventKind
from accounts.signals import invitation_link_made
from core.email_address import CanonicalEmailField
from core.locks import retry_deadlock

if TYPE_CHECKING:
    from accounts.models import Membership, Office, User

VALID_FOR = timedelta(days=14)
SALT = "accounts.invitation"


class AlreadyInvited(Exception):
    """The person already works for the office, or was already invited."""


class InvitationEnded(Exception):
    """The invitation was used, withdrawn, or is too old."""


def digest_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def key_from(seed: str, secret: str | None = None) -> str:
    """The key of 256 bits, made from a seed and the portal's secret key. No row contains it."""
    hmac = salted_hmac(SALT, seed, secret=secret or settings.SECRET_KEY, algorithm="sha256")
    return hmac.hexdigest()


def token_of(key: str) -> str:
    """The key as the link has it: signed, so that guesses never reach the database."""
    return Signer(salt=SALT, sep=".").sign(key)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> InvitationQuerySet:
        """Neither accepted nor withdrawn; the link may be too old."""
        return self.filter(accepted_at=None, revoked_at=None)

    def about_to_expire(self) -> InvitationQuerySet:
        """Open invitations whose link is too old, or will be within three days."""
        return self.open().filter(expires_at__lte=Now() + timedelta(days=3))

    def with_token(self, token: str) -> Invitation | None:
        """The invitation of a link, in any state; None if we did not sign the link."""
        try:
            key = Signer(salt=SALT, sep=".").unsign(token)
        except BadSignature:
            return None
        return self.select_related("office").filter(key_digest=digest_of(key)).first()

    @retry_deadlock
    def invite(
        self, office: Office, by: User, *, email: str, role: str, language: str, then: str = ""
    ) -> Invitation:
        """Invite on behalf of an Admin. The link in the e-mail leads to the path `then`.

        Raises PermissionDenied, AlreadyInvited.
        """
        with changing_people(office, by):
            return self._make(office, by, email=email, role=role, language=language, then=then)

    @retry_deadlock
    def invite_first_admin(
        self, office: Office, by: User, *, email: str, language: str
    ) -> Invitation:
        """Invite on behalf of an operator, if nobody of the office can; otherwise like `invite`."""
        with changing_people(office):
            if not by.is_staff or office.memberships.admins().exists():
                raise PermissionDenied
            return self._make(office, by, email=email, role="admin", language=language)

    def _make(
        self, office: Office, by: User, *, email: str, role: str, language: str, then: str = ""
    ) -> Invitation:
        seed = secrets.token_urlsafe(32)
        members = office.memberships.filter(is_active=True, user__email__iexact=email)
        if members.exists() or self.open().filter(office=office, email__iexact=email).exists():
            raise AlreadyInvited
        invitation = self.create(
            office=office,
            email=email,
            role=role,
            language=language,
            invited_by=by,
            key_digest=digest_of(key_from(seed)),
            expires_at=Now() + VALID_FOR,
        )
        invitation.refresh_from_db()
        invitation._announce_link(OfficeEventKind.INVITED, by, seed, then)
        return invitation


class Invitation(models.Model):
    """An office asks a person, known by their address, to work for it in a role."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    office = models.ForeignKey("accounts.Office", models.PROTECT, related_name="invitations")
    email = CanonicalEmailField(_("email address"))
    role = models.CharField(max_length=5)
    language = models.CharField(max_length=2)
    key_digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, editable=False)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "office",
                Lower("email"),
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="accounts_invitation_one_open",
            ),
            models.CheckConstraint(
                condition=models.Q(accepted_at=None) | models.Q(revoked_at=None),
                name="accounts_invitation_ends_once",
            ),
            models.CheckConstraint(
                condition=models.Q(accepted_at=None, accepted_by=None)
                | models.Q(accepted_at__isnull=False, accepted_by__isnull=False),
                name="accounts_invitation_accepted_by_somebody",
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=["admin", "user"]),
                name="accounts_invitation_known_role",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} · {self.office}"

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()

    @property
    def state(self) -> str:
        """The state: accepted, revoked, expired or invited."""
        if self.accepted_at:
            return "accepted"
        if self.revoked_at:
            return "revoked"
        return "expired" if self.is_expired else "invited"

    @retry_deadlock
    def resend(self, by: User) -> None:
        """Send a new link; the 14 days begin again and the old link stops working.

        Raises PermissionDenied, InvitationEnded.
        """
        seed = secrets.token_urlsafe(32)
        digest = digest_of(key_from(seed))
        with changing_people(self.office, by):
            self._change(key_digest=digest, sent_at=Now(), expires_at=Now() + VALID_FOR)
            self._announce_link(OfficeEventKind.INVITED_AGAIN, by, seed)

    def key_of(self, seed: str) -> str | None:
        """The key of the link that is valid now; None if the seed belongs to another link."""
        known = (
            key_from(seed, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
        )
        fitting = (key for key in known if digest_of(key) == self.key_digest)
        return next(fitting, None) if self.state == "invited" else None

    @retry_deadlock
    def revoke(self, by: User) -> None:
        """Withdraw it: the link stops working. Raises PermissionDenied, InvitationEnded."""
        with changing_people(self.office, by):
            self._change(revoked_at=Now())
            self.write(OfficeEventKind.REVOKED, by)

    @retry_deadlock
    def revoke_first_admin(self, by: User) -> None:
        """Withdraw it on behalf of an operator, if nobody of the office can; like `revoke`."""
        with changing_people(self.office):
            if not by.is_staff or self.office.memberships.admins().exists():
                raise PermissionDenied
            self._change(revoked_at=Now())
            self.write(OfficeEventKind.REVOKED, by)

    @retry_deadlock
    def accept(self, person: User) -> Membership:
        """Make the person with the invited address a member of the office.

        Raises PermissionDenied, InvitationEnded.
        """
        if person.email.lower() != self.email.lower():
            raise PermissionDenied
        with changing_people(self.office):
            valid = Invitation.objects.open().filter(pk=self.pk, expires_at__gt=Now())
            # Compare the digest of this link: a newer link may have replaced it.
            if not valid.filter(key_digest=self.key_digest).update(
                accepted_at=Now(), accepted_by=person
            ):
                raise InvitationEnded
            membership = self.office.memberships.admit(self.office, person, self.role)
            self.write(OfficeEventKind.JOINED, person, person)
        return membership

    def write(self, kind: OfficeEventKind, by: User, person: User | None = None) -> OfficeEvent:
        return OfficeEvent.objects.write(
            self.office, kind, by, email=self.email, role=self.role, person=person
        )

    def _announce_link(
        self, kind: OfficeEventKind, by: User, seed: str, next_path: str = ""
    ) -> None:
        event = self.write(kind, by)
        invitation_link_made.send(
            Invitation, invitation=self, event=event, seed=seed, next_path=next_path
        )

    def _change(self, **changes: object) -> None:
        if not Invitation.objects.open().filter(pk=self.pk).update(**changes):
            raise InvitationEnded
        self.refresh_from_db()
