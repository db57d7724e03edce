"""Limits per partner, in Redis; without Redis the API goes on."""

from __future__ import annotations

import os
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx
import pytest
from oauth2_provider.models import AccessToken

from bench.servers import cpu_seconds_of, tree_of
from partner_api.hot_path.rate_limit import CallCounter, step_of
from partners.models import Partner
from tests import factories
from tests.conftest import Cast, Software, free_port, running_portal
from tests.deployment.test_steady_load import API, Load
from tests.factories import allow
from tests.partner_api.test_malformed import web_process

pytestmark = pytest.mark.requirement(57)
# One each for the portal, PostgreSQL, the burst and the others.
CORES_FOR_A_LOAD = 4


@pytest.fixture
def tally(portal: str, people: Cast) -> Software:
    return Software(portal, people.tally)


def test_a_partner_over_its_limit_is_told_when_to_come_back(
    ledgerly: Software, tally: Software, people: Cast
) -> None:
    Partner.objects.filter(pk=people.ledgerly.pk).update(calls_per_minute=3)
    path = f"/accounting-office-consents/{people.consent.uuid}"
    answers = [ledgerly.call("GET", path) for _ in range(12)]
    refused = [answer for answer in answers if answer.status_code == 429]
    # The minute may turn over once while this runs.
    assert len(refused) >= 5
    assert 1 <= int(refused[-1].headers["Retry-After"]) <= 60
    assert refused[-1].json()["errors"][0]["code"] == "tooManyRequests"
    assert {answer.status_code for answer in answers} == {200, 429}
    # Per partner, never per address: another software from the same machine goes on.
    number = people.janssens.company_number
    assert tally.create(accountingOfficeCompanyNumber=number).status_code == 201


def test_a_burst_of_one_partner_leaves_the_others_quick(
    portal: str,
    ledgerly: Software,
    tally: Software,
    people: Cast,
    rounds: float,
    record_property: Callable[[str, object], None],
) -> None:
    """Ten times its limit at 100 calls a second, for 3 seconds; `--rounds 20` for a minute.

    The everyday round shares its processors with other tests, so it counts processor time:
    a refused call must cost clearly less than a search. The long round compares what the others
    wait, and is judged by it where the load has processors of its own: the portal, PostgreSQL and
    the load need four of them. On fewer it is told, and judged by processor time as well.
    """
    Partner.objects.filter(pk=people.tally.pk).update(calls_per_minute=10**6)
    allow(factories.make_request(people.janssens, people.tally), people.anna)
    if rounds > 1:
        with cores_of_its_own(portal):
            told, ratio = others_beside_a_burst(ledgerly, tally, people, 3 * rounds)
        record_property("measured", told)
        assert ratio <= 1.1 or len(os.sched_getaffinity(0)) < CORES_FOR_A_LOAD, told
    told, ratio = refused_beside_searched(portal, ledgerly, tally, people)
    record_property("measured", told)
    assert ratio <= 0.9, told


def refused_beside_searched(
    portal: str, ledgerly: Software, tally: Software, people: Cast
) -> tuple[str, float]:
    """The sentence of the report and processor time of a refused call per time of a search."""
    limit, calls = 10, 300
    Partner.objects.filter(pk=people.ledgerly.pk).update(calls_per_minute=limit)
    own = f"/accounting-office-consents/{people.consent.uuid}"
    number = people.bakery.company_number
    for _ in range(2 * limit):
        ledgerly.call("GET", own)
        tally.search(people.janssens, [number])

    def milliseconds(call: Callable[[], httpx.Response], status: int) -> float:
        before = cpu_seconds_of(web_process(portal))
        answers = Counter(call().status_code for _ in range(calls))
        # The minute may turn over while this runs, and begin a new allowance.
        assert answers[status] >= calls - 2 * limit, answers
        return (cpu_seconds_of(web_process(portal)) - before) / calls * 1000

    refused = milliseconds(lambda: ledgerly.call("GET", own), 429)
    searched = milliseconds(lambda: tally.search(people.janssens, [number]), 201)
    told = f"processor: {refused:.2f} ms a refused call, {searched:.2f} ms a search"
    return told, refused / searched


@contextmanager
def cores_of_its_own(url: str) -> Iterator[None]:
    """The portal on one processor, who asks it on the others."""
    everywhere = os.sched_getaffinity(0)
    served, *asking = sorted(everywhere)
    portal = [
        int(task.name)
        for pid in tree_of(web_process(url))
        for task in Path(f"/proc/{pid}/task").iterdir()
    ]
    try:
        for thread in portal:
            os.sched_setaffinity(thread, {served})
        os.sched_setaffinity(0, asking or {served})
        yield
    finally:
        for thread in (0, *portal):
            with suppress(ProcessLookupError):
                os.sched_setaffinity(thread, everywhere)


