"""Two slow batches overlap, and software that polls `from` the last `to` misses nothing."""

from __future__ import annotations

import threading

from documents.models import Publication
from documents.publication import forget_dead_publications, publishing
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import allow


def poll(software: Software, people: Cast, start: str | None) -> tuple[set[str], str]:
    answer = software.search(people.janssens, [people.bakery.company_number], **{"from": start})
    assert answer.status_code == 201, answer.text
    body = answer.json()
    ids = {document["id"] for document in body["included"]["documents"]}
    return ids, body["data"]["attributes"]["to"]


def test_a_batch_that_commits_late_is_found_by_the_next_poll(
    people: Cast, ledgerly: Software
) -> None:
    allow(people.consent, people.an)
    go_on = {name: threading.Event() for name in ("slow", "quick")}
    written = {name: threading.Event() for name in ("slow", "quick")}
    made: list[str] = []

    def ingest(name: str) -> None:
        from django.db import connection

        with publishing():
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
    assert not Publication.objects.exists()


def test_a_process_that_was_killed_does_not_hold_the_end_back_for_ever(people: Cast) -> None:
    dead = Publication.objects.create()
    with publishing():
        assert Publication.objects.count() == 2
    assert forget_dead_publications() == 1
    assert not Publication.objects.filter(pk=dead.pk).exists()


def test_a_batch_that_fails_publishes_nothing(people: Cast) -> None:
    try:
        with publishing():
            made = factories.make_document(people.bakery)
            raise RuntimeError("the disk is full")
    except RuntimeError:
        pass
    from accounts.tenancy import every_office
    from documents.models import Document

    with every_office():
        assert not Document.objects.filter(uuid=made.uuid).exists()
    assert not Publication.objects.exists()
