"""Make a sandbox office, with companies and somebody invented who decides."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta

from django.db import models, transaction
from django.db.models.functions import Now
from stdnum.be import vat

from accounts.models import Membership, Office, Role, User
from clients.models import Client
from core.clock import database_time
from core.locks import Lock, hold, retry_deadlock
from core.sandbox import MAIL_DOMAIN, NUMBERS_BEGIN_WITH, World
from partners.models import Partner

OFFICES_A_DAY = 20
DAY = timedelta(days=1)
COMPANIES = ("Bakery of the sandbox", "Garage of the sandbox", "Pharmacy of the sandbox")


class TooManyOffices(Exception):
    """The partner has made as many offices as a day allows; wait for `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"wait for {seconds} seconds")
        self.seconds = seconds


@retry_deadlock
def make_office(partner: Partner, name: str = "") -> Office:
    """Make an office for this sandbox partner. Raises TooManyOffices."""
    with transaction.atomic():
        # One after the other, so that the limit holds.
        hold(Partner, partner.pk, lock=Lock.CHANGE)
        _refuse_after_many(partner)
        numbers = free_numbers()
        number = next(numbers)
        office = Office.objects.create(
            company_number=number,
            name=name or f"Sandbox office {number}",
            slug=f"sandbox-{number}",
            language="en",
            kind=World.SANDBOX,
            made_for=partner.uuid,
        )
        # Nobody logs in as them: they have no password, and no e-mail reaches them.
        decider = User.objects.create_user(
            f"admin-{number}{MAIL_DOMAIN}", name="Sandbox Admin", language="en"
        )
        Membership.objects.admit(office, decider, Role.ADMIN)
        Client.objects.bulk_create(
            Client(
                office=office,
                company_number=next(numbers),
                name=company,
                code=f"SANDBOX{place}",
                language="en",
                confirmed_at=Now(),
            )
            for place, company in enumerate(COMPANIES, start=1)
        )
    return _own(partner).get(pk=office.pk)


def offices_of(partner: Partner) -> list[Office]:
    """The sandbox offices of this partner, the newest first, with their companies."""
    return list(_own(partner).order_by("-pk"))


def _own(partner: Partner) -> models.QuerySet[Office]:
    companies = models.Prefetch("clients", Client.objects.order_by("pk"))
    return Office.objects.known_to(partner.uuid, World.SANDBOX).prefetch_related(companies)


def _refuse_after_many(partner: Partner) -> None:
    own = Office.objects.known_to(partner.uuid, World.SANDBOX)
    newest = own.order_by("-created_at").values_list("created_at", flat=True)[:OFFICES_A_DAY]
    if len(newest) == OFFICES_A_DAY:
        left = newest[OFFICES_A_DAY - 1] + DAY - database_time()
        if left > timedelta(0):
            raise TooManyOffices(int(left.total_seconds()) + 1)


def free_numbers() -> Iterator[str]:
    """Enterprise numbers of the sandbox that are right modulo 97 and that nobody has."""
    given: set[str] = set()
    while True:
        first = f"{NUMBERS_BEGIN_WITH}{random.SystemRandom().randrange(10**6):06d}"
        number = f"{first}{97 - int(first) % 97:02d}"
        if number in given or not vat.is_valid(number):
            continue
        if Office.objects.filter(company_number=number).exists():
            continue
        if Client.objects.filter(company_number=number).exists():
            continue
        given.add(number)
        yield number
