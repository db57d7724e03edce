"""Each alert of deploy/prometheus fires when what it watches breaks; the dashboard shows real figures."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import yaml
from django.db.models.functions import Now
from django.test import Client as Browser

from consents.tasks import write_checkpoints
from documents.formats import Reason
from documents.models import IngestBatch, QuarantinedFile
from mailer.models import OutgoingEmail
from monitoring.models import Heartbeat, LastBackup, StopMeasurement
from monitoring.tasks import heartbeat
from notifications.models import Delivery, FanOut, WebhookEndpoint
from tests import factories
from tests.conftest import ROOT, Cast
from tests.monitoring.test_metrics import scrape
from tests.owner import as_owner, rules_off

pytestmark = pytest.mark.requirement(98)

RULES = {
    rule["alert"]: rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
}
DASHBOARD = json.loads((ROOT / "deploy/grafana/portal.json").read_text())
SIMPLE = re.compile(r'(?P<name>\w+)(?:\{\w+="(?P<label>\w+)"\})? (?P<sign>==|>) (?P<limit>[\d.]+)')
SIGNS = {"==": operator.eq, ">": operator.gt}


def fires(rule: str, browser: Browser) -> bool:
    """Whether the condition of the rule holds now; how long it must hold is Prometheus' part."""
    condition = SIMPLE.fullmatch(RULES[rule]["expr"])
    assert condition is not None, RULES[rule]["expr"]
    name = f"{condition['name']} {condition['label'] or ''}".strip()
    value = scrape(browser).get(name)
    return value is not None and SIGNS[condition["sign"]](value, float(condition["limit"]))


def all_is_well(cast: Cast, settings: Any, tmp_path: Any) -> None:
    settings.PORTAL_PROBE_SECRET = "set"
    write_checkpoints()
    Heartbeat.objects.record()
    LastBackup.objects.record()
    StopMeasurement.objects.create(seconds=0.1, released_at=Now())
    FanOut.objects.bulk_create(
        FanOut(event=event) for event in cast.consent.events.filter(fan_out=None)
    )
    OutgoingEmail.objects.all().delete()
    WebhookEndpoint.objects.create(partner=cast.ledgerly, url="https://x.example/")


def _delivery(cast: Cast) -> None:
    event = cast.consent.events.earliest("pk")
    endpoint = WebhookEndpoint.objects.get(partner=cast.ledgerly)
    Delivery.objects.create(
        endpoint=endpoint, event=event, created_at=Now() - timedelta(hours=7), attempts=9
    )


def _email(cast: Cast) -> None:
    OutgoingEmail.objects.create(
        message="password_reset", recipient=cast.anna.email, created_at=Now() - timedelta(hours=1)
    )


def _file(cast: Cast) -> None:
    QuarantinedFile.objects.create(
        sha256=f"{factories.unique():064}",
        name="x.cod",
        size=1,
        reason=Reason.STRUCTURE,
        received_at=Now() - timedelta(days=2),
    )


def _event_outside_of_checkpoints(cast: Cast) -> None:
    request = factories.make_request(cast.peeters, cast.tally)
    FanOut.objects.bulk_create(FanOut(event=event) for event in request.events.all())
    _an_hour_ago()


def _event_without_fan_out(cast: Cast) -> None:
    FanOut.objects.filter(event__consent=cast.consent).delete()
    _an_hour_ago()


def _an_hour_ago() -> None:
    """All events were then. Only the owner of the table, with its rules off, can say so."""
    OutgoingEmail.objects.all().delete()
    with rules_off("consents_consentevent"):
        as_owner("update consents_consentevent set at = now() - interval '1 hour'")


def _stop(**measured: Any) -> Callable[[Cast], None]:
    def break_it(cast: Cast) -> None:
        StopMeasurement.objects.all().delete()
        StopMeasurement.objects.create(**{"seconds": 0.1, "released_at": Now(), **measured})

    return break_it


BREAKS: dict[str, Callable[[Cast], Any]] = {
    "PortalServesAfterStop": _stop(served=3),
    "PortalStopIsSlow": _stop(seconds=1.7),
    "PortalStopNotMeasured": _stop(started_at=Now() - timedelta(minutes=9)),
    "PortalWorkersStill": lambda cast: Heartbeat.objects.update(at=Now() - timedelta(minutes=9)),
    "PortalEmailsWait": _email,
    "PortalPublicationHangs": lambda cast: IngestBatch.objects.create(
        started_at=Now() - timedelta(hours=2)
    ),
    "PortalReceiverAway": _delivery,
    "PortalEndpointFlagged": lambda cast: WebhookEndpoint.objects.update(flagged_at=Now()),
    "PortalFilesWait": _file,
    "PortalCheckpointOld": _event_outside_of_checkpoints,
    "PortalEventsWait": _event_without_fan_out,
    "PortalBackupOld": lambda cast: LastBackup.objects.update(at=Now() - timedelta(hours=37)),
}
# Settings that point to where nothing is.
MISSING = {
    "PortalRedisAway": {"REDIS_URL": "redis://127.0.0.1:9/0"},
}
# Prometheus itself says whether it could read, and knows rates: test_prometheus.py asks it.
ELSEWHERE = {"PortalDown", "PortalErrors", "PortalSlow", "PortalJobsFail", "PortalStorageFull"}


def test_every_rule_is_tried() -> None:
    assert set(RULES) == set(BREAKS) | set(MISSING) | ELSEWHERE
    assert {rule["labels"]["severity"] for rule in RULES.values()} == {"page", "ticket"}
    assert all(rule["for"] and rule["annotations"]["summary"] for rule in RULES.values())


def test_whoever_is_woken_reads_what_to_do() -> None:
    page = (ROOT / "docs/operations/monitoring.md").read_text()
    table = page.partition("## When an alert wakes you")[2].partition("\n## ")[0]
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`(Portal\w+)`", row[0])} == set(RULES)
    assert all(len(row) == 3 for row in rows)


@pytest.mark.parametrize("rule", BREAKS)
def test_a_rule_fires_when_what_it_watches_breaks(
    cast: Cast, client: Browser, settings: Any, tmp_path: Any, rule: str
) -> None:
    all_is_well(cast, settings, tmp_path)
    assert [name for name in RULES if name not in ELSEWHERE and fires(name, client)] == []
    BREAKS[rule](cast)
    assert [name for name in RULES if name not in ELSEWHERE and fires(name, client)] == [rule]


@pytest.mark.parametrize("rule", MISSING)
def test_a_rule_fires_when_a_part_is_missing(
    cast: Cast, client: Browser, settings: Any, tmp_path: Any, rule: str
) -> None:
    all_is_well(cast, settings, tmp_path)
    assert not fires(rule, client)
    for name, value in MISSING[rule].items():
        setattr(settings, name, value)
    assert fires(rule, client)


def test_the_dashboard_shows_figures_that_exist(
    cast: Cast, client: Browser, settings: Any, tmp_path: Any
) -> None:
    all_is_well(cast, settings, tmp_path)
    heartbeat.apply()
    client.get("/me")
    there = {name.partition(" ")[0] for name in scrape(client)}
    shown = {
        name
        for panel in DASHBOARD["panels"]
        for target in panel["targets"]
        for name in re.findall(r"portal_\w+", target["expr"])
    }
    assert len(shown) > 8
    assert shown <= there
