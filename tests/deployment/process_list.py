"""The processes of docs/operations/index.md on this machine, with the very commands of its table."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from django.conf import settings

from accounts.models import User
from devtools.servers import without_owner
from partners.models import ClientCertificate, Partner
from tests.conftest import ROOT, Software, free_port
from tests.deployment.browsing import Person
from tests.deployment.test_nginx import NGINX, Front, certificate, our_files
from tests.mail_server import MailServer, mail_server

BIN = Path(sys.executable).parent


def commands() -> dict[str, list[str]]:
    """What the table *Processes* says to type, by the name of the process."""
    page = (ROOT / "docs/operations/index.md").read_text()
    section = page.partition("\n## Processes\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \| `([^`]+)` \|", section, re.MULTILINE)
    return {name: shlex.split(command) for name, command in rows}


def children_of_granian(port: int) -> list[tuple[int, int]]:
    """The worker processes of the granian at this port, each with the process that started it."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if b"--port" in words and words[words.index(b"--port") + 1] == str(port).encode():
                status = (folder / "stat").read_text().rpartition(")")[2].split()
                found[int(folder.name)] = int(status[1])
    return sorted((child, parent) for child, parent in found.items() if parent in found)


class Process:
    """One line of the list: started, killed and started again as a service manager would."""

    def __init__(
        self, name: str, command: list[str], environment: dict[str, str], folder: Path
    ) -> None:
        self.name, self.command, self.environment = name, command, environment
        self.log = folder / f"{name}.log"
        self.starts = 0
        self.start()

    def start(self) -> None:
        self.starts += 1
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A group of its own: what it forks is killed with it, as systemd does.
                start_new_session=True,
            )

    @property
    def is_dead(self) -> bool:
        return self.process.poll() is not None

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self, patience: float = 70) -> int:
        """Ask it to end, as an operator does; return its exit code."""
        self.process.terminate()
        return self.process.wait(patience)


def here(command: list[str], **changes: str) -> list[str]:
    """A command of the docs with this machine's addresses and folders, and nothing else changed."""
    program = sys.executable if command[0] == "python" else str(BIN / command[0])
    left = dict(changes)
    words = [left.pop(word, word) for word in command[1:]]
    assert not left, f"the docs say {command}, without {sorted(left)}"
    return [program, *words]


