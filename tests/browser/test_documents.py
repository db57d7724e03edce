"""A company's documents in a real browser: from the year down to one statement, and back."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest

from core.document_kinds import PDF, Kind
from demo.data import books, coda, other_documents
from documents.models import DocumentDetails
from tests import factories
from tests.browser.conftest import DESK, PHONE, Visit
from tests.conftest import Cast
from tests.documents import examples
from tests.documents.test_document_list import delete_for_retention
from tests.factories import CODA

pytestmark = pytest.mark.requirement(88)


TODAY = date(2026, 3, 2)
COMPANY = books.offices()[1].companies[0]
LANGUAGES = ("en", "nl", "fr", "de")
KINDS = {
    "payrollStatement": Kind.PAYROLL_STATEMENT,
    "creditCardStatement": Kind.CREDIT_CARD_STATEMENT,
    "purchaseInvoice": Kind.PURCHASE_INVOICE,
    "salesInvoice": Kind.SALES_INVOICE,
}


@dataclass
class SeededDocuments:
    """The bakery's documents: statements with a gap and a correction, and one of every kind."""

    root: str
    statement: DocumentDetails
    others: list[DocumentDetails]

    @property
    def screens(self) -> list[str]:
        opened = [f"{self.root}/documents/{one.document.uuid}" for one in self.others]
        statement = f"{self.root}/documents/{self.statement.document.uuid}"
        listed = f"{self.root}/documents"
        return [
            self.root,
            f"{self.root}/who",
            listed,
            f"{listed}?kind=bank-account-statements&q=zzz",
            statement,
            f"{statement}/who",
            *opened,
        ]


@pytest.fixture
def seeded(people: Cast) -> SeededDocuments:
    bakery = people.bakery
    statements = list(books.statements(COMPANY, 24, TODAY))[-8:]
    filed = [_file_statement(people, one) for one in statements if one is not statements[6]]
    factories.make_filed_document(
        bakery,
        natural_key=filed[0].natural_key,
        version=2,
        number=filed[0].number,
        dated_on=filed[0].dated_on,
        amount=filed[0].amount,
        opening=filed[0].opening,
        series=filed[0].series,
    )
    others: dict[object, DocumentDetails] = {}
    for paper in other_documents.other_documents(COMPANY, TODAY):
        others[paper.kind] = factories.make_filed_document(
            bakery,
            kind=KINDS[paper.kind],
            contents=paper.files,
            number=f"F-2026/{len(others) + 1}",
            counterparty="Drukkerij Van den Broeck & Söhne Offsetdruck GmbH, Sankt Vith",
            dated_on=paper.day,
            amount=Decimal("1234.56"),
        )
    delete_for_retention(people)
    root = f"/offices/{people.janssens.slug}/companies/{bakery.company_number}"
    return SeededDocuments(root, filed[-1], list(others.values()))


def _file_statement(people: Cast, statement: coda.Statement) -> DocumentDetails:
    data = coda.write(statement, people.bakery.company_number)
    return factories.make_filed_document(
        people.bakery,
        contents={CODA: data, PDF: b"%PDF-1.4"},
        series=statement.iban,
        number=str(statement.number),
        natural_key=f"{statement.iban}/{statement.day.year}/{statement.number}",
        dated_on=statement.day,
        opening=Decimal(statement.opening) / 100,
        amount=Decimal(statement.closing) / 100,
    )


@pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without-scripts"])
def test_bram_goes_from_the_year_to_a_statement_and_downloads_it(
    visit: Visit, people: Cast, seeded: SeededDocuments, scripts: bool
) -> None:
    bram = visit(java_script_enabled=scripts)
    bram.enter(people.bram, seeded.root)
    bram.page.click("main .kind-link >> nth=0")
    bram.page.wait_for_url("**/documents?**")
    assert "Statement 2 of 2026 is missing." in bram.text()
    assert bram.heading() == "Bank account statements (CODA)"
    bram.page.fill("#id_q", seeded.statement.number)
    bram.page.keyboard.press("Enter")
    bram.page.wait_for_url("**q=**")
    bram.page.click(f"main a[href$='{seeded.statement.document.uuid}']")
    bram.page.wait_for_url(f"**/documents/{seeded.statement.document.uuid}")
    assert "Closing balance" in bram.text()
    with bram.page.expect_download() as coming:
        bram.page.click("main a:has-text('Download COD')")
    kept = coming.value.path().read_bytes()
    assert kept[:1] == b"0"
    assert len(kept) % 130 == 0
    assert coming.value.suggested_filename.startswith("bank-account-statements_")


