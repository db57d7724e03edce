"""The day that `bench day` replays: its offices and companies, ten partners, and the files.

Each run makes new ones beside those of earlier runs, so nothing that it files was there before.
"""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass

from django.db.models.functions import Now

from accounts.models import Membership, Office, Role, User
from bench import participants
from bench.database import KEPT
from bench.ingest import CLIENTS, _file
from bench.participants import Credentials
from bench.seed import _company_number
from clients.models import Account, Client
from core.document_kinds import TYPES, Kind
from demo.data.books import Company
from demo.data.numbers import iban
from notifications.models import WebhookEndpoint
from partners.models import Application, Partner

DOCUMENTS, OFFICES, PARTNERS = 700_000, 4_500, 10
# A company has about so many documents in a day; an office has two partners' worth at least.
EACH, LEAST_OFFICES = 5, 2 * PARTNERS
FOLDER = KEPT / "day"
FILES_PER_FOLDER = 250
FIRST_SERIAL = 5_000_000
SLUG = "day"


@dataclass
class Software:
    """A partner of the day, with its key and the offices that gave it their consent."""

    partner: Partner
    who: Credentials
    offices: list[Office]


def offices_and_software(share: float, url: str) -> list[Software]:
    """Companies and consents of a day; every partner hears of new documents at this address."""
    began = Office.objects.filter(slug__startswith=SLUG).count()
    wanted = max(round(OFFICES * share), LEAST_OFFICES)
    offices = Office.objects.bulk_create(
        Office(name=f"Day {n}", slug=f"{SLUG}-{n}", company_number=_company_number(8_800_000 + n))
        for n in range(began, began + wanted)
    )
    admin = User.objects.get(email=participants.ADMIN)
    Membership.objects.bulk_create(
        Membership(office=office, user=admin, role=Role.ADMIN) for office in offices
    )
    _add_companies(offices, max(round(DOCUMENTS * share) // EACH // wanted, 1))
    found = [_software(n, url, offices[n::PARTNERS]) for n in range(PARTNERS)]
    for software in found:
        for office in software.offices:
            participants.allow(office, software.partner)
    return found


def _add_companies(offices: list[Office], each: int) -> None:
    serial = FIRST_SERIAL + Client.objects.filter(office__slug__startswith=SLUG).count()
    clients = Client.objects.bulk_create(
        Client(
            office=office,
            company_number=_company_number(serial + n * each + place),
            name=f"Company {n}.{place}",
            code=f"D{n}.{place}",
            confirmed_at=Now(),
        )
        for n, office in enumerate(offices)
        for place in range(each)
    )
    Account.objects.bulk_create(
        Account(client=client, iban=iban(serial + n), confirmed_at=Now())
        for n, client in enumerate(clients)
    )


def _software(n: int, url: str, offices: list[Office]) -> Software:
    """The partner of this number; it is the same in every run."""
    name = f"Day software {n}"
    partner = Partner.objects.filter(name=name).first() or _make_partner(name)
    again = {"url": url, "off_at": None, "off_reason": "", "busy_until": None}
    WebhookEndpoint.objects.update_or_create(partner=partner, defaults=again)
    return Software(partner, participants.credentials(name), offices)


def _make_partner(name: str) -> Partner:
    partner = Partner.objects.create(name=name, vendor="Bench NV", document_kinds=list(TYPES))
    Application.objects.create(
        partner=partner,
        name=name,
        client_id=name,
        client_type="confidential",
        authorization_grant_type="client-credentials",
    )
    return partner


def write_files(share: float, offices: list[Office]) -> int:
    """A file for each document, mixed over the offices as they come in; return how many."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    accounts = Account.objects.filter(client__office__in=offices).select_related("client")
    companies = [
        Company(one.client.company_number, one.client.name, "", "nl", "", one.iban, "TESTBE22")
        for one in accounts.order_by("pk")
    ]
    random.Random(0).shuffle(companies)  # noqa: S311
    count = round(DOCUMENTS * share)
    for n in range(count):
        turn, place = divmod(n, len(companies))
        data = _file(_kind(turn, place), companies[place], turn * CLIENTS + place % CLIENTS)
        path = FOLDER / f"{n // FILES_PER_FOLDER:05}" / f"{n}.dat"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return count


def _kind(turn: int, place: int) -> Kind:
    """Mostly statements and invoices; a payroll or a card at most once for a company."""
    if turn % EACH < 3:
        return Kind.BANK_ACCOUNT_STATEMENT
    if turn == EACH - 1 and place % 4 == 1:
        return Kind.PAYROLL_STATEMENT
    if turn == EACH - 1 and place % 4 == 3:
        return Kind.CREDIT_CARD_STATEMENT
    return Kind.PURCHASE_INVOICE if turn % EACH == 3 else Kind.SALES_INVOICE
