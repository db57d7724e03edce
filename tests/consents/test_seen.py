"""Who of the office saw a request first: told in the timeline, written once."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client as Browser

from consents.models import LedgerHead, Seen
from tests import factories
from tests.accounts.people import logged_in
from tests.conftest import Cast
from tests.factories import allow


def looks(cast: Cast) -> list[str]:
    return [look.person.name for look in cast.consent.seen.order_by("at", "pk")]


def detail(cast: Cast) -> str:
    path = f"/offices/{cast.janssens.slug}/consents/{cast.consent.uuid}"
    return logged_in(cast.an).get(path).content.decode()


def test_the_first_look_of_each_person_stands_in_the_timeline(cast: Cast) -> None:
    assert "Seen" not in detail(cast)
    for person in (cast.bram, cast.an, cast.bram):
        assert logged_in(person).get(f"/consent/{cast.consent.uuid}").status_code == 200
    assert looks(cast) == ["Bram", "An"]
    story = detail(cast)
    assert story.count("<strong>Seen</strong>") == 2
    seen, by_bram = story.index("<strong>Seen</strong>"), story.index(", Bram</span>")
    assert story.index("<strong>Requested</strong>") < seen < by_bram


def test_neither_a_stranger_nor_a_checking_machine_has_seen_it(cast: Cast) -> None:
    for browser in (logged_in(cast.chloe), logged_in(cast.dirk), Browser()):
        browser.get(f"/consent/{cast.consent.uuid}")
    logged_in(cast.an).head(f"/consent/{cast.consent.uuid}")
    assert looks(cast) == []


def test_looking_at_what_is_decided_is_no_first_look(cast: Cast) -> None:
    allow(cast.consent, cast.an)
    logged_in(cast.bram).get(f"/consent/{cast.consent.uuid}")
    assert looks(cast) == []


def test_a_look_is_no_event_and_does_not_touch_the_ledger(cast: Cast) -> None:
    before = LedgerHead.objects.get(office=cast.janssens).seal
    logged_in(cast.an).get(f"/consent/{cast.consent.uuid}")
    assert LedgerHead.objects.get(office=cast.janssens).seal == before
    assert cast.consent.events.count() == 1
    assert cast.fresh().is_open


@pytest.mark.parametrize("statement", ["update {} set at = now()", "delete from {}"])
def test_a_look_cannot_be_changed_or_taken_back(cast: Cast, statement: str) -> None:
    factories.make_person("Bea", cast.janssens)
    logged_in(cast.an).get(f"/consent/{cast.consent.uuid}")
    table = Seen._meta.db_table
    with (
        pytest.raises(DatabaseError, match="Cannot"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(table))
    assert looks(cast) == ["An"]
