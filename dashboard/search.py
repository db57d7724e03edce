"""One search over an office: its companies, documents, consents and people."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q

from accounts.models import Membership, Office
from clients.models import Client
from consents.models import Consent
from core.plain_text import Plain, plain
from documents.search_hits import Hit, found_hits
from documents.search_query import terms_of

FEW, DOCUMENTS = 5, 25


class Found(NamedTuple):
    """What was found of each; `more_` where there are others that are not shown."""

    companies: list[Client]
    more_companies: bool
    documents: list[Hit]
    more_documents: bool
    consents: list[Consent]
    people: list[Membership]
    words: list[str]

    @property
    def total(self) -> int:
        of_each = (self.companies, self.documents, self.consents, self.people)
        return sum(len(found) for found in of_each)


def search(office: Office, text: str, *, admin: bool) -> Found:
    """What this office has by these words; consents and people for those who administer them."""
    ours = Client.objects.not_transferred().filter(office=office)
    companies = list(ours.named(text).order_by("archived_at", "name", "pk")[: FEW + 1])
    documents = found_hits(office, text, DOCUMENTS + 1)
    return Found(
        companies[:FEW],
        len(companies) > FEW,
        documents[:DOCUMENTS],
        len(documents) > DOCUMENTS,
        list(_consents(office, text)) if admin else [],
        list(_people(office, text)) if admin else [],
        [term.text for term in terms_of(text)],
    )


def _consents(office: Office, text: str) -> Any:
    condition = Q(plain_name__contains=plain(text))
    with suppress(ValueError):
        condition |= Q(uuid=UUID(text))
    named = office.consents.annotate(plain_name=Plain("partner__name"))
    return named.filter(condition).select_related("partner").order_by("-pk")[:FEW]


def _people(office: Office, text: str) -> Any:
    named = office.memberships.active().annotate(plain_name=Plain("user__name"))
    condition = Q(plain_name__contains=plain(text)) | Q(user__email__icontains=text)
    return named.filter(condition).select_related("user").order_by("user__name", "pk")[:FEW]
