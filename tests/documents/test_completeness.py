"""The completeness board: what is missing is found, nothing is invented, and the office is told."""

from __future__ import annotations

import csv
import io
import random
import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.test import Client as Browser
from django.utils import timezone

from accounts.models import User
from accounts.notification_preferences import NotificationPreference
from clients.models import Client
from core.document_kinds import Kind
from core.row_security import every_office, office_scope
from documents.access_log import Reader, record
from documents.completeness import board
from documents.completeness.check import check, check_due_offices
from documents.completeness.rhythm import first_day, month_of
from documents.emails import send_digests
from documents.models import CompletenessCheck, Document, MissingMonth, Outcome
from mailer.models import OutgoingEmail
from partners.models import Application
from tests import factories
from tests.conftest import Cast
from tests.documents.examples import company_of, statement, take_files
from tests.test_access_matrix import as_person

BANK, PAYROLL, CARD, BOUGHT, SOLD = Kind
TODAY = date(2026, 11, 20)
NEWEST = month_of(TODAY)
MONTHS = 24
ACCOUNT = "BE68539007547034"
# How many documents of each kind a company has in a month.
EACH_MONTH = {BANK: 4, PAYROLL: 1, CARD: 1, BOUGHT: 6}
INSERT = """
    with made as (
        insert into documents_document (uuid, office_id, client_id, kind, attributes, available_at)
        select gen_random_uuid(), c.office_id, c.id, s.kind,
            jsonb_build_object('number', s.number, 'day', s.day), s.day
        from clients_client c, unnest(%(kinds)s::int[], %(numbers)s::int[], %(days)s::date[])
            s (kind, number, day)
        where c.id = any(%(clients)s)
        returning id, office_id, client_id, kind, attributes
    )
    insert into documents_documentdetails (document_id, office_id, client_id, kind, natural_key,
        version, sha256, series, number, dated_on, counterparty, currency, amount, words)
    select id, office_id, client_id, kind, kind || '/' || (attributes ->> 'day'), 1,
        lpad(id::text, 64, '0'), case kind when 1 then %(account)s when 4 then '' else 'X' end,
        attributes ->> 'number', (attributes ->> 'day')::date, '', 'EUR', 1, ''
    from made
"""


class Planted(NamedTuple):
    """A month of a company in which documents of a kind are missing."""

    client: int
    kind: Kind
    month: int


def days_of(kind: Kind, month: int) -> list[date]:
    first = first_day(month)
    return [first + timedelta(days=7 * place % 28) for place in range(min(EACH_MONTH[kind], 4))] + [
        first + timedelta(days=7 * place + 2) for place in range(EACH_MONTH[kind] - 4)
    ]


def numbered(kind: Kind, month: int) -> Iterator[tuple[int, int, date]]:
    """Statements count up in a year, four a month."""
    for place, day in enumerate(days_of(kind, month), start=1):
        yield kind.value, (month % 12) * 4 + place, day


def filled(clients: list[Client]) -> None:
    """Give every company the same documents for two years, without a gap."""
    rows = [
        row
        for month in range(NEWEST - MONTHS + 1, NEWEST + 1)
        for kind in EACH_MONTH
        for row in numbered(kind, month)
        if row[2] <= TODAY
    ]
    kinds, numbers, days = map(list, zip(*rows, strict=True))
    with every_office(), connection.cursor() as cursor:
        wanted: dict[str, Any] = {"kinds": kinds, "numbers": numbers, "days": days}
        wanted |= {"account": ACCOUNT, "clients": [client.pk for client in clients]}
        cursor.execute(INSERT, wanted)


def plant(clients: list[Client], count: int, dice: random.Random) -> set[Planted]:
    """Take documents away: a whole month, or one or two statements in the middle of one."""
    planted: set[Planted] = set()
    # A rhythm shows after some months; the last month that is over is the one before this.
    months = range(NEWEST - MONTHS + 6, NEWEST)
    while len(planted) < count:
        kind = dice.choice(list(EACH_MONTH))
        one = Planted(dice.choice(clients).pk, kind, dice.choice(months))
        beside = {one._replace(month=one.month + step) for step in (-2, -1, 0, 1, 2)}
        if planted & beside:
            continue
        planted.add(one)
        days = days_of(kind, one.month)
        if kind == BANK and dice.random() < 0.5:
            days = days[1 : dice.choice([2, 3])]
        take_away(one.client, kind, days)
    return planted


def take_away(client: int, kind: Kind, days: list[date]) -> None:
    wanted = {"client": client, "kind": kind.value, "days": days}
    with every_office(), connection.cursor() as cursor:
        cursor.execute(
            "delete from documents_documentdetails where client_id = %(client)s"
            " and kind = %(kind)s and dated_on = any(%(days)s::date[]) returning document_id",
            wanted,
        )
        gone = [document for (document,) in cursor.fetchall()]
        Document.objects.filter(pk__in=gone)._raw_delete("default")


def companies(cast: Cast, count: int) -> list[Client]:
    return Client.objects.bulk_create(
        Client(
            office=cast.janssens,
            company_number=f"{1_500_000_000 + factories.unique() % 400_000_000}",
            name=f"Company {place:05d}",
            code=f"C{place:05d}",
            language="nl",
            confirmed_at=timezone.now(),
        )
        for place in range(count)
    )


