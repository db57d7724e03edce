"""`manage.py backup` and `restore` as docs/operations/backup.md has them: nothing comes back to life."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connection
from django.test import override_settings

from accounts.models import Membership
from consents.models import Consent, Status
from consents.scope import clients_in_scope
from core.clock import database_time
from core.row_security import every_office
from documents.storage.blobs import name_of, storage
from monitoring.backups.folder import CannotGoOn, read_manifest
from monitoring.backups.make import check, make_backup
from monitoring.backups.restore import restore_backup
from monitoring.models import LastBackup
from tests import factories
from tests.conftest import ROOT, Cast, Software, running_portal
from tests.deployment.browsing import Person
from tests.deployment.durable import Durable, rows_of
from tests.deployment.process_list import Deployment
from tests.factories import CODA, allow

pytestmark = pytest.mark.requirement(94)

# So many consents wait to be stopped, so that most of the stopped ones are in the backup.
POOL = 8


def fetch_all(programs: list[Software], there: Cast, document: object) -> list[int]:
    """Each software fetches the same document; the statuses they get."""
    number = there.bakery.company_number
    fetched = [
        software.document(there.janssens, number, document, accept=CODA) for software in programs
    ]
    for answer in fetched:
        assert answer.status_code == 200 or answer.content.startswith(b'{"errors"')
    return [answer.status_code for answer in fetched]


class Site:
    """A database of the servers, and the places outside it: the portal's own, or of a restore."""

    def __init__(self, deployment: Deployment, servers: Durable, database: str) -> None:
        portal = servers.database_url.removesuffix("/portal")
        self.settings = deployment.environment | {
            "DATABASE_URL": f"{portal}/{database}",
            "DATABASE_SUPERUSER_URL": servers.superuser_url(database),
            "PATH": f"{servers.programs}:{os.environ['PATH']}",
        }

    @property
    def register(self) -> Path:
        return Path(self.settings["PORTAL_ENDED_CONSENTS_FILE"])

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *words]
        return subprocess.run(
            command, cwd=ROOT, env=self.settings, capture_output=True, text=True, check=False
        )

    def backup_of_today(self, folder: Path) -> Path:
        """As the unit and the service of Compose make it every night, after another one."""
        make_backup(folder / "2000-01-01")
        here = str(Path(sys.executable).parent)
        environment = self.settings | {"PATH": f"{here}:{self.settings['PATH']}"}
        subprocess.run(["sh", "docker/backup.sh", folder], cwd=ROOT, env=environment, check=True)
        (backup,) = (one for one in folder.iterdir() if one.name != "2000-01-01")
        linked = {file.stat().st_nlink for file in (backup / "documents").glob("??/*/*")}
        assert linked == {2}
        return backup

    def done(self, *words: str) -> str:
        told = self.manage(*words)
        assert told.returncode == 0, told.stderr
        return told.stdout

    def refused(self, *words: str) -> str:
        """The sentence of a command that does nothing."""
        told = self.manage(*words)
        assert told.returncode == 1, told.stdout
        assert "Traceback" not in told.stderr
        return told.stderr.removeprefix("CommandError: ").strip()


@contextmanager
def empty_site(deployment: Deployment, servers: Durable, folder: Path) -> Iterator[Site]:
    """After the disaster: an empty database, no documents, and no register until somebody brings it."""
    name = f"restored_{random.getrandbits(32):08x}"
    create = ("--owner=portal_owner", "--encoding=UTF8", "--template=template0")
    servers.superuser("createdb", *create, name)
    site = Site(deployment, servers, name)
    for setting in ("PORTAL_STORAGE", "PORTAL_CHECKPOINTS", "PORTAL_ENDED_CONSENTS_FILE"):
        site.settings[setting] = str(folder / name / setting.lower())
    site.register.parent.mkdir()
    try:
        yield site
    finally:
        servers.superuser("dropdb", "--force", name)


