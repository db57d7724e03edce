"""The demo's rows, written in bulk."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.contrib.auth.hashers import make_password
from oauth2_provider.generators import generate_client_id, generate_client_secret

from accounts.models import Membership, Office, User
from accounts.tenancy import every_office
from clients.models import Account, Client
from demo.cast import OPERATOR_EMAIL, PASSWORD
from demo.data import books
from documents.arrivals import Arrival
from documents.filing import Entry
from documents.ingest import Item, read_items
from documents.kinds import PDF
from documents.owners import Owners
from documents.renditions import render
from documents.rows import Arriving, Stored, insert
from documents.storage import keep_all
from partners.logos import read_logo
from partners.models import Application, Partner, RedirectUri

BRUSSELS = ZoneInfo("Europe/Brussels")
# The software that made the sales invoices.
SOFTWARE = "Factuurtje"


class Prepared(NamedTuple):
    """A document that was read and whose bytes are stored, on its way to its company."""

    entries: list[Entry]
    day: date
    files: tuple[Stored, ...]


def make_partners(
    softwares: list[books.Software], remembered: dict[str, dict[str, str]]
) -> list[dict[str, Any]]:
    """Make the partners, or find them; return what var/demo.json tells, secrets included."""
    told = []
    for software in softwares:
        partner, _ = Partner.objects.update_or_create(
            name=software.name,
            defaults={
                "vendor": software.vendor,
                "legal_number": software.number,
                "email": software.email,
                "website": software.website,
                "colour": software.colour,
                "document_kinds": list(software.kinds),
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
    """The credentials told before, or new ones where nobody knows them any more."""
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
        )
        for company in told.companies
    )
    Account.objects.bulk_create(
        Account(client=client, iban=company.iban)
        for client, company in zip(clients, told.companies, strict=True)
    )
    return office


def prepare(delivered: Iterable[tuple[date, bytes]], language: str) -> list[Prepared]:
    """Read files as they would come in, each with its day; render and store all bytes."""
    items: list[Item] = []
    days: list[date] = []
    for day, data in delivered:
        items += read_items(Arrival("demo", data), SOFTWARE)
        days.append(day)
    sheets = [item.sheet.data for item in items]
    papers = [render(item.sheet.paper, language) for item in items]
    digests = keep_all([*sheets, *papers])
    return [
        Prepared(
            item.entries,
            day,
            (
                Stored(item.sheet.media_type, len(item.sheet.data), item.sha256),
                Stored(PDF, len(paper), digest),
            ),
        )
        for item, day, paper, digest in zip(items, days, papers, digests[len(items) :], strict=True)
    ]


def file_documents(batch: list[Prepared]) -> None:
    """File them under their companies, in the order of their days."""
    ordered = sorted(batch, key=lambda prepared: prepared.day)
    with every_office():
        owners = Owners.of(entry for prepared in ordered for entry in prepared.entries)
        insert(
            Arriving(entry, owner, prepared.files, _available(prepared.day, place))
            for place, prepared in enumerate(ordered)
            for entry, owner in owners.placed(prepared.entries)
        )


def _available(day: date, place: int) -> datetime:
    """Documents arrive in the early morning of the day after, a little apart."""
    morning = datetime.combine(day + timedelta(days=1), time(4), BRUSSELS)
    return morning + timedelta(seconds=place % 3600, milliseconds=place % 1000)