FOCUSED = "document.activeElement.getAttribute('href') || document.activeElement.name"


def test_bram_needs_no_mouse(visit: Visit, people: Cast, seeded: SeededDocuments) -> None:
    """Tab reaches every field and every document of the list, in the order of the page."""
    bram = visit()
    bram.enter(people.bram, f"{seeded.root}/documents")
    papers_ = bram.page.locator("main .document-list a")
    shown = [papers_.nth(place).get_attribute("href") for place in range(papers_.count())]
    bram.page.focus("#id_q")
    reached = ["q"]
    for _step in range(len(shown) + 4):
        bram.page.keyboard.press("Tab")
        reached.append(bram.page.evaluate(FOCUSED))
    # Behind the fields stands the button, which has neither name nor address.
    assert reached == ["q", "kind", "year", "series", "", *shown]
    bram.page.keyboard.press("Enter")
    bram.page.wait_for_url(f"**{shown[-1]}")


def test_every_screen_is_right_in_every_language_width_and_colour(
    visit: Visit, people: Cast, seeded: SeededDocuments, rounds: float
) -> None:
    """Every day each screen once, all languages, widths and colours among them; a release all.

    16 looks at each screen are all: `--rounds 16`.
    """
    bram = visit()
    bram.enter(people.bram, seeded.root)
    looks = list(itertools.product(LANGUAGES, (PHONE, DESK), ("light", "dark")))
    random.Random(seeded.root).shuffle(looks)
    for place, screen in enumerate(seeded.screens):
        for turn in range(min(int(rounds) or 1, len(looks))):
            bram.check_look(screen, *looks[(place + turn) % len(looks)])


def test_paper_shows_the_list_as_a_table_and_the_terms_whole(
    visit: Visit, people: Cast, seeded: SeededDocuments
) -> None:
    """A4 between margins is as wide as a tablet, where the screen has cards and folded terms."""
    anna = visit()
    anna.enter(people.anna, f"{seeded.root}/documents")
    anna.page.set_viewport_size({"width": 680, "height": 1000})
    row, terms = anna.page.locator(".document-list tbody tr").first, anna.page.locator(".terms")
    shown = "row => getComputedStyle(row).display"
    assert row.evaluate(shown) == "grid"
    anna.page.emulate_media(media="print")
    assert row.evaluate(shown) == "table-row"
    wide = anna.page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth")
    assert wide <= 0
    anna.page.emulate_media(media="screen")
    anna.open_request()
    assert not terms.is_visible()
    assert anna.page.locator(".decision").is_visible()
    anna.page.emulate_media(media="print")
    assert terms.is_visible()
    assert not anna.page.locator(".decision").is_visible()


def test_bram_reads_which_files_wait_in_each_language(
    visit: Visit, people: Cast, seeded: SeededDocuments
) -> None:
    data = examples.statement(examples.company_of(people.bakery))
    examples.take_files({"CODA-2026-" * 9 + f"{factories.unique()}.cod": data[:-200]})
    waiting = f"/offices/{people.janssens.slug}/waiting-files"
    bram = visit()
    bram.enter(people.bram, waiting)
    assert "The end of the file is missing." in bram.text()
    for language, size in itertools.product(LANGUAGES, (PHONE, DESK)):
        for screen in (waiting, seeded.root):
            bram.check_look(screen, language, size, "light")


def test_bram_reads_the_completeness_board_in_each_language(
    visit: Visit, people: Cast, seeded: SeededDocuments
) -> None:
    completeness = f"/offices/{people.janssens.slug}/completeness"
    bram = visit()
    bram.enter(people.bram, completeness)
    assert people.bakery.name in bram.text()
    bram.page.click("main th a")
    bram.page.wait_for_url(f"**{seeded.root}/completeness")
    for language, size in itertools.product(LANGUAGES, (PHONE, DESK)):
        for screen in (completeness, f"{seeded.root}/completeness"):
            bram.check_look(screen, language, size, "light")
