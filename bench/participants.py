"""The participants: one partner, its credentials, and the offices that the seed made."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from oauth2_provider.generators import generate_client_secret
from oauth2_provider.models import AccessToken, set_token_value

from accounts.models import Membership, Office, Role, User
from clients.models import Client
from consents.actors import Actor, ActorKind
from consents.models import Consent, EvidenceSnapshot, Terms
from core.document_kinds import CODA, TYPES, Kind
from core.row_security import every_office
from documents.models import Content, Document
from documents.storage.blobs import store
from partners.models import Application, Partner

PARTNER = "Bench"
CLIENT_ID = "bench"
ADMIN = "bench@office.example"
# The sizes of goal 4, in bytes.
CONTENTS = {"50 kB": 50_000, "200 kB": 200_000, "1 MB": 1_000_000}
BIG, MEDIUM, SMALL = "bench-big", "bench-medium", "bench-small"
# `cancel` changes the office that it measures, so it has a separate one.
OF_RUN, OF_CANCEL = f"{MEDIUM}-0", f"{MEDIUM}-1"


class Credentials(NamedTuple):
    """New in every run, so that nothing secret is stored."""

    token: str
    client_id: str
    secret: str


class File(NamedTuple):
    """One document with bytes behind it."""

    uuid: str
    number: str
    size: int


def credentials(client_id: str = CLIENT_ID) -> Credentials:
    """Give this application a new secret, and a token as oauth-toolkit stores it."""
    application = Application.objects.get(client_id=client_id)
    secret, token = generate_client_secret(), secrets.token_urlsafe(32)
    application.client_secret = secret
    application.save()
    expires = datetime.now(UTC) + timedelta(hours=2)
    issued = AccessToken(application=application, expires=expires, scope="")
    set_token_value(issued, token)
    issued.save()
    return Credentials(token, client_id, secret)


def make_partner() -> Partner:
    partner = Partner.objects.create(
        name=PARTNER,
        vendor="Bench NV",
        legal_number="0403170701",
        email="bench@software.example",
        document_kinds=list(TYPES),
    )
    Application.objects.create(
        partner=partner,
        name=PARTNER,
        client_id=CLIENT_ID,
        client_secret=generate_client_secret(),
        client_type="confidential",
        authorization_grant_type="client-credentials",
    )
    return partner


def make_admin(offices: list[Office]) -> User:
    admin = User.objects.create(name="Bench", email=ADMIN)
    for office in offices:
        Membership.objects.create(office=office, user=admin, role=Role.ADMIN)
    return admin


def allow(office: Office, partner: Partner | None = None) -> Consent:
    """Request and allow with the same methods as people do; an allowed consent stays."""
    partner = partner or Partner.objects.get(name=PARTNER)
    admin = User.objects.get(email=ADMIN)
    consent: Consent = Consent.objects.request(office=office, partner=partner)[0]
    consent.allow(
        Actor(ActorKind.PERSON, name=admin.name, person=admin, authentication=["password"]),
        Terms.objects.in_force("en"),
        EvidenceSnapshot(
            partner_name=partner.name,
            document_kinds=partner.document_kinds,
            companies=office.clients.count(),
        ),
    )
    return consent


def add_files(office: Office, available_at: datetime) -> None:
    """Documents with bytes of the sizes of goal 4, on the office's first client."""
    client = office.clients.order_by("id")[0]
    for size in CONTENTS.values():
        with every_office():
            document = Document.objects.create(
                office_id=office.pk,
                client=client,
                kind=Kind.BANK_ACCOUNT_STATEMENT,
                attributes={"iban": "BE00000000000000"},
                available_at=available_at,
            )
            Content.objects.create(
                document=document,
                media_type=CODA,
                size=size,
                sha256=store(secrets.token_bytes(size)),
            )


def files(office: Office) -> dict[str, File]:
    """The documents of `add_files`, by the name of their size."""
    with every_office():
        found = Content.objects.filter(document__office_id=office.pk).values_list(
            "size", "document__uuid", "document__client__company_number"
        )
        by_size = {size: File(str(uuid), number, size) for size, uuid, number in found}
    return {name: by_size[size] for name, size in CONTENTS.items()}


def numbers(office: Office, count: int | None = None) -> list[str]:
    """Enterprise numbers of the office's clients; `count` of them, spread over the office."""
    every = list(
        Client.objects.filter(office=office).order_by("id").values_list("company_number", flat=True)
    )
    step = 1 if count is None else len(every) // count
    return every[::step][:count]


def office(slug: str) -> Office:
    return Office.objects.get(slug=slug)
