"""The demo's documents come in as all others do: read by the readers, filed by what they say."""

from __future__ import annotations

from datetime import date

import pytest

from demo import loader
from demo.data import books
from demo.management.commands.seed_demo import _delivered
from documents.storage.blobs import load


@pytest.mark.parametrize("place", range(4))
def test_every_document_of_the_demo_is_read_and_names_its_company(place: int) -> None:
    office = books.offices()[place]
    company = office.companies[2]
    prepared = loader.prepare(_delivered(company, 12, date(2026, 3, 2)))
    assert len(prepared) == 22
    for each in prepared:
        mine = [one for one in each.classifications if one.company_number == company.number]
        assert len(mine) == 1
        (structured,) = each.files
        assert len(load(structured.sha256)) == structured.size
    kinds = {one.kind for each in prepared for one in each.classifications}
    assert len(kinds) == 5