@pytest.fixture
def here(
    deployment: Deployment, servers: Durable, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> Any:
    """The settings of the running list, in this process."""
    monkeypatch.setenv("PATH", f"{servers.programs}:{os.environ['PATH']}")
    settings.DATABASE_SUPERUSER_URL = servers.superuser_url("portal")
    settings.PORTAL_ENDED_CONSENTS_FILE = deployment.environment["PORTAL_ENDED_CONSENTS_FILE"]
    return settings


def test_a_backup_of_yesterday_revives_nothing_and_its_api_is_closed_before(
    there: Cast, deployment: Deployment, servers: Durable, tmp_path: Path
) -> None:
    partners = [there.ledgerly, there.tally, factories.make_partner("Kept")]
    programs = [deployment.software(partner) for partner in partners]
    consents = [allow(factories.make_request(there.janssens, one), there.anna) for one in partners]
    document = factories.make_document(there.bakery, contents={CODA: b"0" * 1280}).uuid
    assert fetch_all(programs, there, document) == [200, 200, 200]

    portal = Site(deployment, servers, "portal")
    backup = tmp_path / "backup"
    assert "All of it was read again." in portal.done("backup", str(backup))
    assert LastBackup.objects.get().at > database_time() - timedelta(minutes=5)
    assert backup.stat().st_mode & 0o077 == 0
    # The day goes on: Anna ends one access, the software gives up the other.
    with deployment.person(there.anna) as anna:
        assert anna.cancel(there.janssens.slug, consents[0].uuid)
    path = f"/accounting-office-consents/{consents[1].uuid}"
    assert programs[1].call("DELETE", path).status_code == 204
    assert fetch_all(programs, there, document) == [403, 403, 200]

    with empty_site(deployment, servers, tmp_path) as new:
        assert "There is no register of ended consents." in new.refused("restore", str(backup))
        shutil.copy(portal.register, new.register)
        told = new.done("restore", str(backup))
        assert "\n2 cancelled again\n" in told
        assert "The hash chains are whole." in told
        given: dict[str, Any] = new.settings | {"PORTAL_CERTIFICATE_PROXIES": ""}
        with running_portal(tmp_path, **given) as url:
            for software in programs:
                software.http = httpx.Client(base_url=url)
            assert httpx.get(f"{url}/health/ready").status_code == 200
            assert fetch_all(programs, there, document) == [403, 403, 200]


class Stopper(threading.Thread):
    """An Admin who ends, pauses and narrows one access after the other, all day."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__(daemon=True)
        self.office, self.eva = factories.make_office("Stoppers"), factories.make_person("Eva")
        Membership.objects.create(office=self.office, user=self.eva, role="admin")
        self.left_out, _other = (factories.make_client(self.office) for _two in range(2))
        self.http = deployment.front.client()
        self.person = Person(self.http, deployment.front.url, self.eva)
        self.person.log_in()
        self.pool = [self._allowed() for _one in range(POOL)]
        # What the portal said is done.
        self.stopped: list[tuple[str, str]] = []
        self.surprises: list[str] = []
        self.end, self.works = threading.Event(), threading.Event()

    def run(self) -> None:
        kinds = ("cancelled", "paused", "left out")
        try:
            while self.works.wait() and not self.end.wait(random.uniform(0, 0.1)):
                self._do(self.pool.pop(0), kinds[len(self.stopped) % 3])
                self.pool.append(self._allowed())
        except Exception as error:
            self.surprises.append(repr(error))
        finally:
            connection.close()
            self.http.close()

    def _allowed(self) -> str:
        request = factories.make_request(self.office, factories.make_partner("Stopped"))
        return str(allow(request, self.eva).uuid)

    def _do(self, consent: str, kind: str) -> None:
        slug, number = self.office.slug, self.left_out.company_number
        if kind == "cancelled":
            assert self.person.cancel(slug, consent)
        elif kind == "paused":
            assert self.person.pause(slug, consent)
        else:
            assert self.person.leave_out(slug, consent, number)
        self.stopped.append((consent, kind))


@contextmanager
def stopping(deployment: Deployment) -> Iterator[list[Stopper]]:
    """Two of them at work, until the end of the block."""
    stoppers = [Stopper(deployment) for _two in range(2)]
    for stopper in stoppers:
        stopper.start()
    try:
        yield stoppers
    finally:
        for stopper in stoppers:
            stopper.end.set()
            stopper.works.set()
        for stopper in stoppers:
            stopper.join(60)
    assert [one for stopper in stoppers for one in stopper.surprises] == []


def count(stoppers: list[Stopper]) -> int:
    return sum(len(stopper.stopped) for stopper in stoppers)


def wait_until(stoppers: list[Stopper], stops: int) -> None:
    end = time.monotonic() + 60
    while count(stoppers) < stops:
        assert time.monotonic() < end, [stopper.surprises for stopper in stoppers]
        time.sleep(random.uniform(0, 0.05))


def revived(stopper: Stopper, stops: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What was stopped and goes on, in the database of the block."""
    now = database_time()
    found = []
    consents = Consent.objects.filter(uuid__in=[consent for consent, _kind in stops])
    there = {str(one.uuid): one for one in consents.select_related("office", "partner")}
    for uuid, kind in stops:
        consent = there.get(uuid)
        if consent is None or consent.status != Status.ALLOWED:
            continue
        shared = clients_in_scope(consent).filter(pk=stopper.left_out.pk).exists()
        if (
            kind == "cancelled"
            or (kind == "paused" and not consent.is_paused(now))
            or (kind == "left out" and shared)
        ):
            found.append((uuid, kind))
    return found


def test_a_backup_under_load_restored_at_any_moment_revives_nothing(
    there: Cast,
    here: Any,
    deployment: Deployment,
    servers: Durable,
    tmp_path: Path,
    rounds: float,
    record_property: Callable[[str, object], None],
) -> None:
    """One backup and two restores, `--rounds 10` for the twenty of a release."""
    portal, backup = Site(deployment, servers, "portal"), tmp_path
    restores = again = 0
    factories.make_document(there.bakery, contents={CODA: b"3" * 1280})
    with stopping(deployment) as stoppers:
        for restores in range(1, max(1, int(2 * rounds)) + 1):
            for stopper in stoppers:
                stopper.works.set()
            if restores % 2:
                wait_until(stoppers, count(stoppers) + random.randint(0, 4))
                backup = portal.backup_of_today(tmp_path / f"week{restores}")
            wait_until(stoppers, count(stoppers) + random.randint(3, 8))
            with empty_site(deployment, servers, tmp_path) as new:
                # The disaster: this was promised, and this stands outside the database.
                promised = [list(stopper.stopped) for stopper in stoppers]
                shutil.copy(portal.register, new.register)
                for stopper in stoppers:
                    stopper.works.clear()
                told = new.done("restore", str(backup))
                words = [line for line in told.splitlines() if line.endswith(" again")]
                again += sum(int(line.split()[0]) for line in words)
                with rows_of(servers, Path(new.settings["DATABASE_URL"]).name):
                    found = [
                        one
                        for stopper, stops in zip(stoppers, promised, strict=True)
                        for one in revived(stopper, stops)
                    ]
                assert found == [], told
    record_property(
        "measured",
        f"{count(stoppers)} stops, {restores} restores made {again} of them again, 0 revived",
    )
    assert again >= 3


# The settings with which a restore is refused, and what the backup misses where it is refused.
REFUSED: dict[str, dict[str, str]] = {
    "made with a secret that is not here now.": {"SECRET_KEY": "another"},
    "There is no register of ended consents.": {"PORTAL_ENDED_CONSENTS_FILE": "{folder}/none"},
    "The register of ended consents lacks lines.": {
        "PORTAL_ENDED_CONSENTS_FILE": "{folder}/documents.txt"
    },
    "DATABASE_SUPERUSER_URL is not set.": {"DATABASE_SUPERUSER_URL": ""},
    "The database is not empty.": {},
}
SPOILED: dict[str, Callable[[Path], object]] = {
    "is no whole backup: it has no manifest.json.": lambda folder: (
        folder / "manifest.json"
    ).unlink(),
    "The backup is of another release.": lambda folder: rewrite(
        folder / "manifest.json", "0001_", "0000_"
    ),
}
DAMAGED: dict[str, Callable[[Path], object]] = {
    "keys.json is gone.": lambda folder: (folder / "keys.json").unlink(),
    "portal.dump was changed.": lambda folder: os.truncate(folder / "portal.dump", 1000),
    "is damaged or gone.": lambda folder: next((folder / "documents").glob("??/*/*")).unlink(),
}


def rewrite(file: Path, before: str, after: str) -> None:
    file.write_text(file.read_text().replace(before, after))


def test_a_wrong_backup_is_refused_before_anything_is_written(
    there: Cast, here: Any, tmp_path: Path
) -> None:
    factories.make_document(there.bakery, contents={CODA: b"1" * 1280})
    allow(there.consent, there.anna)
    there.fresh().cancel(factories.acting(there.anna))
    first, second = tmp_path / "first", tmp_path / "second"
    assert make_backup(first).documents == make_backup(second, first).documents > 0
    assert all(file.stat().st_nlink == 2 for file in (second / "documents").glob("??/*/*"))

    def refusal(folder: Path) -> str:
        with pytest.raises(CannotGoOn) as refused:
            restore_backup(folder, register_is_lost=False, secrets_are_lost=False)
        return str(refused.value)

    for sentence, change in REFUSED.items():
        changed = {name: value.format(folder=first) for name, value in change.items()}
        with override_settings(**changed):
            assert sentence in refusal(first)
    for number, (sentence, spoil) in enumerate((SPOILED | DAMAGED).items()):
        folder = shutil.copytree(first, tmp_path / str(number))
        spoil(folder)
        if sentence in SPOILED:
            assert sentence in refusal(folder)
            continue
        with pytest.raises(CannotGoOn, match=sentence):
            check(folder, read_manifest(first))


def test_a_backup_that_would_not_be_whole_is_not_made(
    there: Cast, servers: Durable, here: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusal(folder: Path) -> str:
        with pytest.raises(CannotGoOn) as refused:
            make_backup(folder)
        assert not (folder / "manifest.json").exists()
        return str(refused.value)

    (tmp_path / "used" / "folder").mkdir(parents=True)
    assert refusal(tmp_path / "used").endswith("Name a new folder for each backup.")
    here.DATABASE_SUPERUSER_URL = servers.superuser_url("postgres")
    assert "name different databases" in refusal(tmp_path / "other")
    here.DATABASE_SUPERUSER_URL = servers.database_url
    assert refusal(tmp_path / "row security").startswith("pg_dump failed: ")
    here.DATABASE_SUPERUSER_URL = servers.superuser_url("portal")
    document = factories.make_document(there.bakery, contents={CODA: b"2" * 1280})
    with every_office():
        (sha256,) = document.contents.values_list("sha256", flat=True)
    lost = storage().path(name_of(sha256))
    bytes_of = Path(lost).read_bytes()
    Path(lost).unlink()
    assert refusal(tmp_path / "lost").startswith("1 documents are damaged or gone")
    Path(lost).write_bytes(bytes_of)
    monkeypatch.setenv("PATH", "")
    assert refusal(tmp_path / "programs").startswith("There is no pg_dump here")
