"""`kill -9` of anything during decisions: what was promised is kept, and everybody is told."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress

import pytest
from celery import Celery
from django.db.models import QuerySet
from django.db.models.functions import Now

from consents.models import Consent, ConsentEvent
from mailer.models import OutgoingEmail
from notifications.emails import EMAILS_A_DAY
from notifications.models import Delivery, WebhookEndpoint
from tests.deployment.deciding import Day
from tests.deployment.durable import Durable, Server, wait_for_the_database
from tests.deployment.process_list import Deployment, Process, children_of_granian
from tests.deployment.receivers import Receivers
from tests.outbox import emails_about

pytestmark = pytest.mark.requirement(62, 95, 102)


DECISIONS = ("allowed", "denied", "cancelled")


class WebChild:
    """One of the worker processes of a granian; granian itself starts another one."""

    name, is_dead = "child of web", False

    def __init__(self, port: int) -> None:
        self.port = port

    def start(self) -> None:
        """Nobody has to."""

    def kill(self) -> None:
        with suppress(IndexError, ProcessLookupError):  # the last one is not back yet
            os.kill(random.choice(children_of_granian(self.port))[0], signal.SIGKILL)


Victim = Process | Server | WebChild


def test_whatever_is_killed_no_promise_is_broken_and_nobody_is_left_untold(
    deployment: Deployment, servers: Durable, receivers: Receivers, rounds: float
) -> None:
    """5 kills in 60 decisions; `--rounds 84` for 420 in 5,000, more than a release wants."""
    kills, each = int(5 * rounds), int(60 * rounds / 5)
    hook = receivers.server.url_for("/hook")
    days = [Day(deployment, hook, each) for _office in range(5)]
    killed = _kill_during(days, deployment, servers, kills)
    assert [day.surprises for day in days] == [[]] * len(days)
    wait_for_the_database()
    deployment.wait_until_ready(*deployment.webs)
    _everything_is_told(days, deployment, receivers, skip_the_minute=rounds <= 1)
    _print(days, killed, receivers, deployment)
    _check_promises(days)
    _check_webhooks(days, receivers)
    _check_mails(days, deployment)
    _check_feeds(days)
    verified = deployment.manage("verify_hash_chain")
    assert verified.returncode == 0, verified.stdout
    assert ", 0 faults" in verified.stdout


def _kill_during(
    days: Sequence[Day], deployment: Deployment, servers: Durable, kills: int
) -> Counter[str]:
    """Kill one after the other while people decide; start again what died, as a service manager."""
    everything: list[Victim] = [*deployment.processes, servers.redis, servers.postgres]
    decisions = sum(day.decisions for day in days)
    killed: Counter[str] = Counter()
    victims = _victims(deployment, servers)
    for day in days:
        day.start()
    while any(day.is_alive() for day in days):
        for process in everything:
            if process.is_dead:
                process.start()
        done = sum(day.done for day in days)
        if killed.total() < kills and done >= (killed.total() + 0.5) * decisions / kills:
            time.sleep(random.uniform(0, 0.3))
            victim = next(victims)
            if not victim.is_dead:
                victim.kill()
                killed[victim.name.rstrip("12").partition("-")[0]] += 1
        time.sleep(0.05)
    assert killed.total() == kills, [day.surprises for day in days]
    return killed


def _victims(deployment: Deployment, servers: Durable) -> Iterator[Victim]:
    """Each kind in turn, in an order that nobody knows before."""
    while True:
        kinds: list[Sequence[Victim]] = [deployment.webs, deployment.workers]
        kinds += [[servers.redis], [servers.postgres]]
        kinds += [[WebChild(port) for port in deployment.web_ports]]
        random.shuffle(kinds)
        for kind in kinds:
            yield random.choice(kind)


def _everything_is_told(
    days: Sequence[Day], deployment: Deployment, receivers: Receivers, *, skip_the_minute: bool
) -> None:
    """Wait until nothing is left to be told; what a dead worker had in hands is free in a minute.

    The everyday round does not wait for that minute, and sends what beat sends each half of one.
    """
    queue = Celery("waker", broker=deployment.environment["REDIS_URL"], set_as_current=False)
    queue.conf.task_default_queue = deployment.environment.get("PORTAL_QUEUE", "portal")
    events = _events(days)

    def is_told() -> bool:
        waiting = [
            events.filter(fan_out=None),
            emails_about(events).filter(sent_at=None),
            Delivery.objects.open().filter(event__in=events),
            OutgoingEmail.objects.open().filter(recipient__in=_mailboxes(days)),
        ]
        return not any(rows.exists() for rows in waiting)

    for _try in range(60):
        if skip_the_minute:
            WebhookEndpoint.objects.update(busy_until=None)
            Delivery.objects.open().update(next_at=Now())
            for event in events.filter(fan_out=None).order_by("pk"):
                queue.send_task("notifications.fan_out.fan_out", [event.pk])
            queue.send_task("notifications.tasks.sweep")
            OutgoingEmail.objects.open().update(next_attempt_at=Now())
            queue.send_task("mailer.tasks.sweep")
        if receivers.wait_for(is_told, 5):
            break
    queue.close()
    assert is_told()


def _mailboxes(days: Sequence[Day]) -> set[str]:
    return {reader.email for day in days for reader in day.people}


def _events(days: Sequence[Day]) -> QuerySet[ConsentEvent]:
    return ConsentEvent.objects.filter(consent__partner__in=[day.partner for day in days])


def _print(
    days: Sequence[Day], killed: Counter[str], receivers: Receivers, deployment: Deployment
) -> None:
    heard = [event for event, _consent, _at in receivers.heard]
    mails = deployment.mails.identifiers()
    print(
        f"{killed.total()} kills ({', '.join(f'{n} {kind}' for kind, n in sorted(killed.items()))})"
        f" during {sum(day.done for day in days)} decisions:"
        f" {sum(day.done - day.unheard for day in days)} acknowledged,"
        f" {sum(day.unheard for day in days)} made without an answer,"
        f" {sum(day.broken for day in days)} calls without an answer;"
        f" {len(set(heard))} events heard, {len(heard) - len(set(heard))} of them again;"
        f" {len(set(mails))} mails, {len(mails) - len(set(mails))} of them again"
    )


def _check_promises(days: Sequence[Day]) -> None:
    """Every promise is in the database, once, and nothing is there that nobody did."""
    for day in days:
        rows = ConsentEvent.objects.filter(consent__partner=day.partner, kind__in=DECISIONS)
        found = Counter(
            (str(uuid), kind) for uuid, kind in rows.values_list("consent__uuid", "kind")
        )
        assert found == Counter(day.decided)
        last = dict(day.decided)
        for consent in Consent.objects.filter(partner=day.partner):
            assert consent.status == last.get(str(consent.uuid), "to_be_determined")


def _check_webhooks(days: Sequence[Day], receivers: Receivers) -> None:
    """Each decision was heard under its own identifier, of each consent in order."""
    told = _events(days).filter(kind__in=DECISIONS).order_by("pk")
    by_consent: dict[str, list[str]] = {}
    for uuid, consent in told.values_list("uuid", "consent__uuid"):
        by_consent.setdefault(str(consent), []).append(str(uuid))
    first: dict[str, list[str]] = {}
    for event, of, _at in receivers.heard:
        of_this = first.setdefault(of, [])
        if event not in of_this:
            of_this.append(event)
    assert first == by_consent


def _check_mails(days: Sequence[Day], deployment: Deployment) -> None:
    """Both Admins know of everything, but for what she did herself, an allow excepted.

    Of what the software did they hear three times a day, no more. And of each login from a new
    device.
    """
    wanted: set[tuple[str, str]] = set()
    by_software: set[tuple[str, str]] = set()
    readers = _mailboxes(days)
    came = {(to, name) for to, name in deployment.mails.identifiers() if to in readers}
    for day in days:
        events = ConsentEvent.objects.filter(consent__partner=day.partner)
        for event in events.exclude(kind="withdrawn"):
            for reader in day.people:
                if event.kind == "allowed" or event.person_id != reader.pk:
                    email = (reader.email, f"<{event.uuid}.{reader.pk}@localhost>")
                    (by_software if event.actor_kind == "partner" else wanted).add(email)
    for address in readers:
        of_reader = {email for email in by_software if email[0] == address}
        assert len(of_reader & came) == min(EMAILS_A_DAY, len(of_reader)), address
    others = OutgoingEmail.objects.filter(recipient__in=readers).exclude(
        message__startswith="consent_"
    )
    assert others.filter(message="new_login").count() >= len(days)
    wanted |= {(email.recipient, f"<{email.dedupe_key}@localhost>") for email in others}
    assert came - by_software == wanted


def _check_feeds(days: Sequence[Day]) -> None:
    """What the software reads afterwards is what the database has, in its order."""
    for day in days:
        feed: list[str] = []
        while True:
            query = {"limit": "100", **({"after": feed[-1]} if feed else {})}
            page = day.software.call("GET", "/events", params=query).json()["data"]
            feed += [event["id"] for event in page]
            if not page:
                break
        events = ConsentEvent.objects.filter(consent__partner=day.partner, kind__in=DECISIONS)
        assert set(feed) == {str(uuid) for uuid in events.values_list("uuid", flat=True)}
        assert len(feed) == len(set(feed))
