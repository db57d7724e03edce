"""Who of the office saw a request first: told in the timeline, written once."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client as Browser

from consents.models import ChainHead, ViewLog
from core.clock import database_time
from tests import factories
from tests.accounts.people import logged_in
from tests.conftest import Cast
from tests.factories import allow
from tests.owner import refused_to_owner


def views(cast: Cast) -> list[str]:
    return [view.person.name for view in cast.consent.view_log.order_by("at", "pk")]


def detail(cast: Cast) -> str:
    path = f"/offices/{cast.janssens.slug}/consents/{cast.consent.uuid}"
    return logged_in(cast.anna).get(path).content.decode()


def test_the_first_view_of_each_person_stands_in_the_timeline(cast: Cast) -> None:
    assert "ViewLog" not in detail(cast)
    for person in (cast.bram, cast.anna, cast.bram):
        assert logged_in(person).get(f"/consent/{cast.consent.uuid}").status_code == 200
    assert views(cast) == ["Bram", "Anna"]
    story = detail(cast)
    assert story.count("<strong>Viewed</strong>") == 2
    seen, by_bram = story.index("<strong>Viewed</strong>"), story.index(", by Bram")
    assert story.index("<strong>Requested</strong>") < seen < by_bram


def test_neither_a_stranger_nor_a_checking_machine_has_seen_it(cast: Cast) -> None:
    for browser in (logged_in(cast.chloe), logged_in(cast.dirk), Browser()):
        browser.get(f"/consent/{cast.consent.uuid}")
    logged_in(cast.anna).head(f"/consent/{cast.consent.uuid}")
    assert views(cast) == []


def test_opening_what_is_decided_is_no_first_view(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    logged_in(cast.bram).get(f"/consent/{cast.consent.uuid}")
    assert views(cast) == []


def test_a_view_is_no_event_and_does_not_touch_the_hash_chain(cast: Cast) -> None:
    before = ChainHead.objects.get(office=cast.janssens).event_hash
    logged_in(cast.anna).get(f"/consent/{cast.consent.uuid}")
    assert ChainHead.objects.get(office=cast.janssens).event_hash == before
    assert cast.consent.events.count() == 1
    assert cast.fresh().is_open(database_time())


@pytest.mark.parametrize("statement", ["update {} set at = now()", "delete from {}"])
def test_a_view_cannot_be_changed_or_taken_back(cast: Cast, statement: str) -> None:
    factories.make_person("Bea", cast.janssens)
    logged_in(cast.anna).get(f"/consent/{cast.consent.uuid}")
    table = ViewLog._meta.db_table
    with (
        pytest.raises(DatabaseError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(table))
    assert "Cannot" in refused_to_owner(statement.format(table))
    assert views(cast) == ["Anna"]
