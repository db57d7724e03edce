"""Plain make_* functions: each makes one real row, with a number or address nobody else has."""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from oauth2_provider.generators import generate_client_id, generate_client_secret

from accounts.models import Membership, Office, Role, User
from clients.models import Account, Client, Transfer
from consents.actors import Actor, ActorKind
from consents.models import Consent, EvidenceSnapshot, Terms
from core.document_kinds import TYPES, Kind
from core.plain_text import plain
from core.row_security import every_office
from documents.models import Content, Document, DocumentDetails
from documents.storage.blobs import store
from notifications.models import WebhookKey
from notifications.webhooks import signing_keys
from partners.models import Application, Partner, RedirectUri

PASSWORD = "correct horse battery staple"
CALLBACK = "https://software.example/callback"
CODA = "application/vnd.coda.v1+cod"
# Hashed once: Argon2 is slow on purpose.
_hash: list[str] = []
_key: list[WebhookKey] = []
_counter = itertools.count(os.getpid() % 5000 * 1000 + random.SystemRandom().randrange(900))
# A process has a test database of its own, so counting is enough to be unique.
_numbers = itertools.count(2_000_000 + os.getpid() * 7)


def unique() -> int:
    return next(_counter)


def company_number() -> str:
    """An enterprise number that is correct modulo 97 and belongs to nobody."""
    first = f"{next(_numbers):08d}"
    return f"{first}{97 - int(first) % 97:02d}"


def make_office(name: str = "Janssens", **fields: Any) -> Office:
    n = unique()
    fields.setdefault("company_number", company_number())
    return Office.objects.create(name=name, slug=f"{name.lower()}-{n}", **fields)


def make_person(
    name: str, office: Office | None = None, role: Role = Role.ADMIN, **fields: Any
) -> User:
    if not _hash:
        user = User()
        user.set_password(PASSWORD)
        _hash.append(user.password)
    email = fields.pop("email", f"{name.lower().replace('é', 'e')}.{unique()}@office.example")
    person = User.objects.create(name=name, email=email, password=_hash[0], **fields)
    if office is not None:
        Membership.objects.create(office=office, user=person, role=role)
    return person


def change_membership(person: User, **change: Any) -> None:
    """Change it behind the portal's back; an office keeps an Admin, so somebody follows first."""
    for membership in Membership.objects.filter(user=person).select_related("office"):
        make_person("Bea", membership.office)
    Membership.objects.filter(user=person).update(**change)


def make_partner(name: str = "Ledgerly", **fields: Any) -> Partner:
    fields.setdefault("document_kinds", list(TYPES))
    redirects = fields.pop("redirects", [CALLBACK])
    origins = fields.pop("origins", [])
    partner = Partner.objects.create(
        name=f"{name} {unique()}",
        vendor=f"{name} NV",
        legal_number="0403170701",
        email=f"support@{name.lower()}.example",
        **fields,
    )
    for uri in redirects:
        RedirectUri.objects.create(partner=partner, uri=uri)
    for uri in origins:
        RedirectUri.objects.create(partner=partner, uri=uri, is_origin=True)
    return partner


def make_application(partner: Partner) -> tuple[str, str]:
    """Return client id and secret; the secret is kept as a digest only."""
    secret = generate_client_secret()
    application = Application.objects.create(
        partner=partner,
        name=partner.name,
        client_id=generate_client_id(),
        client_secret=secret,
        client_type="confidential",
        authorization_grant_type="client-credentials",
    )
    return application.client_id, secret


def make_client(office: Office, name: str = "Bakkerij D'Hondt", **fields: Any) -> Client:
    n = unique()
    fields.setdefault("company_number", company_number())
    fields.setdefault("confirmed_at", timezone.now())
    return Client.objects.create(office=office, name=name, code=f"C{n}", **fields)


def make_account(client: Client, iban: str) -> Account:
    """An account whose statements are filed under the company."""
    return Account.objects.create(client=client, iban=iban, confirmed_at=timezone.now())


