"""Times are kept in UTC and shown in Brussels; in the night of the double hour nothing turns round."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from consents.presenters import timeline
from core.dates import moment_in_words as when
from partner_api.times import from_the_wire, on_the_wire
from tests import factories
from tests.accounts.people import logged_in
from tests.conftest import Cast, Software
from tests.factories import allow

pytestmark = pytest.mark.requirement(80)


# Summer time ends: the clocks of Brussels show 02:30 twice.
FIRST = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
SECOND = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def happened(cast: Cast, kind: str, at: datetime) -> None:
    """An event as if the database's clock had stood there."""
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into consents_consentevent (uuid, consent_id, kind, at, actor_kind, actor_name,"
            " reason, asked, office_id, number, previous_hash, event_hash, salt, personal_hash)"
            " select gen_random_uuid(), %s, %s, %s, 'person', 'Anna', '', '{}', %s,"
            " max(number) + 1, '', '', '', '' from consents_consentevent where office_id = %s",
            [cast.consent.pk, kind, at, cast.janssens.pk, cast.janssens.pk],
        )


def test_anna_reads_the_double_hour_in_its_order(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    # Written in the wrong order on purpose: only the time counts.
    happened(cast, "resumed", SECOND)
    happened(cast, "paused", FIRST)
    told = [moment for moment in timeline(cast.fresh()) if moment.at in (FIRST, SECOND)]
    assert [moment.what for moment in told] == ["Paused", "Resumed"]
    assert {when(moment.at) for moment in told} == {"25 October 2026, 02:30"}
    page = logged_in(cast.anna).get(f"/offices/{cast.janssens.slug}/consents/{cast.consent.uuid}")
    text = page.content.decode()
    # A machine that reads the page is not left in doubt which of both it was.
    assert (
        0
        < text.index('datetime="2026-10-25T02:30:00+02:00"')
        < text.index('datetime="2026-10-25T02:30:00+01:00"')
    )


@pytest.mark.parametrize(
    ("given", "instant"),
    [
        ("2026-10-25T02:30:00+02:00", FIRST),
        ("2026-10-25T02:30:00+01:00", SECOND),
        ("2026-10-25T00:30:00Z", FIRST),
        ("2026-03-29T01:59:59+01:00", datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC)),
        ("2026-03-29T03:00:00+02:00", datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
    ],
)
def test_the_wire_names_an_instant_not_a_time_of_day(given: str, instant: datetime) -> None:
    assert from_the_wire(given) == instant
    written = on_the_wire(instant)
    assert written is not None
    assert from_the_wire(written) == instant
    assert written.endswith("Z")


def test_ledgerly_pages_through_the_double_hour_without_a_gap(
    people: Cast, ledgerly: Software
) -> None:
    allow(people.consent, people.anna)
    moments = [FIRST + timedelta(minutes=10 * n) for n in range(-6, 13)]
    made = factories.make_documents(people.bakery, moments)
    numbers = [people.bakery.company_number]
    window: dict[str, Any] = {
        "from": "2026-10-25T02:30:00+02:00",
        "to": "2026-10-25T02:30:00+01:00",
    }
    found = ledgerly.search(people.janssens, numbers, **window).json()["data"]
    ids = [document["id"] for document in found["relationships"]["documents"]["data"]]
    wanted = [str(d.uuid) for d, at in zip(made, moments, strict=True) if FIRST <= at < SECOND]
    assert ids == wanted
    assert len(ids) == 6
