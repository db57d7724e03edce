"""Who can see a company, and who fetched which of its documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from clients.models import Client
from consents.access import AccessContext
from consents.models import Consent
from consents.presenters import denial_in_words
from core.document_kinds import BY_KIND
from core.lists import Part
from core.row_security import office_scope
from documents.models import Document, DocumentRead, DocumentView, Outcome
from documents.models.access_log import BEFORE_ARRIVAL
from documents.newest_reads import ORDER, NewestReads

# The export reads so many rows at a time.
BATCH = 500


# Of so many downloads it is counted which companies they are of: that much is read, whatever the
# office has.
DOWNLOADS_COUNTED = 1_000
# The moment is given, not reckoned by the database: then it plans with these months alone.
OF_DAYS = timedelta(days=30)
BY_COMPANY = """
    select d.client_id, count(*), max(newest.at) from (
        select document_id, at from documents_documentread
        where consent_id = %s and office_id = %s and outcome = 'served'
          and at > %s
        order by at desc limit %s
    ) newest
    join documents_document d on d.id = newest.document_id
    group by d.client_id order by count(*) desc, d.client_id limit %s
"""


class Fetch(NamedTuple):
    """One document that left the portal; `key` is the place in the list.

    `document` is its identifier on the wire; people read kind, number and day. `attachment` is the
    name of the file inside the document that was fetched; empty: the document itself.
    """

    key: int
    at: datetime
    software: str
    kind: str
    document: str
    format: str
    whole: bool
    uuid: UUID
    number: str
    dated_on: date | None
    attachment: str


class Look(NamedTuple):
    """One person who opened a document in the portal, or downloaded it or a file inside it."""

    key: int
    at: datetime
    person: str
    kind: str
    format: str
    uuid: UUID
    number: str
    dated_on: date | None
    attachment: str


def reads_of(client: Client, document: Document | None = None) -> Part:
    """What left the portal of this company's documents under its office; of one alone if given."""
    rows = DocumentRead.objects.filter(
        office_id=client.office_id,
        document_id__in=_keys(client, document),
        outcome__in=[Outcome.SERVED, Outcome.CUT],
    )
    if document is None:
        return NewestReads(rows, ORDER, client=client)
    return Part(rows.filter(at__gte=document.available_at - BEFORE_ARRIVAL), ORDER)


def fetches(client: Client, rows: Sequence[DocumentRead]) -> list[Fetch]:
    """These reads of the company's documents in words."""
    known = _documents(client, rows)
    consents = Consent.objects.select_related("partner").in_bulk({row.consent_id for row in rows})
    return [
        Fetch(
            row.pk,
            row.at,
            consents[row.consent_id].partner.name,
            BY_KIND[known[row.document_id].kind].singular,
            known[row.document_id].public_id or str(known[row.document_id].uuid),
            row.media_type,
            row.outcome == Outcome.SERVED,
            *_name_of(known[row.document_id]),
            row.attachment,
        )
        for row in rows
        if row.document_id in known
    ]


def _keys(client: Client, document: Document | None) -> QuerySet[Document, Any]:
    documents = Document.objects.filter(client=client)
    if document is not None:
        documents = documents.filter(pk=document.pk)
    return documents.values("pk")


def _documents(
    client: Client, rows: Sequence[DocumentRead] | Sequence[DocumentView]
) -> dict[int, Document]:
    documents = Document.objects.filter(client=client).select_related("details")
    with office_scope(client.office_id):
        return documents.in_bulk([row.document_id for row in rows if row.document_id])


def _name_of(document: Document) -> tuple[UUID, str, date | None]:
    details = getattr(document, "details", None)
    return document.uuid, details.number if details else "", details.dated_on if details else None


def views_of(client: Client, document: Document | None = None) -> Part:
    """The looks of people at this company's documents; of one alone if given."""
    rows = DocumentView.objects.filter(
        office_id=client.office_id,
        client_id=client.pk,
        document_id__in=_keys(client, document),
    )
    return Part(rows.select_related("person"), ("-pk",))


def looks(client: Client, rows: Sequence[DocumentView]) -> list[Look]:
    """These looks at the company's documents in words."""
    known = _documents(client, rows)
    return [
        Look(
            row.pk,
            row.at,
            str(row.person),
            BY_KIND[known[row.document_id].kind].singular,
            row.media_type,
            *_name_of(known[row.document_id]),
            row.attachment,
        )
        for row in rows
        if row.document_id in known
    ]


class CompanyUse(NamedTuple):
    """How many of the newest downloads of software are of one company."""

    client: Client
    served: int
    last_at: datetime


def use_by_company(consent: Consent, limit: int) -> list[CompanyUse]:
    """The companies with most of the newest downloads under this consent, of the last 30 days."""
    with office_scope(consent.office_id), connection.cursor() as cursor:
        since = timezone.now() - OF_DAYS
        cursor.execute(BY_COMPANY, [consent.pk, consent.office_id, since, DOWNLOADS_COUNTED, limit])
        rows = cursor.fetchall()
    clients = Client.objects.not_transferred().in_bulk([client for client, _served, _last in rows])
    return [
        CompanyUse(clients[client], served, last)
        for client, served, last in rows
        if client in clients
    ]


def all_fetches(client: Client, document: Document | None = None) -> Iterator[Fetch]:
    """Every fetch, newest first, a batch at a time."""
    every = rest = reads_of(client, document)
    while batch := _batch(client, rest):
        yield from fetches(client, batch)
        rest = every.beyond([batch[-1].at, batch[-1].pk], backward=False)


def _batch(client: Client, reads: Part) -> list[DocumentRead]:
    with office_scope(client.office_id):
        return list(reads.first(BATCH, backward=False))


class Permission(NamedTuple):
    """A consent whose scope contains a company; `denial` says why nothing can be read now."""

    consent: Consent
    denial: str


def who_can_see(client: Client, kind: str | None = None) -> list[Permission]:
    """Every software that may read this company (and this kind), by the name of the software."""
    access = {
        consent_id: context
        for consent_id, context in AccessContext.of_client(client.pk).items()
        if kind is None or context.shares(kind)
    }
    consents = Consent.objects.filter(pk__in=access).with_use().select_related("partner")
    found = []
    for consent in consents.order_by("partner__name"):
        reason = access[consent.pk].denial_reason()
        found.append(Permission(consent, denial_in_words(reason) if reason else ""))
    return found