def transfer(client: Client, by: User, to: Office, agreed_by: User) -> None:
    """Give the company to another office, as its Admins do."""
    asked = Transfer.objects.ask(client, by, to)
    asked.agree(agreed_by, client.company_number)
    client.refresh_from_db()


def make_terms(version: int, words: str = "") -> dict[str, Terms]:
    """Publish a version in four languages."""
    return {
        language: Terms.objects.create(
            version=version,
            language=language,
            body=f"Terms {version} in {language}.\n\nYou can stop at any moment. {words}",
        )
        for language in ("en", "nl", "fr", "de")
    }


def webhook_key() -> None:
    """What signs webhooks, where there is nothing yet: made once, as 3,072 bits take their time."""
    if WebhookKey.objects.exists():
        return
    if not _key:
        _key.append(signing_keys.rotate())
    else:
        made = _key[0]
        WebhookKey.objects.create(kid=made.kid, public=made.public, secret=made.secret)


def terms_in_force(language: str = "en") -> Terms:
    if not Terms.objects.exists():
        make_terms(1)
    return Terms.objects.in_force(language)


def make_request(
    office: Office, partner: Partner, redirect_uri: str = CALLBACK, state: str = ""
) -> Consent:
    return Consent.objects.request(
        office=office, partner=partner, redirect_uri=redirect_uri, state=state
    )[0]


def acting(person: User) -> Actor:
    return Actor(
        ActorKind.PERSON,
        name=person.name,
        person=person,
        address="192.0.2.7",
        browser="test",
        authentication=["password"],
    )


def allow(consent: Consent, person: User) -> Consent:
    consent.allow(
        acting(person),
        terms_in_force(),
        EvidenceSnapshot(
            partner_name=consent.partner.name,
            document_kinds=consent.partner.document_kinds,
            companies=consent.office.clients.count(),
        ),
    )
    return consent


def make_allowed(office: Office, partner: Partner, admin: User) -> Consent:
    return allow(make_request(office, partner), admin)


def make_document(
    client: Client,
    *,
    kind: Kind = Kind.BANK_ACCOUNT_STATEMENT,
    attributes: dict[str, Any] | None = None,
    contents: dict[str, bytes] | None = None,
    available_at: datetime | None = None,
    public_id: str | None = None,
) -> Document:
    fields: dict[str, Any] = {}
    if available_at is not None:
        fields["available_at"] = available_at
    with every_office():
        document = Document.objects.create(
            office_id=client.office_id,
            client=client,
            kind=kind,
            public_id=public_id,
            attributes=attributes if attributes is not None else {"iban": "BE00000000000000"},
            **fields,
        )
        for media_type, data in (contents or {}).items():
            Content.objects.create(
                document=document, media_type=media_type, size=len(data), sha256=store(data)
            )
    return document


def make_documents(client: Client, moments: Sequence[datetime]) -> list[Document]:
    with transaction.atomic():
        return [make_document(client, available_at=moment) for moment in moments]


def make_filed_document(
    client: Client,
    *,
    kind: Kind = Kind.BANK_ACCOUNT_STATEMENT,
    contents: dict[str, bytes] | None = None,
    **fields: Any,
) -> DocumentDetails:
    """A document with what its reader said of it, as the ingest writes both."""
    document = make_document(client, kind=kind, contents=contents)
    n = unique()
    told: dict[str, Any] = {
        "natural_key": f"key {n}",
        "sha256": f"{n:064d}",
        "series": "BE68539007547034" if kind == Kind.BANK_ACCOUNT_STATEMENT else "",
        "number": str(n),
        "dated_on": date(2026, 3, 2),
        "currency": "EUR",
        "amount": Decimal("100"),
        **fields,
    }
    told.setdefault("words", plain(f"{told['number']} {told.get('counterparty', '')}"))
    with every_office():
        return DocumentDetails.objects.create(
            document=document, office_id=client.office_id, client=client, kind=kind, **told
        )
