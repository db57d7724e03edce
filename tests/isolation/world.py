"""A world of 22 offices and 10 partners, in which every text and number is a mark."""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.test import Client as Browser
from django.utils import timezone

from accounts.models import Invitation, Membership, Office, Role, User
from accounts.models.invitation import VALID_FOR, digest_of, token_of
from backoffice.models import SupportAccess
from backoffice.models.support_access import AccessedRecord
from clients.models import Account, Client, Transfer
from consents.models import Consent
from consents.scope import ScopeChange, change_scope
from core.document_kinds import KINDS, PDF
from core.pdf import PdfDocument
from core.row_security import every_office
from demo.data import coda
from documents.access_log import Reader, record
from documents.formats import Reason
from documents.models import Content, Document, DocumentDetails, Outcome, QuarantinedFile
from documents.storage.blobs import store_many
from notifications.fan_out import is_for_software
from notifications.models import Delivery, WebhookEndpoint
from partners.models import Application, Partner
from tests import factories
from tests.isolation.marks import Marks, new_word
from tests.sessions import session_of

OFFICES, PARTNERS = 22, 10
CONSENTS_EACH, COMPANIES_EACH, DOCUMENTS_EACH = 3, 4, 2
STATES = ("allowed", "waiting", "paused", "denied", "cancelled", "allowed")


@dataclass
class Actor:
    """Somebody who asks: a person with a session, software with a token, or nobody."""

    role: str
    person: User | None = None
    session: str = ""
    offices: frozenset[int] = frozenset()
    # Of these an Admin.
    admin_of: frozenset[int] = frozenset()
    partner: Partner | None = None
    token: str = ""
    credentials: tuple[str, str] = ("", "")

    @property
    def is_operator(self) -> bool:
        return self.role == "operator"


@dataclass
class OfficeRows:
    """What there is of one office."""

    office: Office
    admin: User
    colleagues: list[Membership] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)
    documents: list[DocumentDetails] = field(default_factory=list)
    consents: list[Consent] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    transfer_in: Transfer | None = None
    invitation: Invitation | None = None
    invitation_token: str = ""


@dataclass
class World:
    marks: Marks = field(default_factory=Marks)
    offices: list[OfficeRows] = field(default_factory=list)
    partners: list[Partner] = field(default_factory=list)
    actors: list[Actor] = field(default_factory=list)
    quarantined: list[QuarantinedFile] = field(default_factory=list)
    endpoints: dict[int, WebhookEndpoint] = field(default_factory=dict)
    credentials: dict[int, tuple[str, str]] = field(default_factory=dict)
    # Office and partner, where the partner may read.
    reading: set[tuple[int, int]] = field(default_factory=set)
    deliveries: list[Delivery] = field(default_factory=list)
    # What another office hears when a company is offered to it: office, company, who offers it.
    introduced: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))

    def person(
        self, name: str, office: Office | None, role: Role, **readers: frozenset[int]
    ) -> User:
        """A person whose name and mailbox are marks of the offices."""
        word = self.marks.word(**readers)
        mailbox = f"{name.lower()}.{word}@office.example"
        made = factories.make_person(f"{name} {word}", office, role, email=mailbox)
        for office_pk in readers.get("offices", ()):
            self.introduced[office_pk].add(word)
        return made


def build(seed: int) -> World:
    """Make the world; its rows are those of the surrounding transaction."""
    world, rng = World(), random.Random(seed)
    factories.terms_in_force()
    factories.webhook_key()
    for _ in range(PARTNERS):
        _add_partner(world)
    for _ in range(OFFICES):
        _add_office(world)
    for place, rows in enumerate(world.offices):
        _add_people(world, place)
        _add_consents(world, place, rng)
        _add_documents(world, rows)
        _add_traces(world, rows)
    for place in range(OFFICES):
        _offer_a_company(world, place)
    _add_actors(world)
    return world


def _add_partner(world: World) -> None:
    partner = factories.make_partner("Software")
    word = world.marks.word(partners=[partner.pk])
    url = f"https://192.0.2.1/{word}"
    endpoint = WebhookEndpoint.objects.create(partner=partner, url=url)
    world.marks.add(endpoint.uuid, partners=[partner.pk])
    world.endpoints[partner.pk] = endpoint
    world.credentials[partner.pk] = identifier, _secret = factories.make_application(partner)
    world.marks.add(identifier, partners=[partner.pk])
    world.partners.append(partner)


