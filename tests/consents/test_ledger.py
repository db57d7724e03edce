"""The ledger: any edit, deletion, insertion, swap or cut tail is found, and it is said where."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from consents.ledger import (
    Place,
    faults,
    fingerprint,
    move_head,
    next_place,
    personal_text,
    read_anchors,
    seal_of,
    write_anchors,
)
from consents.models import Consent, ConsentEvent, EventKind, LedgerHead
from tests import factories
from tests.conftest import Cast
from tests.factories import acting, allow


@pytest.fixture
def story(cast: Cast, settings: Any, tmp_path: Path) -> Cast:
    """A chain of Janssens with every kind of event, and one of Peeters."""
    settings.PORTAL_ANCHOR_FILE = str(tmp_path / "anchors.txt")
    allow(cast.consent, cast.an)
    cast.fresh().pause(acting(cast.an))
    cast.fresh().resume(acting(cast.an))
    cast.fresh().cancel(acting(cast.an), reason="moved to other software")
    factories.make_request(cast.janssens, cast.tally).deny(acting(cast.an))
    factories.make_request(cast.peeters, cast.tally).deny(acting(cast.chloe))
    return cast


def found(cast: Cast) -> list[str]:
    anchors = read_anchors()
    return [
        f"{fault.number}: {fault.what}"
        for office in (cast.janssens, cast.peeters)
        for fault in faults(office.pk, anchors.get(str(office.uuid), []))
    ]


@contextmanager
def as_the_owner_of_the_table(*tables: str) -> Iterator[Any]:
    """What only somebody with the database in his hands can do: switch the triggers off."""
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        for table in tables:
            cursor.execute(f"alter table {table} disable trigger user")
        yield cursor
        cursor.execute("set constraints all immediate")
        for table in tables:
            cursor.execute(f"alter table {table} enable trigger user")


def test_an_untouched_ledger_has_no_faults(story: Cast) -> None:
    write_anchors()
    assert found(story) == []
    numbers = ConsentEvent.objects.filter(office=story.janssens).order_by("pk")
    assert [event.number for event in numbers] == [1, 2, 3, 4, 5, 6, 7]
    kinds = [event.kind for event in numbers]
    assert kinds == [
        "requested",
        "allowed",
        "paused",
        "resumed",
        "cancelled",
        "requested",
        "denied",
    ]


def test_an_office_that_was_never_asked_has_no_faults(cast: Cast) -> None:
    claes = factories.make_office("Claes")
    assert list(faults(claes.pk, [])) == []
    # A chain that was deleted together with its head shows against the anchors.
    assert len(list(faults(claes.pk, [(1, "0" * 64)]))) == 1


@pytest.mark.parametrize(
    "change",
    [
        "reason = 'another'",
        "actor_name = 'Somebody'",
        "at = at + interval '1 microsecond'",
        "kind = 'resumed'",
        "person_id = null",
        "until = now()",
        "actor_kind = 'operator'",
        "salt = ''",
        "salt = repeat('a', 32)",
        "personal = repeat('a', 64)",
    ],
)
def test_an_edited_event_is_found(story: Cast, change: str) -> None:
    with as_the_owner_of_the_table("consents_consentevent") as cursor:
        cursor.execute(
            f"update consents_consentevent set {change} where number = 3 and office_id = %s",
            [story.janssens.pk],
        )
    assert found(story) == ["3: changed after it was written"]


@pytest.mark.parametrize("column", ["person_name", "browser", "address", "terms_sha256"])
def test_edited_evidence_is_found(story: Cast, column: str) -> None:
    with as_the_owner_of_the_table("consents_evidence") as cursor:
        cursor.execute(f"update consents_evidence set {column} = 'x'")
    assert "2: changed after it was written" in found(story)


def test_deleted_evidence_is_found(story: Cast) -> None:
    with as_the_owner_of_the_table("consents_evidence") as cursor:
        cursor.execute("delete from consents_evidence")
    assert "2: its evidence is gone" in found(story)


def test_an_edited_text_of_the_terms_is_found(story: Cast) -> None:
    with as_the_owner_of_the_table("consents_terms") as cursor:
        cursor.execute("update consents_terms set body = body || ' and more'")
    assert "2: the terms are not the text that was shown" in found(story)


def test_a_deleted_event_is_found(story: Cast) -> None:
    with as_the_owner_of_the_table("consents_consentevent") as cursor:
        cursor.execute("delete from consents_consentevent where number = 3 and office_id = %s",
                       [story.janssens.pk])  # fmt: skip
    assert "3: missing; the next one is 4" in found(story)


def test_swapped_events_are_found(story: Cast) -> None:
    with as_the_owner_of_the_table("consents_consentevent") as cursor:
        cursor.execute("update consents_consentevent set number = case number when 3 then 40 "
                       "when 4 then 3 else number end where office_id = %s",
                       [story.janssens.pk])  # fmt: skip
        cursor.execute("update consents_consentevent set number = 4 where number = 40")
    told = found(story)
    assert "3: does not follow the event before it" in told
    assert "4: does not follow the event before it" in told


def test_an_inserted_event_is_found(story: Cast) -> None:
    """Somebody who knows the rules but not that the head is elsewhere."""
    head = LedgerHead.objects.get(office=story.peeters)
    consent = Consent.objects.get(office=story.peeters)
    with as_the_owner_of_the_table("consents_consentevent") as cursor:
        cursor.execute(
            "insert into consents_consentevent (uuid, consent_id, kind, at, actor_kind, actor_name,"
            " reason, asked, salt, personal, office_id, number, before, seal) values"
            " (gen_random_uuid(), %s, 'paused', now(), 'person', 'x', '', '{}', '', '', %s, %s, %s,"
            " repeat('a', 64))",
            [consent.pk, story.peeters.pk, head.length + 1, head.seal],
        )
    told = found(story)
    assert "3: changed after it was written" in told
    assert "3: the chain does not end where its head says" in told


def test_an_event_moved_to_another_office_is_found(story: Cast) -> None:
    with as_the_owner_of_the_table("consents_consentevent") as cursor:
        cursor.execute(
            "update consents_consentevent set office_id = %s, number = 99"
            " where number = 7 and office_id = %s",
            [story.peeters.pk, story.janssens.pk],
        )
    told = found(story)
    assert any("99: its consent belongs to another office" in line for line in told)
    assert "6: the chain does not end where its head says" in told


def test_a_cut_tail_is_found_by_the_anchor(story: Cast) -> None:
    """Whoever cuts the tail and mends the head leaves a chain that is right in itself."""
    write_anchors()
    with as_the_owner_of_the_table("consents_consentevent") as cursor:
        cursor.execute("delete from consents_consentevent where number > 5 and office_id = %s",
                       [story.janssens.pk])  # fmt: skip
        cursor.execute(
            "update consents_ledgerhead set length = 5, seal = (select seal from"
            " consents_consentevent where number = 5 and office_id = %s) where office_id = %s",
            [story.janssens.pk, story.janssens.pk],
        )
    assert found(story) == ["7: not what the anchor outside the database says"]


def test_the_command_says_where_and_exits_with_1(story: Cast) -> None:
    write_anchors()
    out = StringIO()
    call_command("verify_ledger", stdout=out)
    assert out.getvalue().endswith(" 0 faults\n")
    with as_the_owner_of_the_table("consents_consentevent") as cursor:
        cursor.execute("update consents_consentevent set reason = 'x' where kind = 'cancelled'")
    with pytest.raises(SystemExit):
        call_command("verify_ledger", stdout=out)
    assert f"{story.janssens.uuid}, event 5: changed after it was written" in out.getvalue()


@pytest.mark.parametrize(
    "statement",
    [
        "update consents_consentevent set reason = 'x'",
        "delete from consents_consentevent",
        "truncate consents_consentevent cascade",
        "update consents_evidence set person_name = 'x'",
        "delete from consents_evidence",
    ],
)
def test_the_portals_own_role_cannot_change_events(story: Cast, statement: str) -> None:
    with (
        pytest.raises(DatabaseError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert found(story) == []


EVENT = "consents_consentevent"
# Each damage to the event at a place of the chain, as somebody with the database in his hands
# would do it, and what the walk says about it.
DAMAGES = {
    "edit": (
        "update consents_consentevent set reason = 'x' where office_id = {office} and number = {n}",
        "{n}: changed after it was written",
    ),
    "delete": (
        "delete from consents_consentevent where office_id = {office} and number = {n}",
        "{n}: missing; the next one is {next}",
    ),
    "insert": (
        "update consents_consentevent set number = number + 100000"
        " where office_id = {office} and number >= {n};"
        "insert into consents_consentevent (uuid, consent_id, kind, at, actor_kind, actor_name,"
        " reason, asked, salt, personal, office_id, number, before, seal) select gen_random_uuid(),"
        " consent_id, 'paused', at, 'person', 'x', '', '{{}}', '', '', office_id, {n}, before,"
        " repeat('a', 64)"
        " from consents_consentevent where office_id = {office} and number = {n} + 100000;"
        "update consents_consentevent set number = number - 99999"
        " where office_id = {office} and number > 100000",
        "{n}: changed after it was written",
    ),
    "swap": (
        "update consents_consentevent set number = -1 where office_id = {office} and number = {n};"
        "update consents_consentevent set number = {n}"
        " where office_id = {office} and number = {next};"
        "update consents_consentevent set number = {next} where office_id = {office}"
        " and number = -1",
        "{n}: does not follow the event before it",
    ),
    "other office": (
        "update consents_consentevent set office_id = {peeters}, number = 3"
        " where office_id = {office} and number = {n}",
        "3: its consent belongs to another office",
    ),
    "whole tail cut and the head mended": (
        "delete from consents_consentevent where office_id = {office} and number > {n};"
        "update consents_ledgerhead set length = {n}, seal = (select seal from"
        " consents_consentevent where office_id = {office} and number = {n})"
        " where office_id = {office}",
        "{length}: not what the anchor outside the database says",
    ),
}


def test_every_kind_of_damage_among_many_events_is_found(story: Cast, rounds: float) -> None:
    """`--rounds 10` walks 10,000 events."""
    grow(story, int(1000 * rounds))
    write_anchors()
    assert found(story) == []
    length = LedgerHead.objects.get(office=story.janssens).length
    assert length > 1000 * rounds
    dice = random.Random(4)
    for statements, told in DAMAGES.values():
        n = dice.randrange(10, length - 10)
        names = {
            "office": story.janssens.pk,
            "peeters": story.peeters.pk,
            "n": n,
            "next": n + 1,
            "length": length,
        }
        with undone(), as_the_owner_of_the_table(EVENT) as cursor:
            for statement in statements.format(**names).split(";"):
                cursor.execute(statement)
            assert told.format(**names) in found(story), told
    assert found(story) == []


def grow(story: Cast, count: int) -> None:
    """Go on with the chain as `EventManager.write` does, but with one INSERT for all events."""
    place, by, events = next_place(story.janssens.pk), acting(story.an), []
    for _ in range(count):
        event = ConsentEvent(
            consent=story.consent,
            office=story.janssens,
            number=place.number,
            before=place.before,
            kind=EventKind.PAUSED,
            at=place.at,
            actor_kind=by.kind,
            actor_name=by.name,
            person=by.person,
            salt=secrets.token_hex(16),
        )
        event.personal = fingerprint(event.salt, personal_text(event, None))
        event.seal = seal_of(place.before, event, None)
        events.append(event)
        last, place = place, Place(place.number + 1, event.seal, place.at)
    ConsentEvent.objects.bulk_create(events, batch_size=1000)
    move_head(story.janssens.pk, last, place.before)


@contextmanager
def undone() -> Iterator[None]:
    """Whatever happens inside has not happened afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
