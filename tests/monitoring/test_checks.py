"""`manage.py doctor`: nothing to say of a right environment, the right sentence of each wrong one."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from celery import current_app
from dateutil.relativedelta import relativedelta
from django.conf import settings as configured
from django.core.checks import run_checks
from django.db import connections
from django.db.models.functions import Now
from django.utils import timezone

from consents.ended_register import Line
from documents.reads_by_month import add_months
from monitoring.checks import ALL_IS_WELL, database
from monitoring.health import migrations_that_wait
from monitoring.models import Heartbeat
from tests.conftest import ROOT
from tests.databases import address_of_database, committed_database
from tests.owner import as_owner

pytestmark = pytest.mark.requirement(97)


CHECKS = (ROOT / "monitoring" / "checks.py").read_text()
# Each is a change of the right environment; None takes a variable away. `tmp` is a folder.
WRONG: dict[str, tuple[dict[str, str | None], str]] = {
    "a short secret": ({"PORTAL_SECRET_KEY": "short"}, "portal.W001"),
    "a monotonous secret": ({"PORTAL_SECRET_KEY": "ab" * 40}, "portal.W001"),
    "an example": ({"PORTAL_SECRET_KEY": "django-insecure-" + "x1y2z3u4w5" * 5}, "portal.W001"),
    "a weak former secret": ({"PORTAL_FORMER_SECRET_KEYS": "short"}, "portal.W001"),
    "no receipt key": ({"PORTAL_RECEIPT_KEY": None}, "portal.W002"),
    "http": ({"PORTAL_URL": "http://portal.example"}, "portal.W003"),
    "no trusted proxy": ({"PORTAL_TRUSTED_PROXIES": None}, "portal.W005"),
    "metrics for the world": ({"PORTAL_METRICS_FROM": "0.0.0.0/0"}, "portal.W006"),
    "metrics for IPv6": ({"PORTAL_METRICS_FROM": "::/0"}, "portal.W006"),
    "checkpoints in the program": ({"PORTAL_CHECKPOINTS": None}, "portal.W007"),
    "checkpoints nowhere": ({"PORTAL_CHECKPOINTS": "{tmp}/file/checkpoints"}, "portal.W007"),
    "ended in the program": ({"PORTAL_ENDED_CONSENTS_FILE": None}, "portal.W008"),
    "ended is a folder": ({"PORTAL_ENDED_CONSENTS_FILE": "{tmp}"}, "portal.W008"),
    "documents are static": ({"PORTAL_STORAGE": f"{ROOT}/staticfiles/private"}, "portal.W009"),
    "documents are source": ({"PORTAL_STORAGE": f"{ROOT}/static"}, "portal.W009"),
    "documents nowhere": ({"PORTAL_STORAGE": "{tmp}/file"}, "portal.W010"),
    "a mistyped name": ({"PORTAL_TRUSTED_PROXY": "1"}, "portal.W023"),
    "debug": ({"PORTAL_DEBUG": "1"}, "portal.W011"),
    # The demo brings two more along, unless they are said to be off.
    "demo": (
        {
            "PORTAL_DEMO": "1",
            "PORTAL_WEBHOOKS_ALLOW_LOOPBACK": "0",
            "PORTAL_STATIC_FROM_SOURCE": "0",
        },
        "portal.W012",
    ),
    "webhooks to loopback": ({"PORTAL_WEBHOOKS_ALLOW_LOOPBACK": "1"}, "portal.W013"),
    "static from source": ({"PORTAL_STATIC_FROM_SOURCE": "1"}, "portal.W014"),
    "mails in a folder": ({"PORTAL_MAIL_DIR": "{tmp}/mail"}, "portal.W015"),
    "no mail server": ({"EMAIL_URL": "smtp://127.0.0.1:9"}, "portal.W016"),
    "a register of another portal": (
        {"PORTAL_ENDED_CONSENTS_FILE": "{tmp}/proof/foreign.txt"},
        "portal.W022",
    ),
    "no Redis": ({"REDIS_URL": "redis://127.0.0.1:9/0"}, "portal.W017"),
}
# Reads the cases, and reads the settings anew for each: a process each would cost a minute.
ASK = """
import importlib, json, os, sys, django
from django.conf import Settings, settings
from django.core.checks import run_checks
django.setup()
from codabox_portal import settings as module
from consents import restore_guard
right, told = dict(os.environ), {}
for name, change in json.load(sys.stdin).items():
    os.environ.clear()
    os.environ.update({k: v for k, v in (right | change).items() if v is not None})
    importlib.reload(module)
    restore_guard._reason.cache_clear()
    settings._wrapped = Settings("codabox_portal.settings")
    found = run_checks(include_deployment_checks=True)
    told[name] = [[one.id, one.msg, one.hint] for one in found if not one.is_silenced()]
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def mail_server() -> Iterator[int]:
    """Something that accepts connections, as far as this check looks."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(scope="module")
def right(
    tmp_path_factory: pytest.TempPathFactory, mail_server: int, django_db_setup: None
) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("deployed")
    (folder / "file").write_text("no folder")
    (folder / "proof").mkdir()
    a, b, c, d = (str(uuid4()) for _four in range(4))
    foreign = Line(timezone.now().isoformat(), "blocked", a, b, c, d, state={})
    (folder / "proof" / "foreign.txt").write_text(json.dumps(foreign._asdict()))
    return {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "codabox_portal.settings",
        "DATABASE_URL": address_of_database(),
        "REDIS_URL": configured.REDIS_URL,
        "EMAIL_URL": f"smtp://127.0.0.1:{mail_server}",
        "PORTAL_URL": "https://portal.example",
        "PORTAL_SECRET_KEY": "x" * 20 + "0123456789abcdefghijklmnopqrstuvwxyz-XYZ",
        "PORTAL_RECEIPT_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        "PORTAL_DEMO": "0",
        "PORTAL_DEBUG": "0",
        "PORTAL_STATIC_FROM_SOURCE": "0",
        "PORTAL_MAIL_DIR": "",
        "PORTAL_TRUSTED_PROXIES": "1",
        "PORTAL_STORAGE": str(folder / "documents"),
        "PORTAL_CHECKPOINTS": str(folder / "checkpoints"),
        # What other tests ended in this database stands in there.
        "PORTAL_ENDED_CONSENTS_FILE": os.environ["PORTAL_ENDED_CONSENTS_FILE"],
        "PORTAL_QUEUE": current_app.conf.task_default_queue,
    }


@pytest.fixture(scope="module")
def told(right: dict[str, str], django_db_blocker: Any) -> dict[str, list[list[str]]]:
    """What is found in each environment; a worker was seen a moment ago."""
    tmp = str(Path(right["PORTAL_STORAGE"]).parent)
    cases: dict[str, dict[str, str | None]] = {"right": {}}
    for name, (change, _id) in WRONG.items():
        cases[name] = {k: v and v.replace("{tmp}", tmp) for k, v in change.items()}
    with django_db_blocker.unblock(), committed_database():
        Heartbeat.objects.record()
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT,
        env=right,
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[list[str]]] = json.loads(done.stdout)
    return found


def test_a_right_environment_has_no_finding(told: dict[str, list[list[str]]]) -> None:
    assert told["right"] == []


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_environment_has_the_right_finding(
    told: dict[str, list[list[str]]], name: str
) -> None:
    wanted = WRONG[name][1]
    # What other tests stopped in this database stands in no other register than theirs.
    found = [one for one in told[name] if one[0] != "portal.W022" or wanted == "portal.W022"]
    assert [one[0] for one in found] == [wanted]
    _id, sentence, hint = found[0]
    assert sentence.endswith(".")
    assert hint.endswith(".")
    # A finding names the setting, and shows no secret.
    change = WRONG[name][0]
    words = f"{sentence} {hint}"
    assert any(setting in words for setting in change) or "PORTAL_SECRET_KEY" in words
    assert "0123456789abc" not in words


def test_the_command_says_so_as_operations_md_types_it(
    right: dict[str, str], committed: None
) -> None:
    Heartbeat.objects.record()
    command = [sys.executable, "manage.py", "doctor"]
    done = subprocess.run(command, cwd=ROOT, env=right, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert [line.split()[:2] for line in said[:-1]] == [["well", name] for name in ALL_IS_WELL]
    assert said[-1] == f"{len(ALL_IS_WELL)} checks, 0 wrong."
    away = right | {"DATABASE_URL": "postgres://portal:word@127.0.0.1:9/portal"}
    done = subprocess.run(command, cwd=ROOT, env=away, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "WRONG  portal.W018  The database does not answer: OperationalError." in done.stdout
    assert "?      portal.W020  Not known while the database is away." in done.stdout
    assert done.stdout.endswith(" checks, 1 wrong.\n")
    assert "word" not in done.stdout + done.stderr


@pytest.mark.django_db
def test_cookies_that_somebody_unbound_are_found(settings: Any) -> None:
    settings.OVER_HTTPS = True
    settings.PORTAL_TRUSTED_PROXIES = 1
    found = [one.id for one in run_checks(include_deployment_checks=True)]
    assert "portal.W004" in found  # these settings were made for http


@pytest.mark.django_db
def test_an_old_postgresql_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    Heartbeat.objects.record()
    assert list(database(0)) == []
    monkeypatch.setattr(connections["default"], "pg_version", 140_011)
    (found,) = database(0)
    assert (found.id, found.msg[:13]) == ("portal.W019", "PostgreSQL 14")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("waiting", "who"), [(0, "No beat and no worker"), (3, "No worker"), (None, "No beat and no")]
)
def test_nobody_who_works_is_found(waiting: int | None, who: str) -> None:
    Heartbeat.objects.update_or_create(pk=1, defaults={"at": Now() - timedelta(minutes=6)})
    (found,) = database(waiting)
    assert found.id == "portal.W020"
    assert found.msg.startswith(who)


@pytest.mark.django_db
def test_a_migration_that_waits_is_found() -> None:
    migrations_that_wait.cache_clear()
    as_owner("delete from django_migrations where app = 'monitoring'")
    (found,) = database(0)
    migrations_that_wait.cache_clear()
    assert (found.id, found.hint) == ("portal.W021", "Run manage.py upgrade.")


@pytest.mark.django_db
def test_an_access_log_without_months_ahead_is_found() -> None:
    Heartbeat.objects.update_or_create(pk=1, defaults={"at": Now()})
    month = timezone.now().astimezone(UTC).replace(day=1)
    for ahead in range(1, 4):
        name = f"documents_documentread_{month + relativedelta(months=ahead):%Y_%m}"
        as_owner(f"drop table if exists {name}")
    (found,) = database(0)
    assert found.id == "portal.W024"
    add_months()
    assert list(database(0)) == []


def test_every_finding_is_tried_here() -> None:
    numbers = set(re.findall(r"finding\(\s*(\d+)", CHECKS) + re.findall(r"\((\d+), ", CHECKS))
    tried = Path(__file__).read_text()
    assert len(numbers) >= 15
    assert {f"portal.W{int(number):03}" for number in numbers} <= set(ALL_IS_WELL)
    assert [number for number in numbers if f"portal.W{int(number):03}" not in tried] == []
