"""Prometheus itself reads deploy/prometheus/alerts.yml, and says that no web process answers."""

from __future__ import annotations

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

from tests.conftest import ROOT, free_port, running_portal

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
