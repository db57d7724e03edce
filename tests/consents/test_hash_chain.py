"""The hash chain: any edit, deletion, insertion, swap or cut tail is found, and it is said where."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from codabox_portal.addresses import checkpoints_storage
from consents.evidence.verify import faults, log_faults
from consents.models import ChainHead, Consent, ConsentEvent, EventKind, LogEntry
from consents.models.hash_chain import (
    Place,
    event_hash_of,
    fingerprint,
    move_head,
    next_place,
    personal_text,
)
from consents.tasks import write_checkpoints
from tests import factories
from tests.conftest import Cast
from tests.factories import acting, allow
from tests.owner import as_owner, rules_off

pytestmark = pytest.mark.requirement(74)


CUT_FROM_LOG = """
    delete from consents_logentry where event_id in (
        select id from consents_consentevent where number > %s and office_id = %s)
"""


@pytest.fixture
def story(cast: Cast, settings: Any, tmp_path: Path) -> Cast:
    """A chain of Janssens with every kind of event, and one of Peeters."""
    settings.STORAGES = settings.STORAGES | {
        "checkpoints": checkpoints_storage(str(tmp_path / "checkpoints"))
    }
    allow(cast.consent, cast.anna)
    cast.fresh().pause(acting(cast.anna))
    cast.fresh().resume(acting(cast.anna))
    cast.fresh().cancel(acting(cast.anna), reason="moved to other software")
    factories.make_request(cast.janssens, cast.tally).deny(acting(cast.anna))
    factories.make_request(cast.peeters, cast.tally).deny(acting(cast.chloe))
    return cast


def found(cast: Cast) -> list[str]:
    offices = (cast.janssens, cast.peeters)
    told = chain(*(faults(office.pk) for office in offices), log_faults())
    return [f"{fault.number}: {fault.what}" for fault in told]


def test_an_untouched_hash_chain_has_no_faults(story: Cast) -> None:
    write_checkpoints()
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
    assert list(faults(claes.pk)) == []


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
        "personal_hash = repeat('a', 64)",
    ],
)
def test_an_edited_event_is_found(story: Cast, change: str) -> None:
    with rules_off("consents_consentevent"):
        as_owner(
            f"update consents_consentevent set {change} where number = 3 and office_id = %s",
            [story.janssens.pk],
        )
    assert found(story) == ["3: changed after it was written"]


@pytest.mark.parametrize("column", ["person_name", "browser", "address", "terms_sha256"])
def test_edited_evidence_is_found(story: Cast, column: str) -> None:
    with rules_off("consents_evidence"):
        as_owner(f"update consents_evidence set {column} = 'x'")
    assert "2: changed after it was written" in found(story)


def test_deleted_evidence_is_found(story: Cast) -> None:
    with rules_off("consents_evidence"):
        as_owner("delete from consents_evidence")
    assert "2: its evidence is gone" in found(story)


def test_an_edited_text_of_the_terms_is_found(story: Cast) -> None:
    with rules_off("consents_terms"):
        as_owner("update consents_terms set body = body || ' and more'")
    assert "2: the terms are not the text that was shown" in found(story)


def test_a_deleted_event_is_found(story: Cast) -> None:
    with rules_off("consents_consentevent"):
        as_owner("delete from consents_consentevent where number = 3 and office_id = %s",
                       [story.janssens.pk])  # fmt: skip
    assert "3: missing; the next one is 4" in found(story)


def test_swapped_events_are_found(story: Cast) -> None:
    with rules_off("consents_consentevent"):
        # One after the other: in one statement, the order of the rows decides whether 3 is free.
        for before, after in ((3, 40), (4, 3), (40, 4)):
            as_owner("update consents_consentevent set number = %s "
                     "where number = %s and office_id = %s",
                     [after, before, story.janssens.pk])  # fmt: skip
    told = found(story)
    assert "3: does not follow the event before it" in told
    assert "4: does not follow the event before it" in told


def test_an_inserted_event_is_found(story: Cast) -> None:
    """Somebody who knows the rules but not that the head is elsewhere."""
    head = ChainHead.objects.get(office=story.peeters)
    consent = Consent.objects.get(office=story.peeters)
    with rules_off("consents_consentevent"):
        as_owner(
            "insert into consents_consentevent (uuid, consent_id, kind, at, actor_kind, actor_name,"
            " reason, asked, salt, personal_hash, office_id, number, previous_hash, event_hash) values"
            " (gen_random_uuid(), %s, 'paused', now(), 'person', 'x', '', '{}', '', '', %s, %s, %s,"
            " repeat('a', 64))",
            [consent.pk, story.peeters.pk, head.length + 1, head.event_hash],
        )
    told = found(story)
    assert "3: changed after it was written" in told
    assert "3: the chain does not end where its head says" in told


def test_an_event_moved_to_another_office_is_found(story: Cast) -> None:
    with rules_off("consents_consentevent"):
        as_owner(
            "update consents_consentevent set office_id = %s, number = 99"
            " where number = 7 and office_id = %s",
            [story.peeters.pk, story.janssens.pk],
        )
    told = found(story)
    assert any("99: its consent belongs to another office" in line for line in told)
    assert "6: the chain does not end where its head says" in told


def test_a_cut_tail_is_found_by_the_checkpoint(story: Cast) -> None:
    """Whoever cuts the tail and mends the head leaves a chain that is right in itself."""
    write_checkpoints()
    length = LogEntry.objects.count()
    with rules_off("consents_consentevent", "consents_logentry"):
        as_owner(CUT_FROM_LOG, [5, story.janssens.pk])
        as_owner("delete from consents_consentevent where number > 5 and office_id = %s",
                       [story.janssens.pk])  # fmt: skip
        as_owner(
            "update consents_chainhead set length = 5, event_hash = (select event_hash from"
            " consents_consentevent where number = 5 and office_id = %s) where office_id = %s",
            [story.janssens.pk, story.janssens.pk],
        )
    assert any(line.startswith(f"{length}: the checkpoint ") for line in found(story))


def test_the_command_says_where_and_exits_with_1(story: Cast) -> None:
    write_checkpoints()
    out = StringIO()
    call_command("verify_hash_chain", stdout=out)
    assert out.getvalue().endswith(" 0 faults\n")
    with rules_off("consents_consentevent"):
        as_owner("update consents_consentevent set reason = 'x' where kind = 'cancelled'")
    with pytest.raises(SystemExit):
        call_command("verify_hash_chain", stdout=out)
    assert f"{story.janssens.uuid}, event 5: changed after it was written" in out.getvalue()


@pytest.mark.requirement(73, 107)
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
        "delete from consents_logentry where event_id in (select id from consents_consentevent"
        " where office_id = {office} and number = {n});"
        "delete from consents_consentevent where office_id = {office} and number = {n}",
        "{n}: missing; the next one is {next}",
    ),
    "insert": (
        "update consents_consentevent set number = number + 100000"
        " where office_id = {office} and number >= {n};"
        "insert into consents_consentevent (uuid, consent_id, kind, at, actor_kind, actor_name,"
        " reason, asked, salt, personal_hash, office_id, number, previous_hash, event_hash) select gen_random_uuid(),"
        " consent_id, 'paused', at, 'person', 'x', '', '{{}}', '', '', office_id, {n}, previous_hash,"
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
        "delete from consents_logentry where event_id in (select id from consents_consentevent"
        " where office_id = {office} and number > {n});"
        "delete from consents_consentevent where office_id = {office} and number > {n};"
        "update consents_chainhead set length = {n}, event_hash = (select event_hash from"
        " consents_consentevent where office_id = {office} and number = {n})"
        " where office_id = {office}",
        "but the log ends after",
    ),
}


def test_every_kind_of_damage_among_many_events_is_found(story: Cast, rounds: float) -> None:
    """`--rounds 10` walks 10,000 events."""
    grow(story, int(1000 * rounds))
    write_checkpoints()
    assert found(story) == []
    length = ChainHead.objects.get(office=story.janssens).length
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
        with undone(), rules_off(EVENT, "consents_logentry"):
            for statement in statements.format(**names).split(";"):
                as_owner(statement)
            assert any(told.format(**names) in line for line in found(story)), told
    assert found(story) == []


def grow(story: Cast, count: int) -> None:
    """Go on with the chain as `EventManager.write` does, but with one INSERT for all events."""
    place, by, events = next_place(story.janssens.pk), acting(story.anna), []
    for _ in range(count):
        event = ConsentEvent(
            consent=story.consent,
            office=story.janssens,
            number=place.number,
            previous_hash=place.previous_hash,
            kind=EventKind.PAUSED,
            at=place.at,
            actor_kind=by.kind,
            actor_name=by.name,
            person=by.person,
            salt=secrets.token_hex(16),
        )
        event.personal_hash = fingerprint(event.salt, personal_text(event, None))
        event.event_hash = event_hash_of(place.previous_hash, event, None)
        events.append(event)
        last, place = place, Place(place.number + 1, event.event_hash, place.at)
    ConsentEvent.objects.bulk_create(events, batch_size=1000)
    move_head(story.janssens.pk, last, place.previous_hash)


@contextmanager
def undone() -> Iterator[None]:
    """Whatever happens inside has not happened afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
