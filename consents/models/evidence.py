"""The evidence of an agreement: who agreed to what, in which words, as the screen showed it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.models import Role
from core.triggers import erasable

if TYPE_CHECKING:
    from consents.actors import Actor
    from consents.models import Terms


@dataclass(frozen=True)
class EvidenceSnapshot:
    """What stood on the screen when a person agreed; `companies` is how many were in scope."""

    partner_name: str
    document_kinds: list[str]
    companies: int
    # The SHA-256 of the logo; empty where the software has none.
    partner_logo: str = ""


class Evidence(models.Model):
    """Evidence of one agreement. Names and texts are copied, so later changes do not alter it."""

    event = models.OneToOneField("consents.ConsentEvent", models.PROTECT, related_name="evidence")
    person_name = models.CharField(max_length=200)
    person_email = models.EmailField()
    role = models.CharField(max_length=5, choices=Role.choices)
    address = models.CharField(max_length=45, blank=True)
    browser = models.CharField(max_length=400, blank=True)
    authentication = ArrayField(models.CharField(max_length=20))
    terms = models.ForeignKey("consents.Terms", models.PROTECT, related_name="+")
    terms_version = models.PositiveIntegerField()
    terms_language = models.CharField(max_length=2)
    terms_sha256 = models.CharField(max_length=64)
    partner_name = models.CharField(max_length=80)
    # The SHA-256 of partners.Logo; empty where the software has none.
    partner_logo = models.CharField(max_length=64, blank=True, default="", db_default="")
    document_kinds = ArrayField(models.CharField(max_length=24))
    companies = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "evidence"
        triggers = erasable(
            "evidence",
            "NEW.person_name ~ '^Person [0-9]+$' AND NEW.person_email = '' AND NEW.address = ''"
            " AND NEW.browser = ''",
            "person_name, person_email, address, browser",
        )

    def __str__(self) -> str:
        return f"{self.person_name} · {self.partner_name}"

    @classmethod
    def describe(cls, by: Actor, terms: Terms, snapshot: EvidenceSnapshot) -> Evidence:
        """Who agreed to what, in which words, as it was on the screen; saved with its event."""
        return cls(
            person_name=by.name,
            person_email=by.person.email if by.person else "",
            role=Role.ADMIN,
            address=by.address,
            browser=by.browser,
            authentication=by.authentication,
            terms=terms,
            terms_version=terms.version,
            terms_language=terms.language,
            terms_sha256=terms.sha256,
            partner_name=snapshot.partner_name,
            partner_logo=snapshot.partner_logo,
            document_kinds=snapshot.document_kinds,
            companies=snapshot.companies,
        )
