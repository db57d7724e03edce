"""A real worker between a decision and the software: prompt, whoever hangs, whoever dies."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from celery import current_app
from django.db.models.functions import Now

from consents.models import Consent, ConsentEvent
from notifications.models import Delivery, WebhookEndpoint
from notifications.tasks import deliver, fan_out
from tests import factories
from tests.conftest import ROOT, Cast, test_database_url
from tests.deployment.softwares import Softwares
from tests.factories import acting, allow


@contextmanager
def worker(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The worker of docs/operations.md, on the database and the Redis of the tests."""
    environment = os.environ | {
        "DATABASE_URL": test_database_url(),
        "PORTAL_WEBHOOKS_ALLOW_LOOPBACK": "1",
        "PORTAL_QUEUE": current_app.conf.task_default_queue,
        "PORTAL_MAIL_DIR": str(folder / "mail"),
    }
    command = [str(Path(sys.executable).parent / "celery"), "-A", "codabox_portal", "worker"]
    command += ["--pool", "threads", "--concurrency", "8", "-n", f"w{factories.unique()}@%h"]
    command += ["--without-gossip", "--without-mingle"]
    current_app.control.purge()  # what earlier tests woke nobody for
    with (folder / "worker.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait(20)


def make_consents(people: Cast, url: str, number: int) -> list[Consent]:
    """Consents of as many partners, each with an endpoint of its own."""
    made = []
    for _one in range(number):
        partner = factories.make_partner()
        factories.make_application(partner)
        WebhookEndpoint.objects.create(partner=partner, url=url)
        made.append(factories.make_request(people.janssens, partner))
    return made


def test_everybody_is_told_while_one_of_fifty_hangs(
    people: Cast, softwares: Softwares, tmp_path: Path, rounds: float
) -> None:
    consents = make_consents(people, softwares.server.url_for("/hook"), 49)
    (bad,) = make_consents(people, softwares.server.url_for("/hangs"), 1)
    with worker(tmp_path):
        allow(bad, people.an)
        bad_row = Delivery.objects.filter(event__consent=bad)
        assert softwares.wait_for(lambda: bad_row.filter(attempts=1).exists(), 30)
        for consent in consents:
            allow(consent, people.an)
            time.sleep(0.1)  # ten decisions a second: far more than a Monday morning
        assert softwares.wait_for(lambda: len(softwares.heard) >= 49, 60)
        # All were told while the one that hangs was still being waited for.
        assert bad_row.get().answer == ""
    begun = {
        str(event.uuid): event.at.timestamp()
        for event in ConsentEvent.objects.filter(consent__in=consents, kind="allowed")
    }
    waits = sorted(heard - begun[event] for event, _consent, heard in softwares.heard)
    print(f"first try: p50 {waits[24]:.3f} s, p95 {waits[46]:.3f} s, max {waits[-1]:.3f} s")
    assert {event for event, _consent, _at in softwares.heard} == set(begun)


def test_workers_that_are_killed_lose_nothing(
    people: Cast, softwares: Softwares, tmp_path: Path, rounds: float
) -> None:
    """2 kills during 30 decisions; `--rounds 100` for the 200 kills of a release."""
    consents = make_consents(people, softwares.server.url_for("/hook"), 10)
    for consent in consents:
        allow(consent, people.an)
    for _kill in range(int(2 * rounds)):
        with worker(tmp_path) as process:
            for consent in consents:
                fresh = Consent.objects.get(pk=consent.pk)
                if fresh.paused_at:
                    fresh.resume(acting(people.an))
                else:
                    fresh.pause(acting(people.an))
            enough = len(softwares.heard) + random.randint(1, 9)
            softwares.wait_for(lambda n=enough: len(softwares.heard) >= n, 8)
            process.send_signal(signal.SIGKILL)
        # A minute passes: what the dead one had in hands is free again, and the sweep comes by.
        WebhookEndpoint.objects.update(busy_until=None)
        Delivery.objects.open().update(next_at=Now())
        for event in ConsentEvent.objects.filter(consent__in=consents, fan_out=None).order_by("pk"):
            fan_out(event.pk)
    events = ConsentEvent.objects.filter(consent__in=consents)
    told = events.exclude(kind="requested")
    with worker(tmp_path):
        for event in told.filter(fan_out=None).order_by("pk"):
            fan_out.delay(event.pk)
        for endpoint in WebhookEndpoint.objects.filter(partner__consents__in=consents):
            deliver.delay(endpoint.pk)
        open_rows = Delivery.objects.open().filter(event__consent__in=consents)
        done = softwares.wait_for(
            lambda: not open_rows.exists() and not told.filter(fan_out=None).exists(), 60
        )
    assert done, list(open_rows.values())
    wanted = {str(uuid) for uuid in told.values_list("uuid", flat=True)}
    assert {event for event, _consent, _at in softwares.heard} == wanted
    # In order: of each consent the first time an event is heard follows the one before.
    for consent in consents:
        order = [
            str(u)
            for u in told.filter(consent=consent).order_by("pk").values_list("uuid", flat=True)
        ]
        first = list(dict.fromkeys(e for e, c, _at in softwares.heard if c == str(consent.uuid)))
        assert first == order
