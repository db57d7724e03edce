"""A document whose time is over is deleted, and a tombstone keeps its hashes and the moment."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db import InternalError, ProgrammingError, connection, transaction
from django.db.models.functions import Now
from django.test import override_settings
from django.utils import timezone

from codabox_portal.addresses import months_to_keep
from codabox_portal.environment import Wrong
from core.document_kinds import Kind
from core.row_security import every_office, office_scope
from documents.ingest.visibility_horizon import remove_dead_batches
from documents.models import Content, DeletionRecord, Document, DocumentDetails, IngestBatch
from documents.retention import LOCK, delete_for_retention
from documents.storage.blobs import load, name_of, storage
from documents.storage.garbage_collection import collect, shards
from tests import factories
from tests.conftest import ROOT, Cast, Software
from tests.databases import address_of_database
from tests.documents import examples
from tests.documents.examples import company_of, take_files
from tests.factories import allow

BANK, PAYROLL, CARD, BOUGHT, SOLD = Kind


# One document in each transaction: so a kill hits a moment in the middle.
SLOWLY = """
import django
django.setup()
from documents.retention import delete_for_retention
delete_for_retention(batch=1)
"""


def collect_all() -> None:
    """What garbage collection does in a day: a killed run leaves bytes that no row names."""
    for shard in shards():
        collect(shard, older_than=0)


@pytest.fixture(autouse=True)
def _nothing_old_of_others(committed: None) -> None:
    """Other tests leave documents of years ago: they are buried before, not counted here."""
    delete_for_retention()


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


def expired(people: Cast, count: int) -> set[str]:
    """So many documents whose time is over; the digests of their bytes."""
    company = company_of(people.bakery)
    files = {f"{n}.cod": data for n, data in enumerate(examples.statements(company, count))}
    take_files(files)
    aged(people.bakery, BANK, 120)
    return {hashlib.sha256(data).hexdigest() for data in files.values()}


def test_one_run_goes_on_until_nothing_is_left(people: Cast) -> None:
    expired(people, 12)
    assert delete_for_retention(batch=5) == 12
    assert len(tombs(people.bakery)) == 12
    assert delete_for_retention(batch=5) == 0


def test_a_run_whose_time_is_over_stops_and_the_next_goes_on(people: Cast) -> None:
    expired(people, 12)
    assert [delete_for_retention(seconds=0, batch=5) for _ in range(4)] == [5, 5, 2, 0]
    assert len(tombs(people.bakery)) == 12


def test_a_second_run_stops_when_it_finds_the_first(people: Cast) -> None:
    """The first one is in the middle of a batch: nothing is doubled, and nobody waits."""
    expired(people, 3)
    begun, go_on = threading.Event(), threading.Event()

    def first() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("select pg_advisory_xact_lock(%s, %s)", LOCK)
                begun.set()
                assert go_on.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert begun.wait(20)
    before = time.monotonic()
    assert delete_for_retention() == 0
    assert time.monotonic() - before < 5
    go_on.set()
    thread.join(20)
    assert not IngestBatch.objects.exists()
    assert delete_for_retention() == 3


def test_two_runs_at_once_leave_one_record_of_each_document(people: Cast) -> None:
    expired(people, 30)
    deleted: list[int] = []
    start = threading.Barrier(2)

    def run() -> None:
        start.wait(20)
        try:
            deleted.append(delete_for_retention(batch=3))
        finally:
            connection.close()

    runs = [threading.Thread(target=run) for _ in range(2)]
    for each in runs:
        each.start()
    for each in runs:
        each.join(60)
    # Each may have found the other in its batch and stopped.
    assert sum(deleted) + delete_for_retention() == 30
    found = [tomb.uuid for tomb in tombs(people.bakery)]
    assert len(found) == len(set(found)) == 30


@pytest.mark.kills
def test_a_run_that_is_killed_leaves_nothing_half_deleted(people: Cast) -> None:
    digests = expired(people, 60)
    process = subprocess.Popen(
        [sys.executable, "-c", SLOWLY],
        cwd=ROOT,
        env=os.environ
        | {
            "DATABASE_URL": address_of_database(),
            "PORTAL_SECRET_KEY": settings.SECRET_KEY,
            "DJANGO_SETTINGS_MODULE": "codabox_portal.settings",
        },
    )
    try:
        for _ in range(600):
            if len(tombs(people.bakery)) >= 4:
                break
            time.sleep(0.05)
        time.sleep(random.random() * 0.1)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(20)
    remove_dead_batches()
    with every_office():
        left = Document.objects.filter(client=people.bakery)
        whole = left.filter(contents__isnull=False, details__isnull=False).distinct().count()
        assert whole == left.count()
        buried = {tomb.uuid for tomb in tombs(people.bakery)}
        assert 4 <= len(buried) < 60
        assert not left.filter(uuid__in=buried).exists()
        assert len(buried) + left.count() == 60
        for digest in Content.objects.filter(document__in=left).values_list("sha256", flat=True):
            assert digest not in digests or storage().exists(name_of(digest))
    assert delete_for_retention() == 60 - len(buried)
    collect_all()
    assert not [digest for digest in digests if storage().exists(name_of(digest))]


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
