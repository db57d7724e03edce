"""`kill -9` of anything during decisions: what was promised is kept, and everybody is told."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from celery import Celery
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts.models import Letter
from consents.models import Consent, ConsentEvent
from notifications.models import Delivery, Mail, WebhookEndpoint
from tests.deployment.deciding import Day
from tests.deployment.durable import Durable, Server, wait_for_the_database
from tests.deployment.process_list import Deployment, Process
from tests.deployment.softwares import Softwares

DECISIONS = ("allowed", "denied", "cancelled")
Victim = Process | Server


def test_whatever_is_killed_no_promise_is_broken_and_nobody_is_left_untold(
    deployment: Deployment, servers: Durable, softwares: Softwares, rounds: float
) -> None:
    """4 kills in 60 decisions; `--rounds 84` for the 200 in 5,000 of a release, and some more."""
    kills, each = int(4 * rounds), int(60 * rounds / 5)
    hook = softwares.server.url_for("/hook")
    days = [Day(deployment, hook, each) for _office in range(5)]
    killed = _kill_during(days, deployment, servers, kills)
    assert [day.surprises for day in days] == [[]] * len(days)
    wait_for_the_database()
    deployment.wait_until_ready(*deployment.webs)
    _everything_is_told(days, deployment, softwares, skip_the_minute=rounds <= 1)
    _print(days, killed, softwares, deployment)
    _check_promises(days)
    _check_webhooks(days, softwares)
    _check_mails(days, deployment)
    _check_feeds(days)
    verified = deployment.manage("verify_ledger")
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
        random.shuffle(kinds)
        for kind in kinds:
            yield random.choice(kind)


def _everything_is_told(
    days: Sequence[Day], deployment: Deployment, softwares: Softwares, *, skip_the_minute: bool
) -> None:
    """Wait until nothing is left to be told; what a dead worker had in hands is free in a minute.

    The everyday round does not wait for that minute, and sends what beat sends each half of one.
    """
    bell = Celery("bell", broker=deployment.environment["REDIS_URL"], set_as_current=False)
    bell.conf.task_default_queue = deployment.environment.get("PORTAL_QUEUE", "portal")
    events = _events(days)

    def is_told() -> bool:
        waiting = [
            events.filter(fan_out=None),
            Mail.objects.filter(event__in=events, sent_at=None),
            Delivery.objects.open().filter(event__in=events),
            Letter.objects.open().filter(person__in=[one for day in days for one in day.people]),
        ]
        return not any(rows.exists() for rows in waiting)

    for _try in range(60):
        if skip_the_minute:
            WebhookEndpoint.objects.update(busy_until=None)
            Delivery.objects.open().update(next_at=Now())
            for event in events.filter(fan_out=None).order_by("pk"):
                bell.send_task("notifications.tasks.fan_out", [event.pk])
            bell.send_task("notifications.tasks.sweep")
            Letter.objects.open().update(next_at=Now())
            bell.send_task("accounts.tasks.sweep_letters")
        if softwares.wait_for(is_told, 5):
            break
    bell.close()
    assert is_told()


def _events(days: Sequence[Day]) -> QuerySet[ConsentEvent]:
    return ConsentEvent.objects.filter(consent__partner__in=[day.partner for day in days])


def _print(
    days: Sequence[Day], killed: Counter[str], softwares: Softwares, deployment: Deployment
) -> None:
    heard = [event for event, _consent, _at in softwares.heard]
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


def _check_webhooks(days: Sequence[Day], softwares: Softwares) -> None:
    """Each decision was heard under its own identifier, of each consent in order."""
    told = _events(days).filter(kind__in=DECISIONS).order_by("pk")
    by_consent: dict[str, list[str]] = {}
    for uuid, consent in told.values_list("uuid", "consent__uuid"):
        by_consent.setdefault(str(consent), []).append(str(uuid))
    first: dict[str, list[str]] = {}
    for event, consent, _at in softwares.heard:
        of_this = first.setdefault(consent, [])
        if event not in of_this:
            of_this.append(event)
    assert first == by_consent


def _check_mails(days: Sequence[Day], deployment: Deployment) -> None:
    """Both Admins know of everything, but for what she did herself, an allow excepted.

    And of each login from a new device.
    """
    wanted = set()
    for day in days:
        events = ConsentEvent.objects.filter(consent__partner=day.partner)
        for event in events.exclude(kind="withdrawn"):
            for reader in day.people:
                if event.kind == "allowed" or event.person_id != reader.pk:
                    wanted.add((reader.email, f"<{event.uuid}.{reader.pk}@localhost>"))
    readers = {reader.email for day in days for reader in day.people}
    letters = Letter.objects.filter(to__in=readers)
    assert letters.filter(kind="new_login").count() >= len(days)
    wanted |= {(letter.to, f"<{letter.uuid}@localhost>") for letter in letters}
    came = {(to, name) for to, name in deployment.mails.identifiers() if to in readers}
    assert came == wanted


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