def found(cast: Cast) -> set[Planted]:
    rows = MissingMonth.objects.filter(client__office=cast.janssens)
    return {Planted(row.client_id, Kind(row.kind), month_of(row.month)) for row in rows}


def test_every_planted_gap_is_found_and_none_is_invented(cast: Cast, rounds: float) -> None:
    """20 gaps of 40 companies every day; 200 of 5,000, over 24 months, by `--rounds 125`."""
    clients = companies(cast, int(40 * rounds))
    filled(clients)
    check(cast.janssens, TODAY)
    assert found(cast) == set()
    planted = plant(clients, min(int(20 * rounds), 200), random.Random(16))
    check(cast.janssens, TODAY)
    assert found(cast) == planted
    took = []
    for at in range(0, len(clients), max(len(clients) // 20, 1)):
        began = time.monotonic()
        with office_scope(cast.janssens.pk):
            rows = board.of_companies(
                clients[at : at + 25], list(Kind), TODAY, connected=True, waiting={}
            )
        took.append(time.monotonic() - began)
        assert len(rows) == len(clients[at : at + 25])
    print(f"{len(clients):,} companies: a page of 25 took {max(took) * 1000:.0f} ms at most")


def test_what_arrives_later_is_missing_no_more(cast: Cast) -> None:
    (client,) = companies(cast, 1)
    filled([client])
    day = days_of(PAYROLL, NEWEST - 3)
    take_away(client.pk, PAYROLL, day)
    check(cast.janssens, TODAY)
    (row,) = MissingMonth.objects.filter(client=client)
    check(cast.janssens, TODAY)
    assert MissingMonth.objects.get(client=client).found_at == row.found_at
    factories.make_filed_document(client, kind=PAYROLL, series="X", dated_on=day[0])
    check(cast.janssens, TODAY)
    assert not MissingMonth.objects.filter(client=client).exists()


def test_numbers_that_jump_are_told_with_their_numbers(cast: Cast) -> None:
    (client,) = companies(cast, 1)
    filled([client])
    take_away(client.pk, BANK, days_of(BANK, NEWEST - 1)[1:3])
    check(cast.janssens, TODAY)
    row = MissingMonth.objects.get(client=client)
    assert (row.documents, row.first, row.last) == (2, 38, 39)
    assert row.month == date(2026, 10, 1)


def test_each_office_is_checked_once_a_day(cast: Cast) -> None:
    while check_due_offices():
        pass
    assert CompletenessCheck.objects.filter(office=cast.janssens).exists()
    assert check_due_offices() == 0


# --- the board -----------------------------------------------------------------------------------


def test_nothing_is_counted_before_the_first_check(cast: Cast) -> None:
    """The figures come from the check: “0 with something missing” would be untrue without one."""
    figures = "with something missing: <strong>"
    assert figures not in page(cast).content.decode()
    while check_due_offices():
        pass
    assert figures in page(cast).content.decode()


def row_of(cast: Cast, client: Client, *, connected: bool = False) -> board.Row:
    with office_scope(cast.janssens.pk):
        (row,) = board.of_companies([client], list(Kind), TODAY, connected=connected, waiting={})
    return row


def test_a_row_has_twelve_months_and_says_what_each_means(cast: Cast) -> None:
    (client,) = companies(cast, 1)
    filled([client])
    take_away(client.pk, CARD, days_of(CARD, NEWEST - 2))
    cells = row_of(cast, client).cells
    assert len(cells) == 12
    running, whole, missing = cells[0], cells[1], cells[2]
    assert (running.state, running.sign) == ("running", "10/12")
    assert running.words == "November 2026: 10 of about 12 so far"
    assert (whole.state, whole.sign) == ("complete", "12")
    assert (missing.state, missing.sign) == ("missing", "− 1")
    assert missing.words == "September 2026: 11 arrived, 1 missing"


def test_a_later_version_is_no_further_document(cast: Cast) -> None:
    first, second = (
        factories.make_filed_document(
            cast.bakery, natural_key="a", version=version, dated_on=date(2026, 10, 5)
        )
        for version in (1, 2)
    )
    assert first.natural_key == second.natural_key
    assert row_of(cast, cast.bakery).cells[1].arrived == 1


def test_what_software_has_not_downloaded_is_shown_where_some_is_connected(cast: Cast) -> None:
    one, _other = (
        factories.make_filed_document(cast.bakery, dated_on=date(2026, 10, day)) for day in (5, 6)
    )
    factories.make_application(cast.ledgerly)
    application = Application.objects.get(partner=cast.ledgerly)
    reader = Reader(cast.janssens.pk, cast.consent.pk, application.pk)
    record(reader, Outcome.SERVED, document_id=one.pk, media_type="application/json")
    assert row_of(cast, cast.bakery).cells[1].state == "complete"
    cell = row_of(cast, cast.bakery, connected=True).cells[1]
    assert (cell.state, cell.sign) == ("not_fetched", "1 ↓")
    assert cell.words == "October 2026: 2 arrived, 1 not downloaded yet"


def page(cast: Cast, query: str = "", name: str = "completeness") -> Any:
    return as_person(cast.bram).get(f"/offices/{cast.janssens.slug}/{name}{query}")


def test_bram_sees_companies_and_only_those_with_something_missing(cast: Cast) -> None:
    today = timezone.localdate()
    whole, gap = companies(cast, 2)
    months = [month_of(today) - back for back in range(12, 0, -1)]
    for client in (whole, gap):
        for month in months:
            if client != gap or month != months[-3]:
                factories.make_filed_document(
                    client, kind=PAYROLL, series="X", dated_on=first_day(month)
                )
    check(cast.janssens, today)
    everybody = page(cast).content.decode()
    assert whole.name in everybody
    assert gap.name in everybody
    assert "1 missing" in everybody
    missing = page(cast, "?show=missing").content.decode()
    assert gap.name in missing
    assert whole.name not in missing
    first = page(cast, "?sort=missing").context["rows"][0]
    assert first.client == gap
    assert page(cast, "?kind=card-nonsense&after=x&sort=z").status_code == 200
    assert whole.name in page(cast, f"?q={whole.code}").content.decode()
    export = page(cast, f"?q={gap.code}", "completeness.csv").content.decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(export)))
    assert [line[8] for line in lines[1:] if line[5] == f"{first_day(months[-3]):%Y-%m}"] == ["1"]
    path = f"companies/{gap.company_number}/completeness"
    words = page(cast, "", path).content.decode()
    assert "nothing arrived for" in words
    assert (
        "Nothing is missing."
        in page(cast, "", f"companies/{whole.company_number}/completeness").content.decode()
    )


