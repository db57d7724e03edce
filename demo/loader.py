"""The demo's rows, written in bulk."""

from __future__ import annotations

import uuid
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import orjson
from django.contrib.auth.hashers import make_password
from django.db import connection
from oauth2_provider.generators import generate_client_id, generate_client_secret

from accounts.models import Membership, Office, User
from accounts.tenancy import every_office
from clients.models import Client
from demo.cast import OPERATOR_EMAIL, PASSWORD
from demo.data import books
from documents.kinds import BY_TYPE
from partners.models import Application, Partner, RedirectUri

BRUSSELS = ZoneInfo("Europe/Brussels")


ARRIVING = """
    create temporary table arriving (
        uuid uuid, office_id bigint, client_id bigint, kind smallint, public_id text,
        available_at timestamptz, attributes jsonb, files jsonb
    ) on commit drop
"""
FILE_DOCUMENTS = """
    insert into documents_document
        (uuid, office_id, client_id, kind, public_id, available_at, attributes)
    select uuid, office_id, client_id, kind, public_id, available_at, attributes from arriving
    order by available_at
"""
FILE_CONTENTS = """
    insert into documents_content (document_id, media_type, size, sha256)
    select d.id, f.media_type, f.size, f.sha256
    from arriving a join documents_document d using (uuid)
    cross join lateral jsonb_to_recordset(a.files)
        as f (media_type text, size bigint, sha256 text)
"""


class Rendered(NamedTuple):
    """A document whose bytes are stored: media type, size and SHA-256 of each format."""

    company_number: str
    type: str
    day: date
    attributes: dict[str, Any]
    files: list[dict[str, Any]]
    public_id: str | None = None


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
    Client.objects.bulk_create(
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
    return office


def copy_documents(batch: list[Rendered]) -> None:
    """Write documents and their formats by COPY. The bytes are stored already."""
    numbers = {rendered.company_number for rendered in batch}
    clients = {
        number: (client, office)
        for number, client, office in Client.objects.filter(company_number__in=numbers).values_list(
            "company_number", "pk", "office_id"
        )
    }
    ordered = sorted(batch, key=lambda rendered: rendered.day)
    with every_office(), connection.cursor() as cursor:
        # COPY does not pass row security, so it fills a table of this transaction first.
        cursor.execute(ARRIVING)
        with cursor.copy("copy arriving from stdin") as copy:
            for place, rendered in enumerate(ordered):
                client, office = clients[rendered.company_number]
                copy.write_row(
                    (
                        uuid.uuid4(),
                        office,
                        client,
                        BY_TYPE[rendered.type].kind.value,
                        rendered.public_id,
                        _available(rendered.day, place),
                        orjson.dumps(rendered.attributes).decode(),
                        orjson.dumps(rendered.files).decode(),
                    )
                )
        cursor.execute(FILE_DOCUMENTS)
        cursor.execute(FILE_CONTENTS)


def _available(day: date, place: int) -> datetime:
    """Documents arrive in the early morning of the day after, a little apart."""
    morning = datetime.combine(day + timedelta(days=1), time(4), BRUSSELS)
    return morning + timedelta(seconds=place % 3600, milliseconds=place % 1000)