def others_beside_a_burst(
    ledgerly: Software, tally: Software, people: Cast, seconds: float
) -> tuple[str, float]:
    """Searches of one partner alone, then beside a burst of another.

    Return the sentence of the report and the ratio of the two p95.
    """
    rate = 100
    limit = int(rate * seconds / 10)
    Partner.objects.filter(pk=people.ledgerly.pk).update(calls_per_minute=limit)
    number = people.bakery.company_number
    own = f"/accounting-office-consents/{people.consent.uuid}"
    answers: Counter[int] = Counter()

    def burst() -> httpx.Response:
        answer = ledgerly.call("GET", own)
        answers[answer.status_code] += 1
        assert answer.status_code in (200, 429)
        assert answer.status_code == 200 or "Retry-After" in answer.headers
        # A refusal is what is wanted here.
        answer.status_code = 200
        return answer

    def search() -> httpx.Response:
        return tally.search(people.janssens, [number])

    loud = Load([(API, burst)], lambda: None, rate, int(rate * seconds))
    p95 = {}
    for who in ("alone", "in the burst"):
        quiet = Load([(API, search)], lambda: None, 10, int(10 * seconds))
        with ThreadPoolExecutor(1) as beside:
            running = beside.submit(loud.run) if who == "in the burst" else None
            quiet.run()
            if running is not None:
                running.result()
        assert quiet.wrong == []
        p95[who] = quantiles(quiet.times[API], n=20)[-1]
    assert loud.wrong == []
    # The minute may turn over while this runs, and begin a new allowance.
    assert answers[429] >= 7 * limit, answers
    ratio = p95["in the burst"] / p95["alone"]
    told = (
        f"others' p95 {p95['alone'] * 1000:.0f} ms alone, {p95['in the burst'] * 1000:.0f} ms"
        f" in a burst × 10: × {ratio:.2f}; {answers[429]} × 429"
    )
    return told, ratio


def test_a_partner_that_asks_for_tokens_without_end_is_told_to_wait(
    ledgerly: Software, tally: Software, people: Cast
) -> None:
    Partner.objects.filter(pk=people.ledgerly.pk).update(calls_per_minute=3)
    kept = AccessToken.objects.filter(application__client_id=ledgerly.client_id)
    before = kept.count()
    answers = [ask_token(ledgerly, ledgerly.secret) for _ in range(12)]
    refused = [answer for answer in answers if answer.status_code == 429]
    # The minute may turn over once while this runs.
    assert len(refused) >= 5
    assert {answer.status_code for answer in answers} == {200, 429}
    assert 1 <= int(refused[-1].headers["Retry-After"]) <= 60
    assert refused[-1].json()["error"] == "too_many_requests"
    uuid.UUID(refused[-1].headers["ibanity-request-id"])
    assert kept.count() - before == len(answers) - len(refused)
    # Tokens and calls are counted apart: a token for each call does not halve the calls.
    path = f"/accounting-office-consents/{people.consent.uuid}"
    assert ledgerly.call("GET", path).status_code == 200
    assert ask_token(tally, tally.secret).status_code == 200


def test_nobody_uses_up_the_tokens_of_a_partner_without_its_secret(
    ledgerly: Software, people: Cast
) -> None:
    Partner.objects.filter(pk=people.ledgerly.pk).update(calls_per_minute=3)
    assert {ask_token(ledgerly, "wrong").status_code for _ in range(8)} == {401}
    assert ask_token(ledgerly, ledgerly.secret).status_code == 200


def ask_token(software: Software, secret: str) -> httpx.Response:
    form = {"grant_type": "client_credentials"}
    auth = (software.client_id, secret)
    return software.http.post("/codabox-connect/oauth2/token", data=form, auth=auth)


def test_without_redis_the_api_goes_on(people: Cast, tmp_path: Path) -> None:
    nobody = f"redis://127.0.0.1:{free_port()}/0"
    Partner.objects.filter(pk=people.ledgerly.pk).update(calls_per_minute=1)
    with running_portal(tmp_path, REDIS_URL=nobody) as url:
        software = Software(url, people.ledgerly)
        path = f"/accounting-office-consents/{people.consent.uuid}"
        assert [software.call("GET", path).status_code for _ in range(4)] == [200] * 4
    assert "limits_off" in (tmp_path / "web.log").read_text()


@pytest.mark.parametrize("path", ["", "/oauth2/token", "/nowhere"])
def test_what_needs_no_token_is_not_counted(portal: str, path: str) -> None:
    seen: Any = {httpx.get(f"{portal}/codabox-connect{path}").status_code for _ in range(20)}
    assert 429 not in seen


@pytest.mark.parametrize(
    ("limit", "step"), [(1, 1), (399, 1), (800, 2), (30_000, 75), (10**9, 100)]
)
def test_a_small_limit_is_exact_and_a_large_one_asks_rarely(limit: int, step: int) -> None:
    assert step_of(limit) == step


def test_four_processes_pass_a_limit_by_a_hundredth_at_most() -> None:
    """Each process counts by itself and meets the others in the real Redis."""
    limit, partner, minute = 4_000, uuid.uuid4().int >> 96, 1
    processes = [CallCounter() for _ in range(4)]
    served = 0
    for number in range(2 * limit):
        calls = processes[number % 4 if number % 3 else 0]
        served += calls.add_one(partner, minute, step_of(limit)) <= limit
    assert limit <= served <= limit * 1.01


def test_a_new_minute_begins_at_none() -> None:
    calls, partner = CallCounter(), uuid.uuid4().int >> 96
    assert [calls.add_one(partner, 1, 10) for _ in range(25)] == list(range(1, 26))
    assert [calls.add_one(partner, 2, 10) for _ in range(3)] == [1, 2, 3]
