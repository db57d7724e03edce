"""The large office whose pages are measured: companies, documents, consents, and what was read.

The SQL of the documents is that of `bench.seeded_documents`. They end today, because the home page
and the board of completeness look at the last days and months.
"""

from __future__ import annotations

import time
from datetime import date, timedelta

from django.db import connections
from django.utils import timezone

from accounts.models import Membership, Office, Role, User
from bench import participants, seeded_documents
from bench.seed import _company_number
from clients.models import Client
from consents.models import Consent
from core.document_kinds import TYPES
from core.row_security import office_scope
from documents.completeness.check import check
from documents.models import DocumentDetails
from partners.models import Application, Partner

SLUG = "pages"
ADMIN = "anna@pages.example"
CONSENTS = 40
# Each document is fetched once by one of the consents, on the day after it came. Documents of an
# earlier run have lower numbers.
READ = """
    insert into documents_documentread
        (at, office_id, consent_id, application_id, document_id, media_type, size, outcome)
    select least(available_at + interval '1 day', now()), office_id,
        (%(consents)s::bigint[])[1 + id %% %(every)s], 0, id, 'application/pdf', 1000, 'served'
    from documents_document
    where office_id = %(office)s and id > (
        select coalesce(max(document_id), 0) from documents_documentread
        where office_id = %(office)s
    )
"""


def prepared(companies: int, documents: int) -> Office:
    """The office with at least so many companies and documents; what is missing is added."""
    began = time.monotonic()
    office = Office.objects.filter(slug=SLUG).first() or _make_office()
    _add_companies(office, companies)
    _add_consents(office)
    if _add_documents(office, documents) + _add_reads(office):
        with connections["owner"].cursor() as cursor:
            # Before anything is asked of the new rows: without it the plans are those of no row.
            cursor.execute("vacuum analyze")
        check(office, timezone.localdate())
        print(f"Seeded the office in {time.monotonic() - began:.0f} s.\n", flush=True)
    return office


def count_of(office: Office) -> int:
    with office_scope(office.pk):
        return DocumentDetails.objects.filter(office_id=office.pk).count()


def _make_office() -> Office:
    office = Office.objects.create(slug=SLUG, name="Pages", company_number=_company_number(999))
    admin = User.objects.create(email=ADMIN, name="Anna")
    Membership.objects.create(office=office, user=admin, role=Role.ADMIN)
    bench = User.objects.get(email=participants.ADMIN)
    Membership.objects.create(office=office, user=bench, role=Role.ADMIN)
    return office


def _add_companies(office: Office, companies: int) -> None:
    Client.objects.bulk_create(
        Client(
            office=office,
            company_number=_company_number(8_000_000 + n),
            name=f"Company {n:04}",
            code=f"L{n:04}",
            confirmed_at=timezone.now(),
        )
        for n in range(office.clients.count(), companies)
    )


def _add_consents(office: Office) -> None:
    for n in range(office.consents.count(), CONSENTS):
        partner = Partner.objects.create(
            name=f"Software {n}", vendor="Bench NV", document_kinds=list(TYPES)
        )
        Application.objects.create(
            partner=partner,
            name=partner.name,
            client_id=f"pages-{n}",
            client_type="confidential",
            authorization_grant_type="client-credentials",
        )
        participants.allow(office, partner)


def _add_documents(office: Office, documents: int) -> int:
    """Add what is missing; return how many those are."""
    already = count_of(office)
    if already >= documents:
        return 0
    companies = list(office.clients.order_by("pk"))
    days = documents // len(companies) * 30 // seeded_documents.A_MONTH
    first: date = timezone.localdate() - timedelta(days)
    seeded_documents.fill(office, companies, documents, already, first)
    return documents - already


def _add_reads(office: Office) -> int:
    """Add a read of each document that has none; return how many those are."""
    consents = list(Consent.objects.filter(office=office).values_list("pk", flat=True))
    with office_scope(office.pk), connections["default"].cursor() as cursor:
        cursor.execute(READ, {"office": office.pk, "consents": consents, "every": len(consents)})
        return int(cursor.rowcount)
