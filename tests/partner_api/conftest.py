from __future__ import annotations

import pytest

from documents.models import Document
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import CODA, allow
from tests.partner_api.answers import DATA, PDF


@pytest.fixture
def reader(people: Cast, ledgerly: Software) -> Software:
    """Ledgerly, allowed."""
    allow(people.consent, people.an)
    return ledgerly


@pytest.fixture
def statement(people: Cast) -> Document:
    """A bank statement of the bakery, as CODA and as PDF."""
    return factories.make_document(people.bakery, contents={CODA: DATA, PDF: b"%PDF-1.4 x"})
