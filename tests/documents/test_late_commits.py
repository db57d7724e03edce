"""Two slow batches overlap, and software that polls `from` the last `to` misses nothing."""

from __future__ import annotations

import threading

import pytest

from documents.ingest.visibility_horizon import horizon_held_back, remove_dead_batches
from documents.models import IngestBatch
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import allow


def poll(software: Software, people: Cast, start: str | None) -> tuple[set[str], str]:
    answer = software.search(people.janssens, [people.bakery.company_number], **{"from": start})
    assert answer.status_code == 201, answer.text
    body = answer.json()
    ids = {document["id"] for document in body["included"]["documents"]}
    return ids, body["data"]["attributes"]["to"]


@pytest.mark.requirement(117)
def test_a_batch_that_commits_late_is_found_by_the_next_poll(
    people: Cast, ledgerly: Software
) -> None:
    allow(people.consent, people.anna)
    go_on = {name: threading.Event() for name in ("slow", "quick")}
    written = {name: threading.Event() for name in ("slow", "quick")}
    made: list[str] = []

    def ingest(name: str) -> None:
        from django.db import connection

        with horizon_held_back():
            made.append(str(factories.make_document(people.bakery).uuid))
            written[name].set()
            assert go_on[name].wait(10)
        connection.close()

    slow = threading.Thread(target=ingest, args=("slow",))
    quick = threading.Thread(target=ingest, args=("quick",))
    slow.start()
    assert written["slow"].wait(10)
    quick.start()
    assert written["quick"].wait(10)
    go_on["quick"].set()
    quick.join()
    # The later document is committed, the earlier one is not: neither is promised yet.
    first, end = poll(ledgerly, people, None)
    assert first == set()
    go_on["slow"].set()
    slow.join()
    second, end = poll(ledgerly, people, end)
    third, _end = poll(ledgerly, people, end)
    assert second | third == set(made)
    assert not second & third
    assert not IngestBatch.objects.exists()


def test_a_process_that_was_killed_does_not_hold_the_end_back_for_ever(people: Cast) -> None:
    dead = IngestBatch.objects.create()
    with horizon_held_back():
        assert IngestBatch.objects.count() == 2
    assert remove_dead_batches() == 1
    assert not IngestBatch.objects.filter(pk=dead.pk).exists()


def test_a_batch_that_fails_publishes_nothing(people: Cast) -> None:
    try:
        with horizon_held_back():
            made = factories.make_document(people.bakery)
            raise RuntimeError("the disk is full")
    except RuntimeError:
        pass
    from core.row_security import every_office
    from documents.models import Document

    with every_office():
        assert not Document.objects.filter(uuid=made.uuid).exists()
    assert not IngestBatch.objects.exists()
