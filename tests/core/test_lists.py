"""Pages of a list: each row once, forward and back, whatever comes or goes meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import QueryDict

from clients.models import Client
from core.lists import Page, Part, one_page
from core.row_security import every_office
from documents.forms import DocumentListFilter
from documents.models import DeletionRecord, DocumentDetails
from tests import factories
from tests.conftest import Cast

# Few names for many rows, and what a link could take for something else.
NAMES = ["A", "B", "B", "b", "a_b", "_", "1_2", "é", "x&y=z", "50 %", "a.b", "deleted.7", " "]
ORDERS = [("name", "pk"), ("-name", "pk"), ("office__name", "pk"), ("-pk",)]
Rows = list[Any]


class Listing:
    """A list that grows and shrinks at random; `places` are its rows as the database sorts them."""

    parts: list[Part]

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.changes = 0

    def add(self) -> None:
        raise NotImplementedError

    def remove(self) -> None:
        part = self.chance.choice(self.parts)
        if keys := list(part.rows.values_list("pk", flat=True)):
            part.rows.filter(pk=self.chance.choice(keys)).delete()

    @property
    def places(self) -> Rows:
        return [row for part in self.parts for row in part.rows.order_by(*part.order)]

    def change(self) -> None:
        """Somebody adds or removes a row; not for ever, or a walk would have no end."""
        self.changes += 1
        if self.changes < 10 and self.chance.random() < 0.5:
            self.add()
        else:
            self.remove()

    def page(self, link: str, size: int, *, counted: bool = False) -> Page:
        asked = QueryDict(link.removeprefix("?"))
        return one_page(asked, size, *self.parts, kept={"q": "a&b"}, counted=counted)

    def walk(
        self,
        page: Page,
        way: str,
        size: int,
        meanwhile: Callable[[], None] = lambda: None,
        *,
        counted: bool = False,
    ) -> list[Page]:
        """The pages from this one on, `next` or `previous`."""
        pages = [page]
        while link := getattr(pages[-1], way):
            assert QueryDict(link[1:])["q"] == "a&b"
            meanwhile()
            pages.append(self.page(link, size, counted=counted))
        return pages


class Companies(Listing):
    def __init__(self, chance: Random, order: tuple[str, ...]) -> None:
        super().__init__(chance)
        self.office = factories.make_office(f"Office {factories.unique()}")
        self.parts = [Part(Client.objects.filter(office=self.office), order)]

    def add(self) -> None:
        factories.make_client(self.office, self.chance.choice(NAMES))


class Documents(Listing):
    """Documents of few days, then what was deleted."""

    def __init__(self, chance: Random, company: Client) -> None:
        super().__init__(chance)
        self.company = company
        asked = DocumentListFilter({}, counts=[])
        assert asked.is_valid()
        self.parts = [asked.documents(company), asked.deletion_records(company)]

    def add(self) -> None:
        if self.chance.random() < 0.6:
            day = date(2026, 3, 1) + timedelta(self.chance.randrange(3))
            factories.make_filed_document(self.company, dated_on=day)
        else:
            n = factories.unique()
            DeletionRecord.objects.create(
                uuid=f"{n:032x}", client=self.company, kind=1, natural_key=str(n),
                available_at="2015-03-02T04:00:00Z", hashes={},
            )  # fmt: skip

    def remove(self) -> None:
        """Deletion records stay, so only a document goes."""
        keys = list(self.parts[0].rows.values_list("pk", flat=True))
        if keys:
            DocumentDetails.objects.filter(pk=self.chance.choice(keys)).delete()


@pytest.fixture(params=["documents", *ORDERS], ids=str)
def listings(request: pytest.FixtureRequest, cast: Cast, rounds: float) -> Any:
    """Lists of 0 to 13 rows, and the size of their pages."""

    def made() -> Any:
        for seed in range(int(4 * rounds)):
            chance = Random(seed)
            listing: Listing
            if request.param == "documents":
                listing = Documents(chance, factories.make_client(cast.janssens, str(seed)))
            else:
                listing = Companies(chance, request.param)
            for _ in range(chance.randrange(14)):
                listing.add()
            yield listing, chance.randrange(1, 5)

    with every_office():
        yield made()


def rows_of(pages: list[Page]) -> Rows:
    return [row for page in pages for row in page.rows]


def test_a_reader_gets_each_row_once_and_the_same_pages_back(listings: Any) -> None:
    for listing, size in listings:
        pages = listing.walk(listing.page("", size), "next", size)
        assert rows_of(pages) == listing.places
        assert all(len(page.rows) == size for page in pages[:-1])
        assert not pages[0].previous
        back = listing.walk(pages[-1], "previous", size)
        assert [page.rows for page in back] == [page.rows for page in reversed(pages)]
        again = listing.walk(back[-1], "next", size)
        assert again == pages


def test_rows_that_come_and_go_move_no_other_row(listings: Any) -> None:
    for listing, size in listings:
        stayed = set(listing.places)

        def meanwhile(listing: Listing = listing, stayed: set[Any] = stayed) -> None:
            listing.change()
            stayed.intersection_update(listing.places)

        pages = listing.walk(listing.page("", size), "next", size, meanwhile)
        assert stayed <= set(rows_of(pages))
        assert len(rows_of(pages[:-1])) == len(set(rows_of(pages[:-1])))
        # If nothing is left behind the page before, this is the end of the list once more.
        assert pages[-1].rows == listing.places[len(listing.places) - len(pages[-1].rows) :]

        stayed.clear()
        stayed.update(listing.places)
        last = listing.walk(listing.page("", size), "next", size)[-1]
        pages = listing.walk(last, "previous", size, meanwhile)
        assert stayed <= set(rows_of(pages))
        assert len(rows_of(pages[:-1])) == len(set(rows_of(pages[:-1])))
        # Likewise the beginning of the list: the first page is a full one.
        assert pages[-1].rows == listing.places[:size]


def test_a_page_says_which_rows_of_how_many_it_shows(cast: Cast) -> None:
    listing = Companies(Random(1), ("name", "pk"))
    assert listing.page("", 3, counted=True) == Page([])
    for _ in range(8):
        listing.add()
    pages = listing.walk(listing.page("", 3, counted=True), "next", 3, counted=True)
    assert [(page.first, page.last, page.total) for page in pages] == [
        (1, 3, 8),
        (4, 6, 8),
        (7, 8, 8),
    ]
    back = listing.page(pages[2].previous, 3, counted=True)
    assert (back.first, back.last, back.total) == (4, 6, 8)
    whole = listing.page("", 8, counted=True)
    assert (whole.first, whole.last, whole.total, whole.next) == (1, 8, 8, "")


NO_PLACES = ["", "_", "x", "1", "x_", "x_y", "x_-", "x_1.5", "x_1_", "x_ 1", "x_+1", "x_01", "x_٣"]
NO_PLACES += ["x_1\0", "\0_1", "x_99999999999999999999", "x_" + "9" * 5000, "x" * 201 + "_1"]
OF_NO_DAY = ["2026-02-30_1", "2026-3-2_1", "10000-01-01_1", "2026-03-02", "deleted.", "deleted.x_1"]


def test_what_is_no_place_in_the_list_is_ignored(cast: Cast) -> None:
    documents, companies = Documents(Random(1), cast.bakery), Companies(Random(1), ("name", "pk"))
    with every_office():
        for _ in range(5):
            documents.add()
            companies.add()
        for listing, keys in ((companies, NO_PLACES), (documents, NO_PLACES + OF_NO_DAY)):
            first = listing.page("", 2)
            for key in keys:
                for name in ("before", "after"):
                    assert listing.page("?" + urlencode({name: key}), 2) == first, key
