"""The cast, and the servers they meet: real PostgreSQL, a real web process, real HTTP.

Office **Janssens** (Admin **Anna**, User **Bram**) allowed the partner **Ledgerly**, not **Tally**.
**Chloé**, Admin of office **Peeters**, must never see Janssens. **Dirk** is an operator.

Rows that another process must see are committed and stay: events and evidence cannot be deleted,
by anybody. So each test makes its own cast, and the tests stay apart as offices do.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from allauth.mfa.models import Authenticator
from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models.signals import post_save

from accounts.models import Office, Role, User
from clients.models import Client
from consents.models import Consent
from devtools.servers import without_owner
from mailer.delivery import deliver
from mailer.models import OutgoingEmail
from partners.models import Partner
from tests import factories
from tests.databases import address_of_database, committed_database, two_databases
from tests.pooler import MODES, pooled

ROOT = Path(__file__).resolve().parent.parent
# Tests of the deployment that start no server.
FAST_DEPLOYMENT = (
    *("test_chart.py", "test_nginx_retries.py", "test_portal_py.py", "test_processes.py"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rounds", type=float, default=1.0, help="multiply the rounds of the long tests"
    )
    parser.addoption(
        "--pgbouncer", choices=MODES, help="web processes reach the database through PgBouncer"
    )
    parser.addoption(
        "--generated-clients",
        action="store_true",
        help="generate clients from the document of the API and walk a scenario (installs generators into var/)",
    )
    parser.addoption(
        "--renew-contract", action="store_true", help="write the contract of the API down anew"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark whole folders, so that `make test-fast` can leave them out."""
    for item in items:
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        if folder == "browser":
            item.add_marker("browser")
        elif folder in ("deployment", "hosts") and item.path.name not in FAST_DEPLOYMENT:
            item.add_marker("kills")
        if "rounds" in getattr(item, "fixturenames", ()):
            item.add_marker("slow")


@pytest.fixture(scope="session")
def rounds(request: pytest.FixtureRequest) -> float:
    """How much longer than the everyday suite the long tests run."""
    return float(request.config.getoption("--rounds"))


@dataclass
class Cast:
    """One office with its people and two partners, and a stranger next door."""

    janssens: Office
    anna: User
    bram: User
    peeters: Office
    chloe: User
    dirk: User
    ledgerly: Partner
    tally: Partner
    bakery: Client
    consent: Consent

    def fresh(self) -> Consent:
        consent: Consent = Consent.objects.select_related("office", "partner").get(
            pk=self.consent.pk
        )
        return consent


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: Any,
    django_db_keepdb: bool,
) -> Iterator[None]:
    with two_databases(django_db_blocker, keepdb=django_db_keepdb):
        yield


def make_cast() -> Cast:
    factories.terms_in_force()
    janssens, peeters = factories.make_office("Janssens"), factories.make_office("Peeters")
    anna = factories.make_person("Anna", janssens)
    bram = factories.make_person("Bram", janssens, Role.USER)
    chloe = factories.make_person("Chloé", peeters)
    dirk = factories.make_person("Dirk", is_staff=True, is_superuser=True)
    Authenticator.objects.create(user=dirk, type="totp", data={"secret": "x"})
    ledgerly = factories.make_partner("Ledgerly")
    tally = factories.make_partner("Tally", redirects=["https://tally.example/back"])
    bakery = factories.make_client(janssens)
    consent = factories.make_request(janssens, ledgerly)
    return Cast(janssens, anna, bram, peeters, chloe, dirk, ledgerly, tally, bakery, consent)


@pytest.fixture
def cast(db: None) -> Cast:
    """The cast inside a transaction that is rolled back; the consent waits for a decision."""
    return make_cast()


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A database that other processes see as well: nothing is rolled back."""
    with django_db_blocker.unblock(), committed_database():
        yield


@pytest.fixture
def people(committed: None) -> Cast:
    """The cast, committed; the consent waits for a decision."""
    return make_cast()


@pytest.fixture(scope="session", autouse=True)
def _own_storage(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Documents of the tests lie in a folder of their own, also for the web process."""
    folder = tmp_path_factory.mktemp("documents")
    settings.STORAGES["documents"]["OPTIONS"]["location"] = str(folder)
    os.environ["PORTAL_STORAGE"] = str(folder)


@pytest.fixture(autouse=True)
def _storage_stays(_own_storage: None) -> Iterator[None]:
    """No test leaves its own storage in place: the web process would not find later documents."""
    before = str(settings.STORAGES)
    yield
    assert str(settings.STORAGES) == before, "this test left its own storage in place"


@pytest.fixture(scope="session", autouse=True)
def _own_list_of_what_ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the tests end is not written into the file of a portal that runs beside them."""
    folder = tmp_path_factory.mktemp("evidence")
    # Each database has its own: a portal whose register knows more than its database stays closed.
    file = settings.PORTAL_ENDED_CONSENTS_FILE = str(folder / "rolled-back.txt")
    os.environ["PORTAL_ENDED_CONSENTS_FILE"] = str(folder / "ended-consents.txt")
    yield
    # What this process ended elsewhere is missing here, and keeps the next portal closed.
    assert file == settings.PORTAL_ENDED_CONSENTS_FILE, "a test left its own register in place"


@pytest.fixture(scope="session", autouse=True)
def _own_place_of_checkpoints(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = str(tmp_path_factory.mktemp("checkpoints"))
    settings.STORAGES["checkpoints"]["OPTIONS"]["location"] = folder
    os.environ["PORTAL_CHECKPOINTS"] = folder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> None:
    """Do at once what waits for the commit, which never comes inside a test."""
    monkeypatch.setattr(transaction, "on_commit", lambda job, **_: job())
    # What is rolled back afterwards must not stay in the register that all tests share.
    settings.PORTAL_ENDED_CONSENTS_FILE = str(tmp_path / "ended.txt")


@pytest.fixture(scope="session", autouse=True)
def _own_queue() -> Iterator[None]:
    """What this process wakes is for no worker of another database."""
    current_app.conf.task_default_queue = f"test-{os.getpid()}"
    yield
    with suppress(OSError):
        current_app.control.purge()


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do at once what a worker would do: for tests of what a mail says, not of how it travels."""
    monkeypatch.setattr(current_app.conf, "task_always_eager", True)