def test_bram_sees_only_companies_with_something_not_downloaded(cast: Cast) -> None:
    had, left = companies(cast, 2)
    today = timezone.localdate()
    documents = {
        client: factories.make_filed_document(client, kind=PAYROLL, series="X", dated_on=today)
        for client in (had, left)
    }
    # Longer ago than the board shows.
    factories.make_filed_document(
        had, kind=PAYROLL, series="X", dated_on=today - timedelta(days=400)
    )
    factories.make_application(cast.ledgerly)
    application = Application.objects.get(partner=cast.ledgerly)
    reader = Reader(cast.janssens.pk, cast.consent.pk, application.pk)
    record(reader, Outcome.SERVED, document_id=documents[had].pk, media_type="application/json")
    check(cast.janssens, today)

    def shown(query: str) -> set[int]:
        rows = page(cast, f"?show=not_downloaded{query}").context["rows"]
        return {row.client.pk for row in rows} & {had.pk, left.pk}

    assert shown("") == {left.pk}
    assert shown("&kind=payroll-statements") == {left.pk}
    assert shown("&kind=bank-account-statements") == set()
    assert left.name in page(cast, "?show=not_downloaded", "completeness.csv").content.decode()
    record(reader, Outcome.SERVED, document_id=documents[left].pk, media_type="application/json")
    check(cast.janssens, today)
    assert shown("") == set()


def test_a_file_that_waits_stands_in_the_month_of_its_arrival(people: Cast) -> None:
    data = statement(company_of(people.bakery))
    take_files({f"{factories.unique()}.cod": data[:-200]})
    words = page(people, "?show=waiting").content.decode()
    assert people.bakery.code in words
    assert "file waits for you" in words


def test_twice_as_many_companies_cost_no_further_query(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    clients = companies(cast, 20)
    filled(clients)
    browser: Browser = as_person(cast.bram)
    path = f"/offices/{cast.janssens.slug}/completeness"
    browser.get(path)
    with django_assert_max_num_queries(30):
        browser.get(path)


# --- the digest ----------------------------------------------------------------------------------


def digests(cast: Cast) -> list[OutgoingEmail]:
    emails = OutgoingEmail.objects.filter(message="missing_documents").order_by("pk")
    return [one for one in emails if one.context["office"] == cast.janssens.pk]


def test_people_are_told_once_what_is_new_and_can_switch_it_off(cast: Cast) -> None:
    (client,) = companies(cast, 1)
    filled([client])
    take_away(client.pk, PAYROLL, days_of(PAYROLL, NEWEST - 3))
    check(cast.janssens, TODAY)
    muted = [NotificationPreference.MISSING]
    User.objects.filter(pk=cast.bram.pk).update(muted_notifications=muted)
    send_digests()
    (email,) = digests(cast)
    assert email.recipient == cast.anna.email
    send_digests()
    assert digests(cast) == [email]
    take_away(client.pk, CARD, days_of(CARD, NEWEST - 4))
    CompletenessCheck.objects.filter(office=cast.janssens).update(
        emailed_at=timezone.now() - timedelta(seconds=1)
    )
    OutgoingEmail.objects.filter(pk=email.pk).update(dedupe_key="last week")
    MissingMonth.objects.filter(client=client).update(found_at=timezone.now() - timedelta(days=7))
    check(cast.janssens, TODAY)
    send_digests()
    assert len(digests(cast)) == 2
