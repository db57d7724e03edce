"""Every PDF is tagged, so people who cannot see it hear its parts in the right order."""

from __future__ import annotations

import io
import resource
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from core.pdf import LETTERS, Cell, Column, PdfDocument, Row, printable
from tests.pdf_parts import parts

MADE = datetime(2026, 11, 30, 19, 2, 3, tzinfo=UTC)


def written(**finish: Any) -> PdfReader:
    document = PdfDocument("Bewijs van toestemming", "nl")
    document.facts([("Kantoor", "Janssens"), ("Vingerafdruk", "ab12" * 16)])
    document.chapter("Geschiedenis")
    rows = [Row([Cell(f"{place}"), Cell("Toegestaan")]) for place in range(60)]
    document.table([Column("Wanneer"), Column("Wat", None)], rows)
    document.section("1. Doel")
    document.paragraph("Een alinea.")
    document.points(["een", "twee"])
    return PdfReader(io.BytesIO(document.finish("voet", **finish)), strict=True)


def test_a_pdf_is_tagged_in_its_language_and_shows_its_title() -> None:
    paper = written()
    root: Any = paper.trailer["/Root"]
    assert str(root["/MarkInfo"]["/Marked"]) == "True"
    assert root["/Lang"] == "nl"
    assert str(root["/ViewerPreferences"]["/DisplayDocTitle"]) == "True"
    assert paper.metadata is not None
    assert paper.metadata.title == "Bewijs van toestemming"
    assert b"<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_data()


def test_headings_lists_and_tables_with_named_columns_stand_in_the_structure_tree() -> None:
    tree = parts(written())
    names = [name for _, name, _ in tree]
    main = [name for depth, name, _ in tree if depth == 2]
    assert main == ["/Title", "/L", "/H1", "/Table", "/H2", "/P", "/L"]
    assert names.count("/LI") == names.count("/Lbl") == names.count("/LBody") == 4
    # The names of the columns stand on each page and are read once.
    assert names.count("/TH") == 2
    assert {attributes["/Scope"] for _, name, attributes in tree if name == "/TH"} == {"/Column"}
    assert names.count("/TD") == 120
    assert all(attributes["/Headers"] for _, name, attributes in tree if name == "/TD")


def test_a_pdf_has_the_moment_it_was_made_or_none() -> None:
    made, undated = written(made=MADE).metadata, written().metadata
    assert made is not None
    assert undated is not None
    assert made.creation_date == MADE
    assert undated.creation_date is None


def test_the_typeface_has_every_letter_that_is_printed() -> None:
    """The program refuses a letter that the typeface lacks, in either weight."""
    assert len(LETTERS) > 2000
    letters = "".join(sorted(LETTERS))
    document = PdfDocument("Letters", "en")
    document.paragraph(letters)
    document.chapter(letters)
    assert len(document.finish("")) > 100_000


def test_a_word_of_many_letters_goes_on_below_and_stays_one_word() -> None:
    word = "0123456789" * 150
    document = PdfDocument(f"Factuur {word}", "nl")
    document.table([Column("Wat", None), Column("Hoeveel", 90)], [Row([Cell(word), Cell("1")])])
    paper = PdfReader(io.BytesIO(document.finish(word)), strict=True)
    assert paper.metadata is not None
    assert paper.metadata.title == f"Factuur {word}"
    lines = paper.pages[0].extract_text().splitlines()
    assert max(len(line) for line in lines) < 150
    assert word in "".join(lines)


def test_a_process_that_makes_pdfs_does_not_grow() -> None:
    """typst runs in a process of its own; what it keeps ends with that process."""

    def grown(count: int) -> int:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda _: written(), range(count)))
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    first = grown(8)
    assert grown(16) - first < 10_000
    assert "typst" not in Path("/proc/self/maps").read_text()


@pytest.mark.parametrize("title", ["<b>", '#panic("x")', "= a\\ *b*", "東京"])
def test_a_title_is_text_and_no_markup(title: str) -> None:
    paper = PdfReader(io.BytesIO(PdfDocument(title, "fr").finish(title)), strict=True)
    assert paper.metadata is not None
    assert paper.metadata.title == printable(title)
    assert paper.pages[0].extract_text().count(printable(title)) == 2
