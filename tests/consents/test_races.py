"""Many at once: the first commit wins, and there is one event."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from consents.models import Consent, ConsentEvent, DecisionConflict, Evidence
from tests import factories
from tests.conftest import Cast, make_cast
from tests.factories import acting, allow


def at_once(jobs: list[Callable[[], Any]]) -> list[Any]:
    """Run the jobs in threads that start together; return results and exceptions in order."""
    start = threading.Barrier(len(jobs))

    def run(job: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            start.wait()
            return job()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


@pytest.mark.requirement(12, 106)
def test_anna_and_her_colleagues_decide_at_once(people: Cast, rounds: float) -> None:
    colleagues = [
        people.anna,
        *(factories.make_person(f"Eva{n}", people.janssens) for n in range(3)),
    ]
    for number in range(60 if rounds <= 1 else int(200 * rounds)):
        partner = factories.make_partner("Racer")
        consent = factories.make_request(people.janssens, partner)
        deciders = colleagues[: 2 + number % 3]

        def decide(place: int, consent: Consent = consent, deciders: Any = deciders) -> Any:
            own = Consent.objects.select_related("office", "partner").get(pk=consent.pk)
            if place % 2:
                return own.deny(acting(deciders[place]))
            return allow(own, deciders[place]) and None

        outcomes = at_once([lambda place=place: decide(place) for place in range(len(deciders))])  # type: ignore[misc]
        unexpected = [
            o for o in outcomes if isinstance(o, Exception) and not isinstance(o, DecisionConflict)
        ]
        assert unexpected == []
        decisions = list(
            ConsentEvent.objects.filter(consent=consent, kind__in=["allowed", "denied"])
        )
        assert len(decisions) == 1
        status = Consent.objects.get(pk=consent.pk).status
        assert decisions[0].kind == status
        assert Evidence.objects.filter(event=decisions[0]).count() == (status == "allowed")


@pytest.mark.requirement(13)
def test_a_partner_asks_200_times_at_once_and_gets_one_consent(
    people: Cast, rounds: float, record_property: Callable[[str, object], None]
) -> None:
    """Ten times 20 a day; 10 times 50 for a release, as many connections as a server has."""
    together = 20 if rounds <= 1 else 50

    def ask() -> tuple[Consent, bool]:
        return Consent.objects.request(office=people.janssens, partner=people.tally)

    answers: list[Any] = []
    for _ in range(10):
        answers += at_once([ask] * together)
    assert [a for a in answers if isinstance(a, Exception)] == []
    assert len({consent.pk for consent, _created in answers}) == 1
    assert sum(created for _consent, created in answers) == 1
    assert Consent.objects.filter(office=people.janssens, partner=people.tally).count() == 1
    assert ConsentEvent.objects.filter(consent=answers[0][0], kind="requested").count() == 1
    record_property("measured", f"{len(answers)} asks, {together} at once: one consent")


@pytest.mark.requirement(13)
def test_two_ask_first_at_once_many_times(people: Cast, rounds: float) -> None:
    for _ in range(int(30 * rounds)):
        office = factories.make_office("Racers")

        def ask(office: Any = office) -> Any:
            return Consent.objects.request(office=office, partner=people.tally)

        answers = at_once([ask] * 6)
        assert [a for a in answers if isinstance(a, Exception)] == []
        assert len({consent.pk for consent, _created in answers}) == 1


@pytest.mark.requirement(12, 21)
def test_a_demotion_and_a_decision_at_once_never_leave_a_decision_of_a_user(
    committed: None, rounds: float
) -> None:
    for _ in range(int(20 * rounds)):
        cast = make_cast()
        factories.make_person("Bea", cast.janssens)

        def demote(cast: Cast = cast) -> None:
            cast.janssens.memberships.filter(user=cast.anna).update(role="user")

        def decide(cast: Cast = cast) -> Any:
            allow(cast.fresh(), cast.anna)

        at_once([demote, decide])
        # Whichever came first: afterwards she cannot decide any more, and the row is whole.
        consent = cast.fresh()
        assert (consent.status == "allowed") == Evidence.objects.filter(
            event__consent=consent
        ).exists()
