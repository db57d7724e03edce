"""The decision on its way from the first screen to the second, signed.

It is bound to the person, the consent and the terms. It is not kept in the session, so two tabs do
not disturb each other, and nothing is stored before the person confirms.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal
from uuid import UUID

from django.core import signing

from consents.models import EvidenceSnapshot

SALT = "consents.signed_decision"
VALID_SECONDS = 3600

Choice = Literal["allow", "deny"]


class StaleDecision(Exception):
    """The decision is damaged, too old, or of another person or consent: ask again."""


@dataclass(frozen=True)
class SignedDecision:
    """What the person chose on the first screen, and which terms and scope they were shown."""

    choice: Choice
    consent: str
    person: int
    terms: int
    scope_number: int
    snapshot: EvidenceSnapshot

    def sign(self) -> str:
        return signing.dumps(asdict(self), salt=SALT, compress=True)

    @classmethod
    def read(cls, signed: str, *, consent: UUID, person: int) -> SignedDecision:
        """Return the decision of this person about this consent, or raise StaleDecision."""
        try:
            fields = signing.loads(signed, salt=SALT, max_age=VALID_SECONDS)
            decision = cls(**fields | {"snapshot": EvidenceSnapshot(**fields["snapshot"])})
        except (signing.BadSignature, TypeError, KeyError) as error:
            raise StaleDecision from error
        if decision.consent != str(consent) or decision.person != person:
            raise StaleDecision
        return decision
