"""Who can see this company, and who fetched what of it."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from typing import Any

import pytest
from django.test import Client as Browser

from clients.last_seen import LastSeen
from consents.scope import ScopeChange, change_scope
from core.row_security import every_office
from documents.access_log import Reader, record
from documents.models import Document, DocumentRead, DocumentView, Outcome
from tests import factories
from tests.conftest import Cast
from tests.factories import CODA, acting, allow
from tests.test_access_matrix import as_person


def page(cast: Cast, number: str = "") -> str:
    path = f"/offices/{cast.janssens.slug}/companies"
    return f"{path}/{number}/who" if number else path


def fetched(cast: Cast, client: Any, times: int = 1) -> Any:
    """Ledgerly fetched a document of this company, as the download writes it down."""
    document = factories.make_document(client, contents={CODA: b"0"})
    reader = Reader(cast.janssens.pk, cast.consent.pk, 1)
    for _time in range(times):
        record(reader, Outcome.SERVED, document_id=document.pk, media_type=CODA, size=1)
    return document


@pytest.mark.parametrize("who", ["anna", "bram"])
def test_everybody_of_the_office_sees_who_can_see(cast: Cast, who: str) -> None:
    browser, number = as_person(getattr(cast, who)), cast.bakery.company_number
    assert "No software has access." in browser.get(page(cast, number)).content.decode()
    allow(cast.consent, cast.anna)
    document = fetched(cast, cast.bakery)
    shown = browser.get(page(cast, number)).content.decode()
    assert cast.ledgerly.name in shown
    assert f"/documents/{document.uuid}" in shown
    assert "<td>CODA" in shown
    # People read what a document is called, not identifiers and media types.
    text = re.sub(r"<[^>]*>", "", shown)
    assert str(document.uuid) not in text
    assert CODA not in text
    change_scope(cast.fresh(), acting(cast.anna), ScopeChange(clients_out=(cast.bakery.pk,)))
    shown = browser.get(page(cast, number)).content.decode()
    assert "No software has access." in shown
    assert str(document.uuid) in shown, "what was fetched before stays told"


def test_who_opens_a_document_in_the_portal_is_seen_by_the_office(cast: Cast) -> None:
    filed = factories.make_filed_document(cast.bakery, number="F-77", contents={CODA: b"0"})
    number, path = cast.bakery.company_number, f"/companies/{cast.bakery.company_number}/documents"
    one = f"/offices/{cast.janssens.slug}{path}/{filed.document.uuid}"
    bram = as_person(cast.bram)
    for _time in range(2):
        assert bram.get(one).status_code == 200
    assert bram.get(f"{one}/files/{CODA}").status_code == 200
    for shown in (page(cast, number), f"{one}/who"):
        looks = as_person(cast.anna).get(shown).content.decode().split('id="looks"')[1]
        assert looks.count("<td>Bram</td>") == 2
        assert looks.count("F-77") == 2
        assert "on screen" in looks
    # Chloé gets nothing to see, and so leaves no trace.
    assert as_person(cast.chloe).get(one).status_code == 404
    with every_office():
        assert set(DocumentView.objects.values_list("person", flat=True)) == {cast.bram.pk}


def test_the_fetches_of_another_company_are_not_told_here(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    shop = factories.make_client(cast.janssens, "Shop")
    document = fetched(cast, cast.bakery)
    shown = as_person(cast.anna).get(page(cast, shop.company_number)).content.decode()
    assert str(document.uuid) not in shown
    assert cast.ledgerly.name in shown


def test_chloe_finds_no_company_of_janssens_under_her_own_office(cast: Cast) -> None:
    path = f"/offices/{cast.peeters.slug}/companies/{cast.bakery.company_number}"
    for below in ("", "/who", "/reads.csv"):
        assert as_person(cast.chloe).get(path + below).status_code == 404


@pytest.mark.requirement(77)
def test_the_csv_has_every_fetch_and_the_page_goes_by_key(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    fetched(cast, cast.bakery, times=60)
    browser, number = as_person(cast.anna), cast.bakery.company_number
    first = browser.get(page(cast, number)).content.decode()
    assert first.count("<td>CODA") == 50
    older = first.split('rel="next"')[0].rsplit('href="', 1)[1].split("#")[0]
    assert browser.get(page(cast, number) + older).content.decode().count("<td>CODA") == 10
    sheet = browser.get(page(cast, number).replace("/who", "/reads.csv")).content.decode(
        "utf-8-sig"
    )
    rows = list(csv.reader(io.StringIO(sheet)))
    assert len(rows) == 61
    assert rows[1][1] == cast.ledgerly.name


def test_the_list_tells_the_newest_document_and_the_last_download(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    shop = factories.make_client(cast.janssens, "Shop")
    factories.make_filed_document(cast.bakery, dated_on=date(2026, 3, 4), contents={CODA: b"0"})
    factories.make_filed_document(cast.bakery, dated_on=date(2026, 2, 1), contents={CODA: b"0"})
    factories.make_filed_document(shop, dated_on=date(2026, 1, 9), contents={CODA: b"0"})

    def told() -> dict[str, LastSeen]:
        rows = as_person(cast.bram).get(page(cast)).context["companies"]
        return {company.name: seen for company, seen in rows if company in (cast.bakery, shop)}

    never = {cast.bakery.name: LastSeen(date(2026, 3, 4)), "Shop": LastSeen(date(2026, 1, 9))}
    assert told() == never
    with every_office():
        older = Document.objects.get(details__dated_on=date(2026, 2, 1))
    reader = Reader(cast.janssens.pk, cast.consent.pk, 1)
    for outcome in (Outcome.SERVED, Outcome.REFUSED):
        record(reader, outcome, document_id=older.pk, media_type=CODA, size=1)
    at = DocumentRead.objects.get(outcome=Outcome.SERVED).at
    assert told() == never | {cast.bakery.name: LastSeen(date(2026, 3, 4), at)}
    shown = as_person(cast.bram).get(page(cast)).content.decode()
    assert "Newest document: 4 March 2026" in shown
    assert "Last download: never" in shown


def test_no_query_is_added_per_company_or_fetch(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    allow(cast.consent, cast.anna)
    browser = as_person(cast.anna)
    for n in range(20):
        factories.make_client(cast.janssens, f"Company {n:02}")
        fetched(cast, cast.bakery)
    with django_assert_max_num_queries(14):
        shown = browser.get(page(cast)).content.decode()
    assert len(set(re.findall(r"Company \d\d", shown))) == 20
    # One of them looks how old the company's documents are, where the newest months fill no page.
    with django_assert_max_num_queries(21):
        browser.get(page(cast, cast.bakery.company_number))


def test_anna_finds_a_company_by_a_number_with_dots(cast: Cast) -> None:
    number = cast.bakery.company_number
    dotted = f"{number[:4]}.{number[4:7]}.{number[7:]}"
    shown = as_person(cast.anna).get(page(cast), {"q": dotted}).content.decode()
    assert f"/companies/{number}" in shown
    assert (
        "No companies match" in as_person(cast.anna).get(page(cast), {"q": "xyz"}).content.decode()
    )
    assert Browser().get(page(cast)).status_code == 302


def test_anna_sees_per_company_what_ledgerly_fetched(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    allow(cast.consent, cast.anna)
    shop = factories.make_client(cast.janssens, "Shop")
    fetched(cast, cast.bakery)
    fetched(cast, shop, times=3)
    path = f"/offices/{cast.janssens.slug}/consents/{cast.consent.uuid}"
    browser = as_person(cast.anna)
    assert f"{path}/companies" in browser.get(path).content.decode()
    with django_assert_max_num_queries(16):
        page = browser.get(f"{path}/companies")
    lines = [(line.client, line.served) for line in page.context["lines"]]
    assert lines == [(shop, 3), (cast.bakery, 1)]
    other = factories.make_allowed(cast.janssens, cast.tally, cast.anna)
    path = f"/offices/{cast.janssens.slug}/consents/{other.uuid}/companies"
    assert "No downloads." in browser.get(path).content.decode()
