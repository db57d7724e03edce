"""Prometheus itself reads deploy/prometheus/alerts.yml: no web process answers, and rates go wrong."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from django.test import Client as Browser
from prometheus_client.parser import text_string_to_metric_families

from monitoring.tasks import heartbeat
from monitoring.timings import timings
from tests.conftest import ROOT, Cast, free_port, running_portal

PROMTOOL = shutil.which("promtool")
PROMETHEUS = shutil.which("prometheus")
pytestmark = [
    pytest.mark.requirement(98),
    pytest.mark.skipif(PROMETHEUS is None, reason="no Prometheus (Debian: apt install prometheus)"),
]


class Prometheus:
    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, path: str) -> Any:
        return httpx.get(f"{self.url}/api/v1/{path}").json()["data"]

    def rules(self) -> list[dict[str, Any]]:
        return [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]

    def state(self, alert: str) -> str:
        (found,) = (rule["state"] for rule in self.rules() if rule["name"] == alert)
        return str(found)


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[Prometheus]:
    """Prometheus with our rules; what must hold for minutes holds after a second here."""
    rules = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())
    for rule in rules["groups"][0]["rules"]:
        rule["for"] = "1s"
    (folder / "alerts.yml").write_text(yaml.safe_dump(rules))
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["alerts.yml"],
        "scrape_configs": [{"job_name": "portal", "static_configs": [{"targets": [target]}]}],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{free_port()}"
    command = [str(PROMETHEUS), f"--config.file={folder}/prometheus.yml"]
    command += [f"--storage.tsdb.path={folder}/data", f"--web.listen-address={address}"]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            yield Prometheus(f"http://{address}")
        finally:
            process.terminate()
            process.wait(20)


def wait_until(true: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + 40
    while True:
        try:
            if true():
                return
        except httpx.TransportError:  # it is starting
            pass
        assert time.monotonic() < end, log.read_text()[-3000:]
        time.sleep(0.3)


def test_prometheus_says_when_no_web_process_answers(
    tmp_path: Path, django_db_setup: None, django_db_blocker: Any
) -> None:
    log = tmp_path / "prometheus.log"
    with django_db_blocker.unblock(), ExitStack() as web:
        portal = web.enter_context(running_portal(tmp_path))
        with prometheus(tmp_path, portal.removeprefix("http://")) as found:
            wait_until(lambda: found.ask("query?query=up")["result"] != [], log)
            wait_until(lambda: {rule["health"] for rule in found.rules()} == {"ok"}, log)
            wait_until(lambda: found.state("PortalBackupOld") == "firing", log)
            assert found.state("PortalDown") == "inactive"
            web.close()
            wait_until(lambda: found.state("PortalDown") == "firing", log)


def scraped(browser: Browser) -> dict[str, float]:
    """Each series as Prometheus names it → its value."""
    text = browser.get("/metrics").content.decode()
    return {
        f"{sample.name}{{{', '.join(f'{k}={json.dumps(v)}' for k, v in sample.labels.items())}}}": (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def firing(folder: Path, first: dict[str, float], second: dict[str, float]) -> set[str]:
    """What fires, by Prometheus' own arithmetic, when figures move from `first` to `second`.

    They do so evenly within half an hour, a figure each minute.
    """
    series = [
        {
            "series": name,
            "values": " ".join(
                str(first.get(name, value) + (value - first.get(name, value)) * minute / 30)
                for minute in range(31)
            ),
        }
        for name, value in second.items()
        if name.startswith(("portal_request", "portal_jobs", "portal_storage"))
    ]
    shutil.copy(ROOT / "deploy/prometheus/alerts.yml", folder)
    rates = ("PortalErrors", "PortalSlow", "PortalJobsFail", "PortalStorageFull")
    asked = [{"eval_time": "30m", "alertname": rule, "exp_alerts": []} for rule in rates]
    test = {"interval": "1m", "input_series": series, "alert_rule_test": asked}
    file = folder / "rates.yml"
    file.write_text(yaml.safe_dump({"rule_files": ["alerts.yml"], "tests": [test]}))
    told = subprocess.run(
        [str(PROMTOOL), "test", "rules", str(file)], capture_output=True, text=True, cwd=folder
    )
    found = set(re.findall(r"alertname: ?(\w+)", told.stderr + told.stdout))
    # promtool says which alerts it got although none was expected.
    assert (told.returncode == 0) == (not found), told.stderr + told.stdout
    return found


def _calls(route: str, outcome: str, number: int, seconds: float) -> Callable[[], None]:
    def break_it() -> None:
        for _ in range(number):
            timings.count("call", route, "GET", outcome, seconds)

    return break_it


@pytest.mark.parametrize(
    ("rule", "break_it"),
    [
        ("PortalErrors", _calls("consents:overview", "5xx", 30, 0.01)),
        ("PortalSlow", _calls("consents:overview", "2xx", 200, 3.0)),
        ("PortalJobsFail", lambda: timings.count("job", "a.task", "", "failure", 0.1)),
    ],
)
def test_a_rule_about_rates_fires_when_what_it_watches_breaks(
    cast: Cast, client: Browser, tmp_path: Path, rule: str, break_it: Callable[[], None]
) -> None:
    def all_is_well() -> None:
        _calls("consents:overview", "2xx", 1000, 0.02)()
        # Who waits for a change is not slow; one slow call, or one error of many, is no alarm.
        _calls("partner_api:document_changes", "2xx", 200, 9.0)()
        _calls("dashboard:home", "2xx", 1, 9.0)()
        _calls("consents:overview", "5xx", 1, 0.01)()
        timings.count("job", "a.task", "", "success", 0.1)
        heartbeat.apply()

    all_is_well()
    before = scraped(client)
    all_is_well()
    well = scraped(client)
    assert firing(tmp_path, before, well) == set()
    break_it()
    assert firing(tmp_path, before, scraped(client)) == {rule}


def test_the_rule_of_the_disk_fires_when_a_tenth_is_left(
    cast: Cast, client: Browser, tmp_path: Path
) -> None:
    figures = scraped(client)
    size, free = (f'portal_storage_bytes{{what="{what}"}}' for what in ("size", "free"))
    roomy = figures | {free: figures[size] * 0.11}
    assert "PortalStorageFull" not in firing(tmp_path, roomy, roomy)
    full = figures | {free: figures[size] * 0.09}
    assert firing(tmp_path, full, full) == {"PortalStorageFull"}