def _add_office(world: World) -> None:
    word = new_word()
    office = factories.make_office(word)
    world.marks.add(word, office.company_number, offices=[office.pk])
    world.introduced[office.pk] |= {word, office.company_number}
    world.marks.add(office.uuid, offices=[office.pk])
    readers: dict[str, Any] = {"offices": frozenset([office.pk])}
    rows = OfficeRows(office, world.person("Anna", office, Role.ADMIN, **readers))
    world.offices.append(rows)
    for place in range(COMPANIES_EACH):
        word = new_word()
        client = factories.make_client(office, f"{word} BV", email=f"{word}@company.example")
        world.marks.add(word, client.company_number, client.uuid, **readers)
        world.introduced[office.pk] |= {word, client.company_number}
        iban = f"BE{10 + place}{factories.unique() % 10**12:012d}"
        rows.accounts.append(Account.objects.create(client=client, iban=iban))
        world.marks.add(iban, **readers)
        rows.clients.append(client)
    away = factories.make_client(
        office,
        f"Away {world.marks.word(**readers)}",
        archived_at=timezone.now(),
        archived_reason=world.marks.word(**readers),
    )
    world.marks.add(away.company_number, away.uuid, **readers)
    rows.clients.append(away)


def _add_people(world: World, place: int) -> None:
    rows, other = world.offices[place], world.offices[(place + 7) % OFFICES]
    office = rows.office
    readers: dict[str, Any] = {"offices": frozenset([office.pk])}
    bram = world.person("Bram", office, Role.USER, **readers)
    world.person("Griet", office, Role.ADMIN, **readers)
    left = world.person("Joost", office, Role.USER, **readers)
    Membership.objects.filter(user=left).update(is_active=False)
    if place % 7 == 0:
        both = frozenset([office.pk, other.office.pk])
        eva = world.person("Eva", office, Role.ADMIN, offices=both)
        Membership.objects.create(office=other.office, user=eva, role=Role.USER)
    rows.colleagues = list(office.memberships.filter(is_active=True).select_related("user"))
    for membership in office.memberships.all():
        world.marks.add(membership.uuid, **readers)
    key, mailbox = new_word(), f"invited.{world.marks.word(**readers)}@office.example"
    rows.invitation = Invitation.objects.create(
        office=office,
        email=mailbox,
        role=Role.USER,
        language="en",
        invited_by=rows.admin,
        key_digest=digest_of(key),
        expires_at=timezone.now() + VALID_FOR,
    )
    rows.invitation_token = token_of(key)
    world.marks.add(rows.invitation.uuid, **readers)
    SupportAccess.objects.write(
        office, bram, AccessedRecord.PERSON, f"About {world.marks.word(**readers)}"
    )


def _add_consents(world: World, place: int, rng: random.Random) -> None:
    rows = world.offices[place]
    office, admin = rows.office, factories.acting(rows.admin)
    for number, partner in enumerate(rng.sample(world.partners, CONSENTS_EACH)):
        both: dict[str, Any] = {"offices": [office.pk], "partners": [partner.pk]}
        consent = factories.make_request(office, partner, state=world.marks.word(**both))
        world.marks.add(consent.uuid, office.uuid, office.company_number, **both)
        rows.consents.append(consent)
        state = STATES[(place + number) % len(STATES)]
        if state == "waiting":
            consent.ask_admins(admin, [], f"A note: {world.marks.word(offices=[office.pk])}")
        elif state == "denied":
            consent.deny(admin)
        else:
            factories.allow(consent, rows.admin)
        if state == "paused":
            consent.pause(admin)
        if state == "cancelled":
            consent.cancel(admin)
        if state == "allowed":
            # Its software reads the companies from the second on.
            out = ScopeChange(clients_out=(rows.clients[0].pk,))
            change_scope(consent, admin, out)
        events = list(consent.events.order_by("pk"))
        world.marks.add(*(event.uuid for event in events), **both)
        endpoint = world.endpoints[partner.pk]
        for event in filter(is_for_software, events):
            world.deliveries.append(Delivery.objects.create(endpoint=endpoint, event=event))


def _add_documents(world: World, rows: OfficeRows) -> None:
    """Statements that can be read as a page, and others; software fetched the newest."""
    reading = [consent for consent in rows.consents if consent.access() is None]
    world.reading |= {(consent.office_id, consent.partner_id) for consent in reading}
    made = []
    for place, client in enumerate(rows.clients):
        readers: dict[str, Any] = {
            "offices": [rows.office.pk],
            "operators": False,
            "partners": [c.partner_id for c in reading if place and client.archived_at is None],
        }
        # The software that reads a company finds it in its list, by name and cursor.
        named = [word for word in client.name.split() if word.startswith("zq")]
        listed = (client.company_number, client.uuid, *named)
        world.marks.add(*listed, **readers | {"operators": True})
        made += [_document(world, rows, place, number, readers) for number in range(DOCUMENTS_EACH)]
    documents, details, files = zip(*made, strict=True)
    store_many({hashlib.sha256(data).hexdigest(): data for two in files for data in two.values()})
    with every_office():
        Document.objects.bulk_create(documents)
        rows.documents = DocumentDetails.objects.bulk_create(details)
        Content.objects.bulk_create(
            Content(
                document=document,
                media_type=media_type,
                size=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
            )
            for document, two in zip(documents, files, strict=True)
            for media_type, data in two.items()
        )
    for consent in reading:
        software = Application.objects.get(partner=consent.partner_id)
        reader = Reader(rows.office.pk, consent.pk, software.pk)
        for document in documents[DOCUMENTS_EACH : 3 * DOCUMENTS_EACH]:
            record(reader, Outcome.SERVED, document_id=document.pk, media_type=PDF)


