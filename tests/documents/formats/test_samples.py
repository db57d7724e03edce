"""CODA written by hand, each with the habits of another bank."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from pathlib import Path

import coda as febelfin
import pytest

from documents.formats import BankStatement, Movement
from documents.formats.reading import read
from documents.rendering.pdf import render
from tests.documents.formats.test_coda import agree

pytestmark = pytest.mark.requirement(118)


SAMPLES = Path(__file__).parent / "samples"


def papers(name: str) -> list[BankStatement]:
    found = [parsed.facts for parsed in read((SAMPLES / name).read_bytes())]
    assert all(isinstance(paper, BankStatement) for paper in found)
    return found  # type: ignore[return-value]


def one(name: str) -> tuple[Movement, ...]:
    (paper,) = papers(name)
    return paper.movements


@pytest.mark.parametrize("name", ["cards.cod", "wages.cod", "words.cod"])
def test_an_independent_reader_agrees(name: str) -> None:
    """The others have a day 000000, which it cannot read."""
    data = (SAMPLES / name).read_bytes()
    found = febelfin.CODA(io.StringIO(data.decode("latin-1"))).statements
    for parsed, other in zip(read(data), found, strict=True):
        agree(parsed, other)


def test_wages_are_one_sum_with_its_lines_and_their_whole_names() -> None:
    wages, costs = one("wages.cod")
    assert (wages.amount, wages.reference) == (Decimal("-4325.50"), "LONEN-2026-01")
    first, second = wages.details
    assert first.name == "VAN DEN BROECKE-VANDERSTRAETEN ANNE-MARIE"
    assert first.communication == "LOON JANUARI\nKERKSTRAAT 12 BUS 3 9470 DENDERLEEUW"
    assert first.amount + second.amount == wages.amount
    # The information of the first line took number 2.
    assert [line.number for line in wages.details] == [1, 3]
    assert [line.communication for line in costs.details] == ["", "21 % 10.00 2.10"]


def test_an_account_in_dollars_keeps_thousandths_and_tells_the_rate() -> None:
    (paper,) = papers("dollars.cod")
    assert (paper.currency, paper.opening) == ("USD", Decimal("-250.125"))
    foreign, swiss = paper.movements
    assert foreign.bic == "NDEANOKKXXX"
    assert [line.amount for line in foreign.details] == [Decimal(2463), Decimal(-15)]
    assert foreign.details[0].communication == "20515.57 NOK 8.329506"
    assert swiss.value_on is None
    assert swiss.booked_on == date(2026, 1, 27)
    assert swiss.name == "Müller & Söhne, Zürich"


def test_each_statement_of_a_file_is_a_document_of_its_own() -> None:
    data = (SAMPLES / "several.cod").read_bytes()
    documents = read(data)
    assert b"".join(parsed.data for parsed in documents) == data
    belgian, dutch, foreign, quiet = papers("several.cod")
    assert [paper.iban for paper in (belgian, dutch, foreign, quiet)] == [
        "BE47435000000080", "NL34KRED0633083542", "0123-456/78.LUX", "BE62971000000986",
    ]  # fmt: skip
    assert [movement.structured for movement in belgian.movements] == [
        "+++090/9337/55493+++", "+++010/8068/17183+++",
    ]  # fmt: skip
    assert foreign.holder.company_number == ""
    assert foreign.previous_on is None
    assert foreign.movements[0].booked_on == foreign.dated_on
    assert (quiet.movements, quiet.opening, quiet.closing) == ((), Decimal(42), Decimal(42))


def test_cards_terminals_and_direct_debits_are_told_in_words() -> None:
    debit, shop, terminal, back = one("cards.cod")
    assert debit.communication == ("FACTURE 12345 JANVIER 2026 MANDAT-2019-77 BE69ZZZ050D000000008")
    assert shop.communication == "5127880000000001 02/02/2026 STATION WÉRY NAMUR 60.50 USD"
    assert terminal.communication == "CAFE ZUR SCHÖNEN EUPEN 31/01/2026 01/02/2026"
    assert [line.communication for line in terminal.details] == [
        "31/01/2026 CAFE ZUR SCHÖNEN EUPEN 0507775191760001",
        "01/02/2026 CAFE ZUR SCHÖNEN EUPEN 0507775191760002",
    ]
    assert back.reference == "E2E-12345"


def test_long_words_run_on_over_records_and_accents_stay() -> None:
    (movement,) = one("words.cod")
    own, note, other = movement.communication.split("\n")
    assert own.endswith("zoals telefonisch afgesproken op 3 februari")
    assert note.endswith("Ansprechpartnerin in der Buchhaltung Frau Käthe Weiß")
    assert other == "ONDERAANNEMER VAN ÇELIK"
    assert movement.name == "ÇELIK BOUWWERKEN BV"
    (paper,) = papers("words.cod")
    assert len(paper.messages) == 2
    assert paper.messages[1].startswith("line. À partir du 1er mars")


@pytest.mark.parametrize("sample", sorted(path.name for path in SAMPLES.glob("*.cod")))
def test_every_sample_has_its_paper(sample: str) -> None:
    for paper in papers(sample):
        assert render(paper, "de").startswith(b"%PDF-")
