"""Who can see a company, and who fetched which of its documents."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from accounts.tenancy import office_scope
from clients.models import Client
from consents.models import Consent
from documents.models import Document, DocumentRead, Kind, Outcome

# The export reads so many rows at a time.
BATCH = 500


BY_COMPANY = """
    select d.client_id, count(*), max(r.at) from documents_documentread r
    join documents_document d on d.id = r.document_id
    where r.office_id = %s and r.consent_id = %s and r.outcome = 'served'
      and r.at > statement_timestamp() - interval '30 days'
    group by d.client_id order by count(*) desc, d.client_id limit %s
"""


class Fetch(NamedTuple):
    """One document that left the portal; `key` is the place in the list."""

    key: int
    at: datetime
    software: str
    kind: str
    document: str
    uuid: UUID
    format: str
    whole: bool


def document_of(client: Client, uuid: UUID) -> Document | None:
    """A document of this company, as its office sees it."""
    with office_scope(client.office_id):
        return Document.objects.filter(client=client, uuid=uuid).first()


def fetches(
    client: Client, limit: int, before: int | None = None, document: Document | None = None
) -> list[Fetch]:
    """The newest fetches of this company's documents under its office, older than `before`.

    Only those of one `document`, where one is given.
    """
    with office_scope(client.office_id):
        documents = Document.objects.filter(client=client)
        if document is not None:
            documents = documents.filter(pk=document.pk)
        found = DocumentRead.objects.filter(
            office_id=client.office_id,
            document_id__in=documents.values("pk"),
            outcome__in=[Outcome.SERVED, Outcome.CUT],
        )
        if before is not None:
            found = found.filter(pk__lt=before)
        rows = list(found.order_by("-pk")[:limit])
        known = documents.in_bulk([row.document_id for row in rows if row.document_id])
    consents = Consent.objects.select_related("partner").in_bulk({row.consent_id for row in rows})
    return [
        Fetch(
            row.pk,
            row.at,
            consents[row.consent_id].partner.name,
            str(Kind(known[row.document_id].kind).label),
            known[row.document_id].public_id or str(known[row.document_id].uuid),
            known[row.document_id].uuid,
            row.media_type,
            row.outcome == Outcome.SERVED,
        )
        for row in rows
        if row.document_id in known
    ]


class CompanyUse(NamedTuple):
    """How much of one company a software fetched in the last 30 days."""

    client: Client
    served: int
    last_at: datetime


def use_by_company(consent: Consent, limit: int) -> list[CompanyUse]:
    """The companies that were fetched most under this consent in the last 30 days."""
    with office_scope(consent.office_id), connection.cursor() as cursor:
        cursor.execute(BY_COMPANY, [consent.office_id, consent.pk, limit])
        rows = cursor.fetchall()
    clients = Client.objects.in_bulk([client for client, _served, _last in rows])
    return [CompanyUse(clients[client], served, last) for client, served, last in rows]


def all_fetches(client: Client, document: Document | None = None) -> Iterator[Fetch]:
    """Every fetch, newest first, a batch at a time; of one `document`, where one is given."""
    batch = fetches(client, BATCH, document=document)
    while batch:
        yield from batch
        batch = fetches(client, BATCH, batch[-1].key, document)
