"""The offices of the demo, the companies whose books they keep, and their bank accounts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from core.document_kinds import TYPES, Kind
from core.sandbox import World
from demo.data.coda import Movement, Statement
from demo.data.logo import ledgerly_logo
from demo.data.names import COUNTERPARTIES, IN, LONG_TEXT, NOTES, OUT, company_name
from demo.data.numbers import company_number, iban, structured_communication

BANKS = ["DEMOBEBB", "TESTBE22", "PROEBE21"]


@dataclass(frozen=True)
class Person:
    name: str
    email: str
    role: str
    language: str


@dataclass(frozen=True)
class Company:
    number: str
    name: str
    code: str
    language: str
    email: str
    iban: str
    bic: str


@dataclass(frozen=True)
class OfficeBooks:
    number: str
    name: str
    slug: str
    language: str
    people: tuple[Person, ...]
    companies: tuple[Company, ...]
    statements_each: int


@dataclass(frozen=True)
class Software:
    name: str
    vendor: str
    number: str
    email: str
    website: str
    colour: str
    kinds: tuple[str, ...]
    redirects: tuple[str, ...]
    logo: bytes = b""  # of the logo; without one the screens show the initials
    world: World = World.REAL


STATEMENTS, PURCHASES = Kind.BANK_ACCOUNT_STATEMENT.row.type, Kind.PURCHASE_INVOICE.row.type
EVA = Person("Eva Claes", "eva@drie-kantoren.example", "admin", "nl")
OFFICES: list[tuple[str, str, str, int, tuple[Person, ...]]] = [
    (
        "Kantoor Janssens & Zonen", "janssens", "nl", 104,
        (
            Person("Anna Janssens", "an@janssens.example", "admin", "nl"),
            Person("Bram Wouters", "bram@janssens.example", "user", "nl"),
            Person("Griet D'Hondt", "griet@janssens.example", "admin", "nl"),
            Person("Joost van der Meer", "joost@janssens.example", "user", "nl"),
            EVA,
        ),
    ),
    (
        "Fiduciaire Lefèvre", "lefevre", "fr", 62,
        (
            Person("Chloé Lefèvre", "chloe@lefevre.example", "admin", "fr"),
            Person("Noël D'Haene", "noel@lefevre.example", "user", "fr"),
            Person("Élise Gérard", "elise@lefevre.example", "admin", "fr"),
            EVA,
        ),
    ),
    (
        "Buchhaltung Königs, Sankt Vith", "koenigs", "de", 38,
        (
            Person("Jürgen Königs", "juergen@koenigs.example", "admin", "de"),
            Person("Käthe Weiß", "kaethe@koenigs.example", "user", "de"),
        ),
    ),
    (
        "O'Brien Accounting SRL/BV", "obrien", "en", 5,
        (
            Person("Fiona O'Brien", "fiona@obrien.example", "admin", "en"),
            Person("Marc Dupont", "marc@obrien.example", "user", ""),
            EVA,
        ),
    ),
]  # fmt: skip
LARGE_COMPANIES = 5000
MONTHS_24 = 729  # days
SATURDAY = 5


def all_software(own_url: str) -> list[Software]:
    """The partners; the first is the demo accounting software itself."""
    return [
        Software(
            "Ledgerly", "Ledgerly NV", company_number(9001), "support@ledgerly.example",
            "https://ledgerly.example", "teal", tuple(TYPES),
            (f"{own_url}/callback", "https://software.example/callback"), ledgerly_logo(),
        ),
        Software(
            "Tally & Zonen", "Tally & Zonen BV", company_number(9002), "hulp@tally.example",
            "https://tally.example", "orange", (STATEMENTS, PURCHASES),
            ("https://tally.example/terug",),
        ),
        Software(
            "Compta°Plus", "Compta°Plus SRL", company_number(9003), "aide@comptaplus.example",
            "https://comptaplus.example", "purple", (STATEMENTS,),
            ("https://comptaplus.example/retour",),
        ),
        Software(
            "Ledgerly (sandbox)", "Ledgerly NV", company_number(9004), "support@ledgerly.example",
            "https://ledgerly.example", "slate", tuple(TYPES),
            ("https://ledgerly.example/sandbox",), world=World.SANDBOX,
        ),
    ]  # fmt: skip


def offices(*, large: bool = False) -> list[OfficeBooks]:
    """The offices with their companies; `large` adds one with 5,000 companies."""
    books, serial = [], 0
    for place, (name, slug, language, size, people) in enumerate(OFFICES):
        books.append(_office(9100 + place, name, slug, language, people, serial, size, 32))
        serial += size
    if large:
        people = (Person("Lotte Groot", "lotte@groot.example", "admin", "nl"),)
        books.append(
            _office(9200, "Groot Kantoor NV", "groot", "nl", people, serial, LARGE_COMPANIES, 4)
        )
    return books


def _office(
    number: int, name: str, slug: str, language: str, people: tuple[Person, ...],
    first: int, size: int, statements_each: int,
) -> OfficeBooks:  # fmt: skip
    rng = random.Random(slug)
    companies = tuple(
        Company(
            number=company_number(first + place),
            name=company_name(language, place, rng),
            code=f"{slug[:3].upper()}{place + 1:04d}",
            language=language,
            email="" if place == 2 else f"boekhouding{first + place}@klant.example",
            iban=iban(first + place),
            bic=BANKS[place % len(BANKS)],
        )
        for place in range(size)
    )
    return OfficeBooks(
        company_number(number), name, slug, language, people, companies, statements_each
    )


def statements(company: Company, count: int, until: date) -> Iterator[Statement]:
    """The statements of a company's account over 24 months: each opens with the last balance.

    All are dated on working days, at least two days before `until`. Numbers begin again at 1 each
    year; an account that is older than the first statement does not begin at 1.
    """
    rng = random.Random(company.iban)
    balance = rng.randrange(-50_000, 3_000_000)
    days = sorted(rng.sample(_working_days(until), count))
    previous = until - timedelta(days=MONTHS_24)
    # As many a year as here, so this account's first number fits its day of the year.
    number, year = days[0].timetuple().tm_yday * count // MONTHS_24 if days else 0, 0
    for day in days:
        number = number + 1 if year in (0, day.year) else 1
        year = day.year
        movements = tuple(_movement(rng) for _ in range(rng.randrange(1, 7)))
        statement = Statement(
            company.iban, company.bic, company.name, number, day, previous, balance, movements
        )
        yield statement
        balance, previous = statement.closing, day


@cache
def _working_days(until: date) -> tuple[date, ...]:
    days = (until - timedelta(days=ago) for ago in range(2, MONTHS_24 - 4))
    return tuple(day for day in days if day.weekday() < SATURDAY)


def _movement(rng: random.Random) -> Movement:
    partner = rng.choice(COUNTERPARTIES)
    serial = rng.randrange(10**9)
    text = f"{partner.text} {serial}"
    # Cards and direct debits carry no structured communication.
    structured = partner.code in (OUT, IN) and rng.random() < 0.5
    if rng.random() < 0.05:
        text += LONG_TEXT
    return Movement(
        cents=partner.sign * rng.randrange(500, 400_000),
        name=partner.name,
        iban=iban(rng.randrange(10**6, 2 * 10**6)),
        text=text,
        structured=structured_communication(serial) if structured else "",
        note=rng.choice(NOTES) if rng.random() < 0.1 else "",
        bic=rng.choice(BANKS),
        code=partner.code,
    )
