"""The demo's rows, written in bulk."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.contrib.auth.hashers import make_password
from django.db.models.functions import Now
from oauth2_provider.generators import generate_client_id, generate_client_secret

from accounts.models import Membership, Office, User
from clients.models import Account, Client
from core.row_security import every_office
from core.sandbox import World
from demo.cast import OPERATOR_EMAIL, PASSWORD
from demo.data import books
from documents.ingest.bulk_insert import NewDocument, insert
from documents.ingest.classify import Classification
from documents.ingest.owners import Owners
from documents.ingest.pipeline import parse_file
from documents.ingest.sources import DeliveredFile
from documents.models.querysets import StoredFormat
from documents.storage.blobs import store_many
from partners.logos import read_logo
from partners.models import Application, Partner, RedirectUri

BRUSSELS = ZoneInfo("Europe/Brussels")
# The software that made the sales invoices.
SOFTWARE = "Factuurtje"


class Prepared(NamedTuple):
    """A document that is parsed and whose bytes are stored, before it is filed."""

    classifications: list[Classification]
    day: date
    files: tuple[StoredFormat, ...]


def make_partners(
    all_software: list[books.Software], remembered: dict[str, dict[str, str]]
) -> list[dict[str, Any]]:
    """Make the partners, or find them; return what var/demo.json tells, secrets included."""
    told = []
    for software in all_software:
        partner, _ = Partner.objects.update_or_create(
            name=software.name,
            defaults={
                "vendor": software.vendor,
                "legal_number": software.number,
                "email": software.email,
                "website": software.website,
                "colour": software.colour,
                "document_kinds": list(software.kinds),
                "kind": software.world,
                "listed": software.world == World.REAL,
            },
        )
        if software.logo:
            partner.logo = read_logo(io.BytesIO(software.logo))
            partner.logo.keep()
            partner.save(update_fields=["logo"])
        for uri in software.redirects:
            RedirectUri.objects.get_or_create(partner=partner, uri=uri)
        known = remembered.get(software.name, {})
        client_id, secret = _application(partner, known)
        told.append(
            {
                "name": software.name,
                "clientId": client_id,
                "clientSecret": secret,
                "redirectUris": list(software.redirects),
                "documentTypes": list(software.kinds),
            }
        )
    return told


def _application(partner: Partner, known: dict[str, str]) -> tuple[str, str]:
    """The credentials of the last run, or new ones if nobody knows them any more."""
    if Application.objects.filter(partner=partner, client_id=known.get("clientId")).exists():
        return known["clientId"], known["clientSecret"]
    client_id, secret = generate_client_id(), generate_client_secret()
    Application.objects.create(
        partner=partner,
        name=partner.name,
        client_id=client_id,
        client_secret=secret,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
    )
    return client_id, secret


def make_office(told: books.OfficeBooks) -> Office:
    """One office with its people and companies."""
    password = make_password(PASSWORD)  # once: Argon2 is slow on purpose
    if not User.objects.filter(email=OPERATOR_EMAIL).exists():
        User.objects.create(
            email=OPERATOR_EMAIL, name="Dirk", password=password, is_staff=True, is_superuser=True
        )
    office = Office.objects.create(
        company_number=told.number,
        name=told.name,
        slug=told.slug,
        language=told.language,
        email=f"info@{told.slug}.example",
    )
    for person in told.people:
        user, _ = User.objects.get_or_create(
            email=person.email,
            defaults={"name": person.name, "language": person.language, "password": password},
        )
        Membership.objects.create(office=office, user=user, role=person.role)
    clients = Client.objects.bulk_create(
        Client(
            office=office,
            company_number=company.number,
            name=company.name,
            code=company.code,
            language=company.language,
            email=company.email,
            confirmed_at=Now(),
        )
        for company in told.companies
    )
    Account.objects.bulk_create(
        Account(client=client, iban=company.iban, confirmed_at=Now())
        for client, company in zip(clients, told.companies, strict=True)
    )
    return office


def prepare(delivered: Iterable[tuple[date, bytes]]) -> list[Prepared]:
    """Parse delivered files, each with its day, and store all bytes."""
    prepared = []
    blobs: dict[str, bytes] = {}
    for day, data in delivered:
        for document in parse_file(DeliveredFile("demo", data), SOFTWARE):
            blobs[document.sha256] = document.parsed.data
            files = tuple(document.formats())
            prepared.append(Prepared(document.classifications, day, files))
    store_many(blobs)
    return prepared


def file_documents(batch: list[Prepared]) -> None:
    """File the documents under their companies, in the order of their days."""
    ordered = sorted(batch, key=lambda prepared: prepared.day)
    with every_office():
        owners = Owners.of(one for prepared in ordered for one in prepared.classifications)
        insert(
            NewDocument(one, owner, prepared.files, _available(prepared.day, place))
            for place, prepared in enumerate(ordered)
            for one, owner in owners.owned(prepared.classifications).documents
        )


def _available(day: date, place: int) -> datetime:
    """The moment of arrival: early on the next morning, a little after the previous one."""
    morning = datetime.combine(day + timedelta(days=1), time(4), BRUSSELS)
    return morning + timedelta(seconds=place % 3600, milliseconds=place % 1000)
