"""Nobody reads or changes what is another office's or another partner's, whatever they ask.

Every address of the URL table is asked for by people of all roles and by software, with their own
identifiers and with those of others; whatever comes back is searched for the marks of others, and
whatever was written must be theirs. A release asks 200,000 times: `--rounds 200`.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction

from accounts.views import people
from clients.views import registry
from consents.views import navigation
from documents.views import pages
from partner_api.views import consents
from tests.isolation.holes import planted
from tests.isolation.walk import Walk
from tests.isolation.world import World, build
from tests.test_access_matrix import urls

pytestmark = pytest.mark.requirement(47)

REQUESTS = 1000
EVERY_DAY_WALKS = 2
ADDRESSES = dict(urls())
# A hole must be found within so many requests.
FOUND_WITHIN = 1500
HOLES: dict[str, tuple[Callable[..., Any], str, str]] = {
    "the documents of a company": (pages.company_of, ".filter(office=request.office)", ""),
    "a consent in the API": (consents._own, "partner_id=caller.partner_id, ", ""),
    "a consent of the office": (navigation.consent_of, "office=request.office, ", ""),
    "the list of companies": (registry.companies, "filter(office=request.office)", "all()"),
    "the export of companies": (registry._rows, ".filter(office=office)", ""),
    "a colleague": (people._member, "request.office.memberships", "Membership.objects"),
}
# The everyday suite plants the first of them.
EVERY_DAY = 3
# How often, of 1,000 requests, each of these gets something of their own, or writes it.
FLOORS = {
    "Admin": 150,
    "User": 1,
    "two offices": 5,
    "operator": 10,
    "software": 40,
    "Admin csv": 6,
    "Admin zip": 2,
    "Admin pdf": 2,
    "software pdf": 2,
    "Admin wrote": 60,
    "software wrote": 40,
    "mails": 30,
}
# How many addresses serve somebody what is theirs.
ADDRESSES_SERVED = 60


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with django_db_blocker.unblock(), undone(), quiet():
        yield build(0)


@pytest.fixture
def unblocked(django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock(), quiet():
        yield


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def quiet() -> Iterator[None]:
    """Thousands of refusals are written to no log."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_nobody_gets_or_changes_what_is_not_theirs(
    world: World, unblocked: None, rounds: float, record_property: Callable[[str, object], None]
) -> None:
    seen: Counter[str] = Counter()
    served: set[str] = set()
    requests = 0
    walks = max(EVERY_DAY_WALKS, round(rounds))
    for seed in range(walks):
        with undone():
            walk = Walk(build(seed) if seed else world, ADDRESSES, seed)
            walk.go(REQUESTS)
        assert not walk.leaks, "\n".join(walk.leaks)
        seen, served, requests = seen + walk.seen, served | set(walk.served), requests + walk.asked
    told = f"{requests} requests, {sum(seen.values())} of them served, 0 leaks"
    record_property("measured", told)
    few = {who: seen[who] for who, floor in FLOORS.items() if seen[who] < floor * walks}
    assert not few, seen
    assert len(served) >= ADDRESSES_SERVED, sorted(set(ADDRESSES) - served)


def test_a_missing_filter_is_found(
    world: World, unblocked: None, rounds: float, record_property: Callable[[str, object], None]
) -> None:
    for hole in list(HOLES)[: EVERY_DAY if rounds <= 1 else None]:
        with undone(), planted(*HOLES[hole]):
            walk = Walk(world, ADDRESSES, seed=1)
            while not walk.leaks and walk.asked < FOUND_WITHIN:
                walk.go(10)
        assert walk.leaks, hole
        record_property("measured", f"{hole} without its filter: found by request {walk.asked}")
