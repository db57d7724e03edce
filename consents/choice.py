"""The choice between the two screens: signed, and bound to the person, the consent and the terms.

It is no session state, so two tabs do not disturb each other, and nothing is stored before the
person confirms.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal
from uuid import UUID

from django.core import signing

SALT = "consents.choice"
VALID_SECONDS = 3600

Wish = Literal["allow", "deny"]


class StaleChoice(Exception):
    """The choice is damaged, too old, or of another person or consent: ask again."""


@dataclass(frozen=True)
class Choice:
    """What the person wished on the first screen, and which terms she had before her."""

    wish: Wish
    consent: str
    person: int
    terms: int
    partner_name: str
    partner_logo: str
    document_kinds: list[str]
    companies: int
    scope_number: int

    def sign(self) -> str:
        return signing.dumps(asdict(self), salt=SALT, compress=True)

    @classmethod
    def read(cls, signed: str, *, consent: UUID, person: int) -> Choice:
        """Return the choice of this person about this consent, or raise StaleChoice."""
        try:
            choice = cls(**signing.loads(signed, salt=SALT, max_age=VALID_SECONDS))
        except (signing.BadSignature, TypeError) as error:
            raise StaleChoice from error
        if choice.consent != str(consent) or choice.person != person:
            raise StaleChoice
        return choice
