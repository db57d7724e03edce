"""Memory of a web process and of a worker: flat, whatever the mixture of large and small calls."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from accounts.models import User
from bench.servers import megabytes_of
from clients.models import Client
from documents.tasks import ingest_drop_folder
from partners.models import Partner
from tests import factories
from tests.conftest import Cast, Software, running_portal
from tests.deployment.test_worker import worker
from tests.documents.examples import company_of, statement, zipped
from tests.factories import CODA, acting, allow
from tests.outbox import emails_about
from tests.partner_api.test_malformed import web_process
from tests.sessions import session_of

pytestmark = pytest.mark.requirement(116)

ASKERS = 8
# The first tenth fills what is kept for good; afterwards memory grows by a quarter at most.
GROWTH = 1.25
COMPANIES, LARGE = 2_000, 3_000_000
COMMENT = "x" * 200


@dataclass
class Load:
    """Calls in turns, by several askers at once."""

    calls: list[Callable[[], httpx.Response]]

    def run(self, number: int) -> None:
        turns = itertools.islice(itertools.cycle(self.calls), number)
        with ThreadPoolExecutor(ASKERS) as pool:
            for answer in pool.map(lambda call: call(), turns):
                assert answer.status_code in (200, 201, 302), (answer.url, answer.status_code)


def browser_of(url: str, person: User) -> httpx.Client:
    session = session_of(person)
    session.save()
    cookies = {settings.SESSION_COOKIE_NAME: session.session_key}
    return httpx.Client(base_url=url, cookies=cookies, timeout=120)


def mixed(url: str, people: Cast) -> Load:
    """What makes large answers, and what reads large requests."""
    # Nobody is refused: neither software nor people.
    Partner.objects.filter(pk=people.ledgerly.pk).update(calls_per_minute=10**6)
    allow(people.consent, people.anna)
    office, number = people.janssens, people.bakery.company_number
    Client.objects.bulk_create(
        Client(
            office=office,
            name=f"Company {place} {COMMENT}"[:200],
            code=f"N{place}",
            company_number=factories.company_number(),
        )
        for place in range(COMPANIES)
    )
    numbers = list(office.clients.values_list("company_number", flat=True)[:500])
    company = company_of(people.bakery)
    page = statement(company)
    paper = factories.make_filed_document(people.bakery, contents={CODA: page}).document
    large = factories.make_document(people.bakery, contents={CODA: b"0" * LARGE})
    software = Software(url, people.ledgerly)
    anna, dirk = browser_of(url, people.anna), browser_of(url, people.dirk)
    dirk.get("/language")
    pages = f"/offices/{office.slug}"
    uploads = itertools.count(1)

    def upload() -> httpx.Response:
        page = dirk.get("/admin/documents/quarantinedfile/upload/")
        token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
        files = {f"{place}.cod": statement(company, next(uploads)) for place in range(20)}
        answer = dirk.post(
            "/admin/documents/quarantinedfile/upload/",
            data={"csrfmiddlewaretoken": token},
            files={"chosen": ("files.zip", zipped({**files, "large.txt": b"7" * LARGE}))},
            headers={"Referer": f"{url}/admin/", "Origin": url},
        )
        assert answer.status_code == 302, (answer.status_code, answer.text)
        assert answer.headers["Location"] == "/admin/documents/quarantinedfile/"
        return answer

    return Load([
        lambda: anna.get(f"{pages}/consents/{people.consent.uuid}/evidence"),
        lambda: anna.get(f"{pages}/companies/export.csv"),
        lambda: anna.get(f"{pages}/companies"),
        lambda: anna.get(f"{pages}/companies/{number}/documents/{paper.uuid}"),
        lambda: anna.get(f"{pages}/companies/{number}/documents/{large.uuid}/files/{CODA}"),
        lambda: anna.get(f"{pages}/companies/{number}/reads.csv"),
        lambda: anna.get(f"{pages}/consents.csv"),
        lambda: software.search(office, numbers),
        lambda: software.document(office, number, large.uuid, accept=CODA),
        upload,
    ])  # fmt: skip


def test_a_web_process_stays_as_large(
    people: Cast, tmp_path: Path, rounds: float, record_property: Callable[[str, object], None]
) -> None:
    """200 calls; `--rounds 500` for the 100,000 of a release."""
    each = int(20 * rounds)
    with running_portal(tmp_path, workers=1) as url:
        pid, load = web_process(url), mixed(url, people)
        sizes = []
        for _part in range(10):
            load.run(each)
            sizes.append(megabytes_of(pid))
    told = (
        f"web: {10 * each} mixed calls, {sizes[0]:.0f} MB after a tenth, at most {max(sizes):.0f}"
    )
    record_property("measured", told)
    assert max(sizes) <= sizes[0] * GROWTH, sizes


def test_a_worker_stays_as_large(
    people: Cast, tmp_path: Path, rounds: float, record_property: Callable[[str, object], None]
) -> None:
    """300 jobs, half of them e-mails and half of them files; `--rounds 333` for a release."""
    allow(people.consent, people.anna)
    for number in range(3):
        factories.make_person(f"Admin {number}", people.janssens)
    drop = tmp_path / "drop"
    drop.mkdir()
    company, numbers = company_of(people.bakery), itertools.count(1)
    each = int(15 * rounds)
    with worker(tmp_path, PORTAL_DROP_FOLDER=str(drop)) as process:
        sizes = []
        for _part in range(10):
            _tell(people, each // 3)
            _hand_in(drop, {f"{n}.cod": statement(company, n) for n in islice(numbers, each)})
            _wait_until_done(people, drop)
            sizes.append(megabytes_of(process.pid))
    told = f"worker: {20 * each} jobs, {sizes[0]:.0f} MB after a tenth, at most {max(sizes):.0f}"
    record_property("measured", told)
    assert max(sizes) <= sizes[0] * GROWTH, sizes


def _tell(people: Cast, decisions: int) -> None:
    """Decisions of which all Admins but one are told, by e-mail."""
    for _decision in range(decisions):
        consent = people.fresh()
        (consent.resume if consent.paused_at else consent.pause)(acting(people.anna))


def _hand_in(drop: Path, files: dict[str, bytes]) -> None:
    """Put files into the drop folder, and a long one that is refused, as if of an hour ago."""
    archive = drop / f"{factories.unique()}.zip"
    archive.write_bytes(zipped({**files, "large.txt": b"7" * LARGE}))
    os.utime(archive, (time.time() - 3600,) * 2)
    ingest_drop_folder.delay()


def _wait_until_done(people: Cast, drop: Path) -> None:
    events = people.consent.events.all()
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        waits = emails_about(events).filter(sent_at=None).exists()
        untold = events.filter(kind__in=["paused", "resumed"], fan_out=None).exists()
        if not (waits or untold or list(drop.glob("*.zip"))):
            return
        time.sleep(0.1)
    raise TimeoutError("the worker is not done")