class Deployment:
    """nginx, two web processes, two workers and beat; PostgreSQL and Redis are given."""

    def __init__(self, folder: Path, mails: MailServer, **settings_of_its_own: str) -> None:
        self.folder, self.mails = folder, mails
        self.ports = free_port(), free_port(), free_port()
        self.web_ports = [free_port(), free_port()]
        self.front = Front.at(self.ports, folder)
        self.environment = without_owner(dict(os.environ)) | {
            "DJANGO_SETTINGS_MODULE": "codabox_portal.settings",
            "PORTAL_URL": self.front.url,
            "PORTAL_SECRET_KEY": settings.SECRET_KEY,
            "PORTAL_DEBUG": "0",
            "PORTAL_DEMO": "0",
            "PORTAL_MAIL_DIR": "",
            "PORTAL_STATIC_FROM_SOURCE": "1",
            "EMAIL_URL": mails.url,
            "PORTAL_NGINX_LOCATION": "/_documents",
            "PORTAL_TRUSTED_PROXIES": "1",
            # Every call of the API needs a registered certificate.
            "PORTAL_CERTIFICATE_PROXIES": "127.0.0.1/32",
            "PORTAL_CHECKPOINTS": str(folder / "checkpoints"),
            "PORTAL_ENDED_CONSENTS_FILE": str(folder / "ended.txt"),
            "PORTAL_WEBHOOKS_ALLOW_LOOPBACK": "1",
            **settings_of_its_own,
        }
        self.said = commands()
        self.processes: list[Process] = []

    def start(self) -> None:
        certificate(self.folder, "server")
        self.nginx = self._start("nginx", self._nginx())
        self.webs = [self._web(number) for number in (1, 2)]
        self.workers = [self._start(f"worker{n}", here(self.said["worker"])) for n in (1, 2)]
        schedule = {"/tmp/celerybeat-schedule": str(self.folder / "beat")}
        self.beat = self._start("beat", here(self.said["beat"], **schedule))
        self.wait_until_ready(*self.webs)

    def migrate(self, owner_url: str) -> None:
        command = [*here(self.said["migrate"]), "--verbosity=0"]
        environment = self.environment | {"DATABASE_OWNER_URL": owner_url}
        subprocess.run(command, cwd=ROOT, env=environment, check=True)

    def software(self, partner: Partner) -> Software:
        """The software of a partner, which calls with its client certificate."""
        name = f"software{partner.pk}"
        ClientCertificate.objects.create(
            partner=partner, fingerprint=certificate(self.folder, name)
        )
        return Software(self.front.partners_url, partner, self.front.client(name))

    @contextmanager
    def person(self, user: User) -> Iterator[Person]:
        """A person, logged in at the public address."""
        with self.front.client() as http:
            person = Person(http, self.front.url, user)
            person.log_in()
            yield person

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *words]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )

    def web_url(self, web: Process) -> str:
        return f"http://127.0.0.1:{self.web_ports[self.webs.index(web)]}"

    def wait_until_ready(self, *webs: Process, seconds: float = 90) -> None:
        """Until each of them says so on /health/ready, asked as nobody but its operator can."""
        end = time.monotonic() + seconds
        for web in webs:
            while not self.is_ready(web):
                assert time.monotonic() < end, web.log.read_text()[-4000:]
                assert not web.is_dead, web.log.read_text()[-4000:]
                time.sleep(0.1)

    def is_ready(self, web: Process) -> bool:
        try:
            answer = httpx.get(
                f"{self.web_url(web)}/health/ready", headers={"Host": "localhost"}, timeout=5
            )
        except httpx.TransportError:
            return False
        return answer.status_code == 200

    def web_addresses(self) -> list[str]:
        """Host and port of each web process, as nginx reaches it."""
        return [f"127.0.0.1:{port}" for port in self.web_ports]

    def write_nginx(self, *webs: str) -> Path:
        """The files of docker/ and docs/, for the web processes at these addresses."""
        user = "user root;" if os.geteuid() == 0 else ""
        text = our_files(self.folder, self.ports, *(f"http://{web}" for web in webs))
        # The docs, on the block for mutual TLS: "or repeat that block".
        block = re.search(r"    location /_documents/ \{.*?\n    \}\n", text, re.DOTALL)
        assert block is not None
        first, _brace, _end = text.rpartition("}")
        text = f"{first}{block[0]}}}\n"
        path = self.folder / "nginx.conf"
        path.write_text(
            f"{user} daemon off; pid {self.folder}/nginx.pid; error_log {self.folder}/error.log;"
            f"events {{}} http {{ access_log off; {text} }}"
        )
        return path

    def stop(self) -> None:
        for process in reversed(self.processes):
            if not process.is_dead:
                process.kill()

    def _nginx(self) -> list[str]:
        configuration = self.write_nginx(*self.web_addresses())
        return [str(NGINX), "-c", str(configuration), "-p", str(self.folder)]

    def _web(self, number: int) -> Process:
        changes = {"0.0.0.0": "127.0.0.1", "8000": str(self.web_ports[number - 1])}
        return self._start(f"web{number}", here(self.said["web"], **changes))

    def _start(self, name: str, command: list[str]) -> Process:
        process = Process(name, command, self.environment, self.folder)
        self.processes.append(process)
        return process


@contextmanager
def deployed(
    folder: Path, owner_url: str | None, **settings_of_its_own: str
) -> Iterator[Deployment]:
    """The whole list, until the end of the block; DATABASE_URL and REDIS_URL must be among them.

    With an `owner_url` it migrates first.
    """
    with mail_server() as mails:
        deployment = Deployment(folder, mails, **settings_of_its_own)
        try:
            if owner_url:
                deployment.migrate(owner_url)
            deployment.start()
            yield deployment
        finally:
            deployment.stop()
