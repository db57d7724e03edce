"""The web processes are replaced one after the other while people and software go on."""

from __future__ import annotations

import gc
import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from accounts.models import Membership
from consents.models import Consent
from partner_api.hot_path import rate_limit
from tests import factories
from tests.conftest import Cast, Software
from tests.deployment.browsing import NotNow, Person
from tests.deployment.process_list import Deployment, Process
from tests.factories import CODA, allow

pytestmark = pytest.mark.requirement(96)


PROGRAMS, OFFICES = 14, 6


class Client(threading.Thread):
    """Does the same again and again until told to stop; remembers every answer, 0 for none."""

    def __init__(self, name: str, act: Callable[[Client], None], stop: threading.Event) -> None:
        super().__init__(name=name, daemon=True)
        self.act, self.stop = act, stop
        self.answers: Counter[int] = Counter()
        self.lost: list[str] = []
        self.done = 0

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                self.act(self)
            except Exception as error:
                self.lost.append(f"{self.name}: {error!r}")
            self.done += 1


def caller(software: Software, there: Cast, document: str) -> Callable[[Client], None]:
    """Software at work: it looks, searches and fetches; half of its calls are POST."""
    number = there.bakery.company_number

    def act(client: Client) -> None:
        calls = [
            lambda: software.call("GET", f"/accounting-office-consents/{there.consent.uuid}"),
            lambda: software.search(there.janssens, [number]),
            lambda: software.document(there.janssens, number, document, accept=CODA),
            lambda: software.search(there.janssens, [number]),
        ]
        try:
            client.answers[random.choice(calls)().status_code] += 1
        except httpx.TransportError as error:
            client.answers[0] += 1
            client.lost.append(f"{client.name}: {error!r}")

    return act


def walker(
    person: Person, office: str, programs: Sequence[Software], number: str
) -> Callable[[Client], None]:
    """Admin and software through the whole flow, with a pause between its two screens.

    Each of the programs in its turn: one makes ten new requests a day of an office, no more.
    """
    turns = itertools.cycle(programs)

    def act(client: Client) -> None:
        person.answers.clear()
        software = next(turns)
        try:
            asked = software.create(
                accountingOfficeCompanyNumber=number, redirectUri=factories.CALLBACK
            )
            client.answers[asked.status_code] += 1
            consent = asked.json()["data"]["id"]
            second = person.choose(consent, "allow")
            assert second is not None
            client.stop.wait(random.uniform(0, 1.5))
            assert person.confirm(second)
            assert person.cancel(office, consent)
        except NotNow as error:
            client.lost.append(f"{client.name}: {error!r} {error.__cause__!r}")
        finally:
            client.answers.update(person.answers)

    return act


@contextmanager
def working(there: Cast, deployment: Deployment, rounds: float) -> Iterator[list[Client]]:
    """Twenty clients at work, until the end of the block."""
    allow(there.consent, there.anna)
    document = factories.make_document(there.bakery, contents={CODA: b"0" * 20_000})
    ledgerly = [deployment.software(there.ledgerly) for _one in range(PROGRAMS)]
    stop = threading.Event()
    clients = [
        Client(f"software {n}", caller(one, there, str(document.uuid)), stop)
        for n, one in enumerate(ledgerly)
    ]
    for n in range(OFFICES):
        office, eva = factories.make_office("Walkers"), factories.make_person("Eva")
        Membership.objects.create(office=office, user=eva, role="admin")
        programs = [
            deployment.software(factories.make_partner()) for _ten in range(max(6, int(6 * rounds)))
        ]
        http = deployment.front.client()
        person = Person(http, deployment.front.url, eva)
        person.log_in()
        walk = walker(person, office.slug, programs, office.company_number)
        clients.append(Client(f"office {n}", walk, stop))
    for client in clients:
        client.start()
    try:
        yield clients
    finally:
        stop.set()
        for client in clients:
            client.join(60)


def replace(process: Process) -> None:
    """Ask it to end, and start it anew when it has."""
    process.process.terminate()
    assert process.process.wait(70) == 0, process.log.read_text()[-4000:]
    process.start()


def roll_webs(deployment: Deployment) -> None:
    """One web process after the other; the next one when the one before serves."""
    for web in deployment.webs:
        replace(web)
        deployment.wait_until_ready(web)


def roll_the_rest(deployment: Deployment) -> None:
    for process in (*deployment.workers, deployment.beat):
        replace(process)


def roll(deployment: Deployment, **environment: str) -> None:
    """Replace every process, each with these settings."""
    deployment.environment.update(environment)
    roll_webs(deployment)
    roll_the_rest(deployment)


def test_web_processes_are_replaced_while_twenty_clients_notice_nothing(
    there: Cast, deployment: Deployment, rounds: float
) -> None:
    """As *Upgrade without a gap* says, once; `--rounds 10` ten times for a release."""
    with working(there, deployment, rounds) as clients:
        time.sleep(0.5)
        for _round in range(max(1, int(rounds))):
            roll_webs(deployment)
        roll_the_rest(deployment)
    answers: Counter[int] = sum((client.answers for client in clients), Counter())
    walked = Consent.objects.filter(office__name="Walkers", status="cancelled").count()
    print(f"{answers.total()} answers: {dict(sorted(answers.items()))}; {walked} flows walked")
    assert [one for client in clients for one in client.lost] == []
    assert set(answers) <= {200, 201, 303}
    assert all(client.done for client in clients)


def test_a_new_secret_comes_in_two_rolls_and_nobody_logs_in_again(
    there: Cast, deployment: Deployment, rounds: float, record_property: Any
) -> None:
    """As *The secret, in two rolling restarts* says (docs/operations/keys.md), on two web processes.

    A page that asks who somebody is counts as lost (`Person`).
    """
    if rounds < 2:
        pytest.skip("every process is replaced three times: --rounds 2")
    old, new = deployment.environment["PORTAL_SECRET_KEY"], "n" * 50
    began = time.monotonic()
    with working(there, deployment, rounds) as clients:
        roll(deployment, PORTAL_FORMER_SECRET_KEYS=new)
        roll(deployment, PORTAL_SECRET_KEY=new, PORTAL_FORMER_SECRET_KEYS=old)
        time.sleep(2)
        for process in (*deployment.webs, *deployment.workers, deployment.beat):
            told = Path(f"/proc/{process.process.pid}/environ").read_bytes().split(b"\0")
            assert f"PORTAL_SECRET_KEY={new}".encode() in told, process.name
    seconds = time.monotonic() - began
    # Back for the other tests; what was signed or encrypted meanwhile is still believed.
    roll(deployment, PORTAL_SECRET_KEY=old, PORTAL_FORMER_SECRET_KEYS=new)
    answers: Counter[int] = sum((client.answers for client in clients), Counter())
    measured = (
        f"{answers.total()} answers in {seconds:.0f} s, {answers.total() / seconds:.0f} a second:"
        f" {dict(sorted(answers.items()))}"
    )
    print(measured)
    record_property("measured", measured)
    assert [one for client in clients for one in client.lost] == []
    assert set(answers) <= {200, 201, 303}
    assert all(client.done for client in clients)


def test_a_client_of_redis_that_is_thrown_away_closes_no_line_in_use() -> None:
    """In a web process that begins, threads make the client twice; one of them stays."""
    client = rate_limit.redis_client.__wrapped__()
    line = client.connection_pool.get_connection()
    del client
    gc.collect()
    assert line.is_connected
    line.disconnect()  # type: ignore[no-untyped-call]
