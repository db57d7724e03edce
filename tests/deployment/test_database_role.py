"""A process that could change what is proof does not start, and says why in a sentence."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from devtools.servers import without_owner
from tests.conftest import ROOT, free_port
from tests.deployment.durable import Durable
from tests.deployment.process_list import commands, here

pytestmark = pytest.mark.requirement(107)


def run(name: str, url: str, redis_url: str, folder: Path) -> str:
    """Start a process of the list; return what it says until it gives up."""
    changes = {
        "web": {"0.0.0.0": "127.0.0.1", "8000": str(free_port())},
        "worker": {},
        "beat": {"/tmp/celerybeat-schedule": str(folder / "beat")},
    }[name]
    log = folder / f"{name}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            here(commands()[name], **changes),
            cwd=ROOT,
            env=without_owner(dict(os.environ))
            | {
                "DATABASE_URL": url,
                "REDIS_URL": redis_url,
                "DJANGO_SETTINGS_MODULE": "codabox_portal.settings",
            },
            stdout=file,
            stderr=file,
        )
        try:
            end = time.monotonic() + 60
            # granian starts a worker process again, and gives up when that ends at once.
            while process.poll() is None and "does not start" not in log.read_text():
                assert time.monotonic() < end
                time.sleep(0.2)
            if name != "web":
                assert process.wait(20) != 0
            return log.read_text()
        finally:
            process.kill()


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
@pytest.mark.parametrize("role", ["owner", "superuser"])
def test_a_process_with_too_much_power_does_not_start(
    servers: Durable, tmp_path: Path, name: str, role: str
) -> None:
    url = servers.owner_url
    if role == "superuser":
        url = servers.database_url.replace(
            f"portal:{servers.passwords.role}", f"postgres:{servers.passwords.superuser}"
        )
    said = run(name, url, servers.redis_url, tmp_path)
    assert "The portal does not start. The database role" in said
    assert "Traceback" not in said
    power = "owns the tables" if role == "owner" else "is a superuser"
    assert power in said