def _document(
    world: World, rows: OfficeRows, place: int, number: int, readers: dict[str, Any]
) -> tuple[Document, DocumentDetails, dict[str, bytes]]:
    client, iban = rows.clients[place], rows.accounts[0].iban
    words = [world.marks.word(**readers) for _ in range(4)]
    kind, cents = KINDS[number % 2], 123_456_700 + factories.unique() * 7
    closing = f"{cents // 100}.{cents % 100:02d}"
    world.marks.add(closing, iban, **readers)
    day = date(2026, 3, 2) + timedelta(days=number)
    movement = coda.Movement(cents, words[0], iban, words[1], note=words[2])
    statement = coda.Statement(iban, "DEMOBEBB", words[3], 1, day, day, 0, (movement,))
    body = coda.write(statement, client.company_number)
    files = {kind.media_type: body, PDF: _pdf(words)} if place == 1 else {kind.media_type: body}
    whose: dict[str, Any] = {"office_id": rows.office.pk, "client": client, "kind": kind.kind}
    document = Document(attributes={"iban": iban, "number": words[0]}, **whose)
    world.marks.add(document.uuid, **readers)
    details = DocumentDetails(
        document=document,
        natural_key=words[0],
        sha256=hashlib.sha256(body).hexdigest(),
        series=iban,
        number=words[0],
        dated_on=day,
        counterparty=words[1],
        currency="EUR",
        amount=closing,
        words=f"{words[0]} {words[1]}",
        **whose,
    )
    return document, details, files


def _pdf(words: list[str]) -> bytes:
    document = PdfDocument(words[0], "en")
    document.paragraph(" ".join(words))
    return document.finish("")


def _add_traces(world: World, rows: OfficeRows) -> None:
    """What belongs to nobody yet: only operators read it."""
    word = world.marks.word()
    digest = hashlib.sha256(word.encode()).hexdigest()
    fields = {"size": 7, "reason": Reason.UNKNOWN_FORMAT.value, "detail": f"says {word}"}
    waiting = QuarantinedFile.objects.create(sha256=digest, name=f"{word}.cod", **fields)
    world.quarantined.append(waiting)


def _offer_a_company(world: World, place: int) -> None:
    """The last active company is offered to the next office, which reads who offers what."""
    rows, neighbour = world.offices[place], world.offices[(place + 1) % OFFICES]
    client = rows.clients[COMPANIES_EACH - 1]
    offered = Transfer.objects.ask(client, rows.admin, neighbour.office)
    neighbour.transfer_in = offered
    pair = [rows.office.pk, neighbour.office.pk]
    world.marks.add(offered.uuid, offices=pair)
    world.marks.add(client.name.split()[0], client.company_number, offices=pair)
    world.marks.add(rows.office.name, rows.office.company_number, offices=pair)
    world.marks.add(neighbour.office.name, neighbour.office.company_number, offices=pair)


def _add_actors(world: World) -> None:
    by_person: dict[User, list[Membership]] = defaultdict(list)
    members = Membership.objects.filter(office__in=[rows.office for rows in world.offices])
    for membership in members.select_related("user").order_by("pk"):
        by_person[membership.user].append(membership)
    dirk = factories.make_person("Dirk", is_staff=True, is_superuser=True)
    Authenticator.objects.create(user=dirk, type="totp", data={"secret": "x"})
    for person in (factories.make_person("Nobody"), dirk):
        by_person[person] = []
    sessions = {person: session_of(person) for person in by_person}
    Session.objects.bulk_create(sessions.values())
    for person, memberships in by_person.items():
        active = [membership for membership in memberships if membership.is_active]
        world.actors.append(
            Actor(
                _role(person, memberships, active),
                person,
                sessions[person].session_key,
                frozenset(membership.office_id for membership in active),
                frozenset(membership.office_id for membership in active if membership.is_admin),
            )
        )
    world.actors.append(Actor("anonymous"))
    world.actors += [_software(world, partner) for partner in world.partners]


def _role(person: User, memberships: list[Membership], active: list[Membership]) -> str:
    if person.is_staff:
        return "operator"
    if not active:
        return "left" if memberships else "no office"
    if len(active) > 1:
        return "two offices"
    return "Admin" if active[0].is_admin else "User"


def _software(world: World, partner: Partner) -> Actor:
    identifier, secret = world.credentials[partner.pk]
    form = {"grant_type": "client_credentials", "client_id": identifier, "client_secret": secret}
    answer = Browser().post("/codabox-connect/oauth2/token", form)
    assert answer.status_code == 200, answer.content
    token = answer.json()["access_token"]
    return Actor("software", partner=partner, token=token, credentials=(identifier, secret))
