"""Who acts on a consent, and how the portal knows who it was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_noop

from core.client_ip import address_of

if TYPE_CHECKING:
    from accounts.models import User
    from accounts.requests import PersonRequest
    from partners.models import Partner


# The reason of a consent that its software gave up: stored in English, shown translated.
GIVEN_UP = gettext_noop("given up by the software")


class ActorKind(models.TextChoices):
    PERSON = "person"
    PARTNER = "partner"
    OPERATOR = "operator"
    CLOCK = "clock"


@dataclass(frozen=True)
class Actor:
    """Who acts. Only a person of the office can give access, so only persons leave evidence."""

    kind: ActorKind
    name: str
    person: User | None = None
    address: str = ""
    browser: str = ""
    authentication: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, request: PersonRequest) -> Actor:
        """The person of this request, with the address that the trusted proxy gave."""
        records = get_authentication_records(request, request.user)
        return cls(
            ActorKind.PERSON,
            name=str(request.user),
            person=request.user,
            address=address_of(request),
            browser=request.headers.get("User-Agent", "")[:400],
            # A second factor is stored by its own name: totp, webauthn or recovery_codes.
            authentication=sorted({str(r.get("type") or r["method"]) for r in records}),
        )

    @classmethod
    def partner(cls, partner: Partner) -> Actor:
        return cls(ActorKind.PARTNER, name=partner.name)

    @classmethod
    def operators(cls, first: User, second: User) -> Actor:
        """Two operators, who together can end access and never give it."""
        return cls(ActorKind.OPERATOR, name=f"{first} & {second}", person=second)

    @classmethod
    def portal(cls) -> Actor:
        """The portal itself, when an operator suspends or reinstates software."""
        return cls(ActorKind.OPERATOR, name=settings.PORTAL_NAME)

    @classmethod
    def clock(cls) -> Actor:
        return cls(ActorKind.CLOCK, name="")
