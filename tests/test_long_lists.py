"""Every long list of an office has one foot: Previous and Next lead through all of its rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest

from backoffice.models.support_access import SupportAccess
from clients.models import Client, ClientEvent
from core.row_security import every_office
from documents.models import (
    DeletionRecord,
    DocumentRead,
    DocumentView,
    MissingMonth,
    QuarantinedFile,
    QuarantinedName,
)
from tests import factories
from tests.conftest import Cast
from tests.documents.test_row_security import end_scope
from tests.factories import CODA
from tests.test_access_matrix import as_person

# Two pages and a piece of a third; some lists show 50 rows on a page, others 25.
LONG, SHORT = 107, 57
STEP = re.compile(r'href="(\?[^"#]+)(#[a-z]+)?" rel="(prev|next)"')


def companies(cast: Cast, rows: int) -> None:
    Client.objects.bulk_create(
        Client(
            office=cast.janssens,
            name=f"Company {n % 4}",
            code=f"{n:03}",
            company_number=factories.company_number(),
        )
        for n in range(rows - 1)
    )


def companies_with_missing_months(cast: Cast, rows: int) -> None:
    companies(cast, rows)
    MissingMonth.objects.bulk_create(
        MissingMonth(client=client, kind=1, series="", month=date(2026, 3, 1), documents=1 + n % 3)
        for n, client in enumerate(cast.janssens.clients.all()[:40])
    )


def consents(cast: Cast, rows: int) -> None:
    for n in range(rows - 1):
        factories.make_request(cast.janssens, factories.make_partner(f"Software {n % 5}"))


def documents(cast: Cast, rows: int) -> None:
    for n in range(60):
        factories.make_filed_document(cast.bakery, dated_on=date(2026, 3, 1) + timedelta(n // 7))
    DeletionRecord.objects.bulk_create(
        DeletionRecord(
            uuid=f"{factories.unique():032x}",
            client=cast.bakery,
            kind=1,
            natural_key=str(n),
            available_at="2015-03-02T04:00:00Z",
            hashes={},
        )
        for n in range(rows - 60)
    )


def events(cast: Cast, rows: int) -> None:
    fields = {"client": cast.bakery, "office": cast.janssens, "kind": "changed"}
    ClientEvent.objects.bulk_create(
        ClientEvent(**fields, by_name=f"Somebody {n}") for n in range(rows)
    )


def reads_and_views(cast: Cast, rows: int) -> None:
    document = factories.make_filed_document(cast.bakery, contents={CODA: b"0"}).document
    office = {"office_id": cast.janssens.pk, "document_id": document.pk}
    read = {"consent_id": cast.consent.pk, "application_id": 1, "size": 1, "outcome": "served"}
    DocumentRead.objects.bulk_create(
        DocumentRead(**office, **read, media_type=CODA) for _ in range(rows)
    )
    DocumentView.objects.bulk_create(
        DocumentView(**office, client_id=cast.bakery.pk, person=cast.bram) for _ in range(rows)
    )


def accesses(cast: Cast, rows: int) -> None:
    fields = {"office": cast.janssens, "operator": cast.dirk, "accessed": "consent"}
    SupportAccess.objects.bulk_create(
        SupportAccess(**fields, operator_name=f"Dirk {n}") for n in range(rows)
    )


def waiting_files(cast: Cast, rows: int) -> None:
    Client.objects.filter(pk=cast.bakery.pk).update(confirmed_at="2026-01-01T00:00:00Z")
    fields = {"size": 1, "reason": "cut_off", "detail": "", "state": "waiting"}
    files = QuarantinedFile.objects.bulk_create(
        QuarantinedFile(sha256=f"{factories.unique():064x}", name=f"{n}.cod", **fields)
        for n in range(rows)
    )
    QuarantinedName.objects.bulk_create(
        QuarantinedName(file=file, number=cast.bakery.company_number) for file in files
    )


class LongList(NamedTuple):
    """Where a list is, what fills it, which page of the context it is, and the id above it."""

    path: str
    fill: Callable[[Cast, int], None]
    rows: int = LONG
    page: str = "page"
    heading: str = ""


COMPANY = "/companies/{company.company_number}"
LISTS = [
    LongList("/companies", companies),
    LongList("/companies?sort=code&state=all", companies),
    LongList("/completeness", companies, SHORT),
    LongList("/completeness?sort=missing", companies_with_missing_months, SHORT),
    LongList("/consents?sort=newest", consents, SHORT),
    LongList("/consents?status=to_be_determined&sort=software", consents, SHORT),
    LongList(f"{COMPANY}/documents", documents),
    LongList(f"{COMPANY}/documents?kind=bank-account-statements", documents),
    LongList("/companies/{company.uuid}", events, SHORT, heading="#story"),
    LongList(f"{COMPANY}/who", reads_and_views, LONG, "fetches", "#fetched"),
    LongList(f"{COMPANY}/who", reads_and_views, LONG, "looks", "#looks"),
    LongList("/waiting-files", waiting_files),
    LongList("/organization/looks", accesses),
]


class Reader(NamedTuple):
    """Anna, who goes through a list by the links at its foot."""

    cast: Cast
    one: LongList

    @property
    def path(self) -> str:
        return f"/offices/{self.cast.janssens.slug}{self.one.path.format(company=self.cast.bakery)}"

    def open(self, link: str = "") -> Any:
        end_scope()
        path = self.path.partition("?")[0] + link if link else self.path
        answer = as_person(self.cast.anna).get(path)
        assert answer.status_code == 200
        return answer

    def rows(self, answer: Any) -> list[Any]:
        return [getattr(row, "key", row) for row in answer.context[self.one.page].rows]

    def steps(self, answer: Any) -> dict[str, str]:
        """The links to the pages beside this one, by what they are."""
        found = STEP.findall(answer.content.decode())
        return {rel: unescape(link) for link, heading, rel in found if heading == self.one.heading}

    def walk(self, answer: Any, way: str) -> list[Any]:
        answers = [answer]
        while link := self.steps(answers[-1]).get(way):
            answers.append(self.open(link))
        return answers


@pytest.mark.parametrize("one", LISTS, ids=lambda one: f"{one.path} {one.page}")
def test_anna_reads_a_whole_list_and_comes_back(cast: Cast, one: LongList) -> None:
    with every_office():
        one.fill(cast, one.rows)
    reader = Reader(cast, one)
    pages = reader.walk(reader.open(), "next")
    seen = [row for page in pages for row in reader.rows(page)]
    assert len(seen) == len(set(seen)) == one.rows
    assert len({len(reader.rows(page)) for page in pages[:-1]}) == 1
    assert "prev" not in reader.steps(pages[0])
    assert b'role="link" aria-disabled="true"' in pages[0].content
    back = reader.walk(pages[-1], "prev")
    assert [reader.rows(page) for page in back] == [reader.rows(page) for page in reversed(pages)]
    # A link of the list says the filter and the order as well.
    asked = reader.path.partition("?")[2].split("&")
    assert all(part in link for link in reader.steps(pages[1]).values() for part in asked)


def test_one_list_of_a_screen_stays_where_it_is_while_the_other_goes_on(cast: Cast) -> None:
    with every_office():
        reads_and_views(cast, LONG)
    fetches, looks = (Reader(cast, one) for one in LISTS if one.path.endswith("/who"))
    second = fetches.open(fetches.steps(fetches.open())["next"])
    both = looks.open(looks.steps(second)["next"])
    assert fetches.rows(both) == fetches.rows(second)
    assert looks.rows(both) != looks.rows(second)
    back = fetches.open(fetches.steps(both)["prev"])
    assert (fetches.rows(back), looks.rows(back)) == (
        fetches.rows(fetches.open()),
        looks.rows(both),
    )


def test_a_wrong_place_is_as_if_it_were_not_there(cast: Cast) -> None:
    with every_office():
        factories.make_filed_document(cast.bakery)
        reads_and_views(cast, 2)
        events(cast, 2)
        accesses(cast, 2)
    wrong = urlencode([(name, "x_\0") for name in ("after", "before", "looks_after")])
    for one in LISTS:
        reader = Reader(cast, one)
        found = reader.rows(reader.open("?" + reader.path.partition("?")[2] + "&" + wrong))
        assert found == reader.rows(reader.open())
