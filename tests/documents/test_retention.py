"""A document whose time is over is deleted, and a tombstone keeps its hashes and the moment."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from django.db import InternalError, ProgrammingError, connection, transaction
from django.db.models.functions import Now
from django.test import override_settings
from django.utils import timezone

from codabox_portal.addresses import months_to_keep
from codabox_portal.environment import Wrong
from core.document_kinds import Kind
from core.row_security import every_office, office_scope
from documents.models import Content, DeletionRecord, Document, DocumentDetails
from documents.retention import delete_for_retention
from documents.storage.blobs import load, name_of, storage
from tests import factories
from tests.conftest import Cast, Software
from tests.documents import examples
from tests.documents.examples import company_of, take_files
from tests.factories import allow

BANK, PAYROLL, CARD, BOUGHT, SOLD = Kind


@pytest.fixture(autouse=True)
def _nothing_old_of_others(committed: None) -> None:
    """Other tests leave documents of years ago: they are buried before, not counted here."""
    while delete_for_retention():
        pass


def aged(client: Any, kind: Kind, months: int) -> None:
    """Move the documents back in time."""
    with every_office():
        Document.objects.filter(client=client, kind=kind).update(
            available_at=timezone.now() - relativedelta(months=months, days=1)
        )


def kinds(client: Any) -> set[int]:
    with every_office():
        return set(Document.objects.filter(client=client).values_list("kind", flat=True))


def tombs(client: Any) -> list[DeletionRecord]:
    with every_office():
        return list(DeletionRecord.objects.filter(client=client).order_by("kind"))


def test_each_kind_is_kept_for_its_time(people: Cast) -> None:
    take_files(examples.a_month(company_of(people.bakery)))
    for kind in Kind:
        aged(people.bakery, kind, 24)
    assert delete_for_retention() == 1
    assert kinds(people.bakery) == {BANK, PAYROLL, BOUGHT, SOLD}
    for kind in Kind:
        aged(people.bakery, kind, 119)
    assert delete_for_retention() == 0
    with override_settings(PORTAL_RETENTION_MONTHS=months_to_keep("payrollStatement=60")):
        assert delete_for_retention() == 1
    assert kinds(people.bakery) == {BANK, BOUGHT, SOLD}


def test_a_tombstone_keeps_what_it_was_its_hashes_and_the_moment(people: Cast) -> None:
    data = examples.card(company_of(people.bakery))
    take_files({"a.xml": data})
    with every_office():
        document = Document.objects.get(client=people.bakery)
        filing = DocumentDetails.objects.get(document=document)
        hashes = dict(Content.objects.filter(document=document).values_list("media_type", "sha256"))
    aged(people.bakery, CARD, 24)
    before = timezone.now()
    assert delete_for_retention() == 1
    (tomb,) = tombs(people.bakery)
    assert (tomb.uuid, tomb.kind, tomb.natural_key) == (document.uuid, CARD, filing.natural_key)
    assert tomb.hashes == hashes
    assert hashlib.sha256(data).hexdigest() in tomb.hashes.values()
    assert isinstance(tomb.deleted_at, datetime)
    assert abs((tomb.deleted_at - before).total_seconds()) < 60
    with every_office():
        assert not DocumentDetails.objects.filter(client=people.bakery).exists()
    for digest in hashes.values():
        assert not storage().exists(name_of(digest))


def test_the_api_answers_404_afterwards(people: Cast, ledgerly: Software) -> None:
    allow(people.consent, people.anna)
    company = company_of(people.bakery)
    take_files({"a.cod": examples.statement(company)})
    with every_office():
        uuid = Document.objects.get(client=people.bakery).uuid
    assert ledgerly.document(people.janssens, company.number, uuid).status_code == 200
    aged(people.bakery, BANK, 120)
    assert delete_for_retention() == 1
    for accept in (None, "application/pdf", factories.CODA):
        answer = ledgerly.document(people.janssens, company.number, uuid, accept)
        assert answer.status_code == 404
        assert answer.json()["errors"][0]["code"] == "notFound"


def test_bytes_stay_while_another_document_names_them(people: Cast) -> None:
    """An invoice between two clients is two documents of the same bytes."""
    company = company_of(people.bakery)
    data = examples.invoice(company)
    take_files({"a.xml": data})
    digest = hashlib.sha256(data).hexdigest()
    other = factories.make_document(people.bakery, contents={"application/xml": data})
    aged(people.bakery, BOUGHT, 120)
    assert delete_for_retention() == 1
    assert load(digest) == data
    aged(people.bakery, BANK, 120)
    assert delete_for_retention() == 1
    assert not storage().exists(name_of(digest))
    assert {tomb.uuid for tomb in tombs(people.bakery)} >= {other.uuid}


def test_one_run_is_bounded_and_the_next_goes_on(people: Cast) -> None:
    company = company_of(people.bakery)
    files = {f"{n}.cod": data for n, data in enumerate(examples.statements(company, 12))}
    take_files(files)
    aged(people.bakery, BANK, 120)
    assert [delete_for_retention(most=5) for _ in range(4)] == [5, 5, 2, 0]
    assert len(tombs(people.bakery)) == 12


def test_a_tombstone_can_be_neither_changed_nor_removed(people: Cast) -> None:
    take_files({"a.xml": examples.card(company_of(people.bakery))})
    aged(people.bakery, CARD, 24)
    delete_for_retention()
    (tomb,) = tombs(people.bakery)
    wrongs: list[Callable[[Any], object]] = [
        lambda t: t.update(deleted_at=Now()),
        lambda t: t.delete(),
    ]
    for wrong in wrongs:
        with pytest.raises((InternalError, ProgrammingError)), every_office():
            wrong(DeletionRecord.objects.filter(pk=tomb.pk))
    with pytest.raises((InternalError, ProgrammingError)), transaction.atomic():
        connection.cursor().execute("truncate documents_deletionrecord")


def test_chloe_sees_no_tombstone_of_another_office(people: Cast) -> None:
    take_files({"a.xml": examples.card(company_of(people.bakery))})
    aged(people.bakery, CARD, 24)
    delete_for_retention()
    with office_scope(people.peeters.pk):
        assert not DeletionRecord.objects.filter(client=people.bakery).exists()
    with office_scope(people.janssens.pk):
        assert DeletionRecord.objects.filter(client=people.bakery).count() == 1


@pytest.mark.parametrize("wrong", ["payrollStatement", "payslip=12", "salesInvoice=0", "=3"])
def test_a_wrong_retention_is_one_sentence(wrong: str) -> None:
    with pytest.raises(Wrong, match="must be like creditCardStatement=24"):
        months_to_keep(wrong)


def test_ten_years_is_the_rule_and_cards_are_kept_for_two() -> None:
    months = months_to_keep("")
    assert months.pop("creditCardStatement") == 24
    assert set(months.values()) == {120}
    assert months_to_keep("salesInvoice=84, payrollStatement=60")["salesInvoice"] == 84