@pytest.fixture
def quick_worker() -> Iterator[None]:
    """Send each e-mail as soon as it stands in the outbox; otherwise it waits there."""

    def send(instance: OutgoingEmail, created: bool, **_: Any) -> None:
        if created:
            deliver(instance.pk)

    post_save.connect(send, sender=OutgoingEmail)
    yield
    post_save.disconnect(send, sender=OutgoingEmail)


def _granian(port: int, workers: int) -> list[str]:
    return [
        str(Path(sys.executable).parent / "granian"),
        *("--interface", "wsgi", "codabox_portal.wsgi:application"),
        *("--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)),
        *("--blocking-threads", "136", "--workers-kill-timeout", "10"),
        *("--respawn-failed-workers", "--respawn-interval", "0.5"),
    ]


@contextmanager
def running_portal(
    folder: Path,
    workers: int = 1,
    command: Callable[[int], list[str]] | None = None,
    **settings_of_its_own: Any,
) -> Iterator[str]:
    """A portal as in production, by granian; gives its base address.

    `command` makes another command line for a port.
    """
    port = free_port()
    url = f"http://localhost:{port}"
    environment = without_owner(dict(os.environ)) | {
        "DATABASE_URL": address_of_database(),
        "PORTAL_URL": url,
        "PORTAL_DEMO": "0",
        "PORTAL_DEBUG": "0",
        "PORTAL_STATIC_FROM_SOURCE": "1",
        "PORTAL_WAITS_AT_ONCE": "104",
        "PORTAL_MAIL_DIR": str(folder / "mail"),
        "PORTAL_SECRET_KEY": settings.SECRET_KEY,
        **settings_of_its_own,
    }
    with (folder / "web.log").open("wb") as log:
        process = subprocess.Popen(
            command(port) if command else _granian(port, workers),
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        )
        try:
            _wait_until_it_answers(url, process, folder / "web.log")
            yield url
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="session")
def portal(
    request: pytest.FixtureRequest,
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: Any,
) -> Iterator[str]:
    """The running portal that all tests share: two workers, as in production."""
    folder = tmp_path_factory.mktemp("portal")
    mode = request.config.getoption("--pgbouncer")
    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())
        changes: dict[str, Any] = {}
        if mode:
            database = stack.enter_context(pooled(mode, address_of_database()))
            changes["DATABASE_URL"] = f"{database}?DISABLE_SERVER_SIDE_CURSORS=True"
        yield stack.enter_context(running_portal(folder, workers=2, **changes))


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        if process.poll() is not None:
            break
        try:
            if httpx.get(f"{url}/codabox-connect").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"the portal did not start:\n{log.read_text()[-4000:]}")


class Software:
    """Accounting software: the real HTTP client of one partner."""

    def __init__(self, portal: str, partner: Partner, http: httpx.Client | None = None) -> None:
        self.client_id, self.secret = factories.make_application(partner)
        self.partner = partner
        self.http = http or httpx.Client(timeout=20)
        self.http.base_url = httpx.URL(portal)
        self.token = self.login()

    def login(self) -> str:
        answer = self.http.post(
            "/codabox-connect/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=(self.client_id, self.secret),
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return self.http.request(method, f"/codabox-connect{path}", headers=headers, **options)

    def create(self, **attributes: Any) -> httpx.Response:
        body = {"data": {"type": "accountingOfficeConsent", "attributes": attributes}}
        return self.call("POST", "/accounting-office-consents", json=body)

    def search(
        self, office: Office, clients: list[str], meta: Any = None, **attributes: Any
    ) -> httpx.Response:
        attributes.setdefault("documentType", "bankAccountStatement")
        data = {
            "type": "documentSearch",
            "attributes": attributes,
            "relationships": {"clients": {"data": [{"type": "client", "id": c} for c in clients]}},
        }
        body = {"data": data} if meta is None else {"data": data, "meta": meta}
        return self.call("POST", f"/accounting-offices/{office.uuid}/document-searches", json=body)

    def document(
        self,
        office: Office,
        client: str,
        document: Any,
        accept: str | None = None,
        kind: str = "bank-account-statements",
        **options: Any,
    ) -> httpx.Response:
        headers = {**({"Accept": accept} if accept else {}), **options.pop("headers", {})}
        path = f"/accounting-offices/{office.uuid}/clients/{client}/{kind}/{document}"
        return self.call("GET", path, headers=headers, **options)


@pytest.fixture
def ledgerly(portal: str, people: Cast) -> Iterator[Software]:
    """Ledgerly, at the running portal; the office has not decided yet."""
    software = Software(portal, people.ledgerly)
    yield software
    software.http.close()
