"""Behind a real nginx with the very files of docker/ and docs/: TLS, X-Accel, client certificates."""

from __future__ import annotations

import datetime
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import settings

from documents.storage.blobs import name_of
from partners.models import ClientCertificate
from tests import factories
from tests.conftest import ROOT, Cast, Software, free_port, running_portal
from tests.factories import CODA, acting, allow

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="no nginx (Debian: apt install nginx-light)")


def certificate(folder: Path, name: str) -> str:
    """Write a self-signed certificate; return its SHA-1 fingerprint, as nginx gives it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(tz=datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / f"{name}.crt").write_bytes(signed.public_bytes(pem))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return signed.fingerprint(hashes.SHA1()).hex()


@dataclass
class Front:
    """nginx in front of a portal: its address, that with client certificates, and without TLS."""

    url: str
    partners_url: str
    plain_url: str
    folder: Path

    @classmethod
    def at(cls, ports: tuple[int, int, int], folder: Path) -> Front:
        secure, certified, plain = (f"localhost:{port}" for port in ports)
        return cls(f"https://{secure}", f"https://{certified}", f"http://{plain}", folder)

    def client(self, certificate: str | None = None) -> httpx.Client:
        trust = ssl.create_default_context(cafile=str(self.folder / "server.crt"))
        if certificate:
            trust.load_cert_chain(
                self.folder / f"{certificate}.crt", self.folder / f"{certificate}.key"
            )
        return httpx.Client(verify=trust, timeout=20)


def our_files(folder: Path, ports: tuple[int, int, int], *portals: str) -> str:
    """docker/nginx.conf and the example of the docs, with this machine's ports and folders."""
    at = (f"server {portal.removeprefix('http://')} max_fails=0;" for portal in portals)
    example = re.search(
        r"```nginx\n(.*?)```", (ROOT / "docs/operations/nginx.md").read_text(), re.S
    )
    assert example is not None
    text = (ROOT / "docker/nginx.conf").read_text() + example[1]
    # With a bucket there is no such folder, and the portal names none to nginx.
    documents = settings.STORAGES["documents"]["OPTIONS"].get("location", folder)
    for ours, here in {
        "server web:8000 max_fails=0;": " ".join(at),
        "listen 80;": f"listen 127.0.0.1:{ports[2]};",
        "listen 443 ssl;": f"listen 127.0.0.1:{ports[0]} ssl;",
        "listen 8443 ssl;": f"listen 127.0.0.1:{ports[1]} ssl;",
        "/etc/nginx/tls/fullchain.pem": str(folder / "server.crt"),
        "/etc/nginx/tls/privkey.pem": str(folder / "server.key"),
        "/etc/nginx/api_errors.conf": str(ROOT / "docker/api_errors.conf"),
        "/etc/nginx/away.html": str(ROOT / "docker/away.html"),
        "/var/log/nginx/access.log": str(folder / "access.log"),
        "alias /documents/;": f"alias {documents}/;",
    }.items():
        assert ours in text, ours
        text = text.replace(ours, here)
    return text


@pytest.fixture(scope="module")
def front(
    request: Any,
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("front")
    own = {"PORTAL_TRUSTED_PROXIES": "1", **request.param}
    with (
        django_db_blocker.unblock(),
        running_portal(folder, **own) as portal,
        running_nginx(folder, portal) as front,
    ):
        yield front


@contextmanager
def running_nginx(folder: Path, *portals: str) -> Iterator[Front]:
    certificate(folder, "server")
    ports = free_port(), free_port(), free_port()
    user = "user root;" if os.geteuid() == 0 else ""
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"{user} daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;"
        f"events {{}} http {{ access_log off; {our_files(folder, ports, *portals)} }}"
    )
    nginx = subprocess.Popen([str(NGINX), "-c", configuration, "-p", folder])
    front = Front.at(ports, folder)
    try:
        _wait(front)
        yield front
    finally:
        nginx.terminate()
        nginx.wait(10)


def _wait(front: Front) -> None:
    for _ in range(100):
        try:
            with front.client() as client:
                client.get(f"{front.url}/codabox-connect")
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError((front.folder / "error.log").read_text())


def login(software: Software, http: httpx.Client) -> None:
    software.http = http
    software.token = software.login()


@pytest.fixture
def software(portal: str, people: Cast) -> Software:
    allow(people.consent, people.anna)
    return Software(portal, people.ledgerly)


ACCEL = [{"PORTAL_NGINX_LOCATION": "/_documents"}]


@pytest.mark.parametrize("front", ACCEL, indirect=True)
@pytest.mark.parametrize("size", [1280, 200_000, 900_000])
def test_a_document_comes_through_nginx_untouched(
    front: Front, software: Software, people: Cast, size: int
) -> None:
    data = os.urandom(size)
    document = factories.make_document(people.bakery, contents={CODA: data})
    with front.client() as http:
        http.base_url = httpx.URL(front.url)
        login(software, http)
        number = people.bakery.company_number
        answer = software.document(people.janssens, number, document.uuid, accept=CODA)
        assert answer.content == data
        assert answer.headers["Content-Length"] == str(size)
        assert answer.headers["Content-Type"] == CODA
        assert "X-Accel-Redirect" not in answer.headers
        for name in ("ETag", "ibanity-request-id", "Content-Security-Policy"):
            assert answer.headers[name], name
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "attachment" in answer.headers["Content-Disposition"]
        part = software.document(
            people.janssens, number, document.uuid, accept=CODA, headers={"Range": "bytes=5-9"}
        )
        assert (part.status_code, part.content) == (206, data[5:10])
        people.fresh().cancel(acting(people.anna))
        refused = software.document(people.janssens, number, document.uuid, accept=CODA)
        assert refused.status_code == 403
        assert refused.content.startswith(b'{"errors"')


@pytest.mark.parametrize("front", ACCEL, indirect=True)
def test_nobody_reaches_the_files_directly(front: Front, people: Cast) -> None:
    document = factories.make_document(people.bakery, contents={CODA: b"0" * 256})
    from core.row_security import office_scope

    with office_scope(people.janssens.pk):
        name = name_of(document.contents.get().sha256)
    with front.client() as http:
        for path in (f"/_documents/{name}", f"/%5Fdocuments/{name}", f"//_documents/{name}"):
            answer = http.get(front.url + path)
            assert answer.status_code == 404
            assert b"0000" not in answer.content


@pytest.mark.parametrize("front", ACCEL, indirect=True)
def test_a_page_comes_over_https_with_bound_cookies(front: Front) -> None:
    with front.client() as http:
        answer = http.get(f"{front.url}/accounts/login/")
    assert answer.status_code == 200
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("front", ACCEL, indirect=True)
def test_the_root_names_the_host_and_port_that_the_caller_used(front: Front) -> None:
    """Software follows these templates: without the port it would come back without its certificate."""
    for url in (front.url, front.partners_url):
        with front.client() as http:
            links = http.get(f"{url}/codabox-connect").json()["links"]
        assert links["self"] == f"{url}/codabox-connect"
        assert links["oauth2"]["token"] == f"{url}/codabox-connect/oauth2/token"


@pytest.mark.requirement(56)
@pytest.mark.parametrize("front", ACCEL, indirect=True)
def test_a_body_that_nginx_refuses_is_refused_in_json(front: Front) -> None:
    path = "/codabox-connect/accounting-office-consents"
    for url in (front.url, front.partners_url):
        with front.client() as http:
            answer = http.post(url + path, content=b" " * 1_200_000)
        assert answer.status_code == 413
        assert answer.headers["Content-Type"] == "application/vnd.api+json"
        assert answer.headers["ibanity-request-id"]
        assert answer.json()["errors"][0]["code"] == "payloadTooLarge"


@pytest.mark.requirement(101)
def test_of_one_address_a_hundred_requests_are_under_way_at_most(tmp_path: Path) -> None:
    with running_nginx(tmp_path, f"http://localhost:{free_port()}") as front, ExitStack() as stack:
        trust = ssl.create_default_context(cafile=str(tmp_path / "server.crt"))
        host, port = "localhost", int(front.url.rpartition(":")[2])
        waiting = b"POST /codabox-connect HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n"
        for _ in range(100):
            plain = stack.enter_context(socket.create_connection((host, port), 10))
            line = stack.enter_context(trust.wrap_socket(plain, server_hostname=host))
            line.sendall(waiting)
        end = time.monotonic() + 20
        with front.client() as http:
            # Until nginx has read all of them.
            while (refused := http.get(f"{front.url}/codabox-connect")).status_code != 429:
                assert time.monotonic() < end, refused
                time.sleep(0.1)
            assert refused.headers["Retry-After"] == "2"
            assert refused.json()["errors"][0]["code"] == "tooManyRequests"
            # A page is not the API's.
            assert http.get(f"{front.url}/accounts/login/").status_code != 429


def unreadable() -> dict[str, bytes]:
    """What nginx refuses before it knows whose it is, by its fault."""
    start, host = b"GET /codabox-connect", b"Host: localhost\r\nConnection: close\r\n"
    token = b"POST /codabox-connect/oauth2/token HTTP/1.1\r\n" + host
    return {
        "a header of 9 kB": start + b" HTTP/1.1\r\n" + host + b"X: " + b"a" * 9000 + b"\r\n\r\n",
        "an address of 9 kB": start + b"/" + b"a" * 9000 + b" HTTP/1.1\r\n" + host + b"\r\n",
        "no host": start + b" HTTP/1.1\r\nConnection: close\r\n\r\n",
        "a broken escape": start + b"/%zz HTTP/1.1\r\n" + host + b"\r\n",
        "an unknown version": start + b" HTTP/2.0\r\n" + host + b"\r\n",
        "no length": token + b"Content-Length: x\r\n\r\n",
        "an unknown coding": token + b"Transfer-Encoding: gzip\r\n\r\n",
        "a broken chunk": token + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    }


def told(line: socket.socket, words: bytes) -> tuple[int, list[str], bytes]:
    """Status, header lines and body of what comes back."""
    with line:
        line.sendall(words)
        answer = b""
        with suppress(ConnectionResetError):
            while piece := line.recv(65536):
                answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *headers = head.decode().lower().split("\r\n")
    return int(status.split()[1]), headers, body


def test_what_nginx_cannot_read_it_refuses_in_json(tmp_path: Path) -> None:
    with running_nginx(tmp_path, f"http://localhost:{free_port()}") as front:
        trust = ssl.create_default_context(cafile=str(tmp_path / "server.crt"))

        def line(url: str, *, secure: bool = True) -> socket.socket:
            plain = socket.create_connection(("localhost", int(url.rpartition(":")[2])), 10)
            return trust.wrap_socket(plain, server_hostname="localhost") if secure else plain

        get = b"GET /codabox-connect HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        precise = {"a header of 9 kB": 431, "an address of 9 kB": 414}
        answers = {
            fault: (precise.get(fault, 400), *told(line(url), words))
            for url in (front.url, front.partners_url)
            for fault, words in unreadable().items()
        }
        answers["trace"] = (405, *told(line(front.url), get.replace(b"GET", b"TRACE")))
        answers["no TLS"] = (400, *told(line(front.url, secure=False), get))
        for fault, (expected, status, headers, body) in answers.items():
            assert status == expected, fault
            assert body.startswith(b'{"errors"'), fault
            assert "content-type: application/vnd.api+json" in headers, fault
            ((_, identifier),) = [h.split(": ") for h in headers if h.startswith("ibanity-req")]
            assert str(uuid.UUID(identifier)) == identifier, fault


def test_plain_http_is_no_way_to_the_api_and_leads_people_to_https(tmp_path: Path) -> None:
    """A redirect would be followed without the token, and the secret was sent in clear text."""
    with running_nginx(tmp_path, f"http://localhost:{free_port()}") as front:
        for path in ("/codabox-connect", "/codabox-connect/oauth2/token", "/webhooks/keys"):
            answer = httpx.post(front.plain_url + path)
            assert answer.status_code == 404
            assert "https" in answer.json()["errors"][0]["detail"]
            assert len(answer.headers.get_list("ibanity-request-id")) == 1
        page = httpx.get(f"{front.plain_url}/accounts/login/?next=/")
        assert page.status_code == 308
        assert page.headers["Location"] == "https://localhost/accounts/login/?next=/"


@pytest.mark.parametrize("front", ACCEL, indirect=True)
def test_strange_ranges_and_a_lost_file_are_never_a_page_of_nginx(
    front: Front, software: Software, people: Cast
) -> None:
    data = os.urandom(1280)
    document = factories.make_document(people.bakery, contents={CODA: data})
    digest = sha256(data).hexdigest()
    with front.client() as http:
        http.base_url = httpx.URL(front.url)
        login(software, http)

        def get(**headers: str) -> httpx.Response:
            number = people.bakery.company_number
            return software.document(
                people.janssens, number, document.uuid, accept=CODA, headers=headers
            )

        for asked, status in (
            ("bytes=0-0,2-3", 200),
            ("bytes=5000-,6000-", 200),
            ("bytes=5000-", 416),
            ("bytes=-7", 206),
        ):
            answer = get(Range=asked)
            assert answer.status_code == status, asked
            assert b"<html" not in answer.content
        part = get(Range="bytes=5-9", **{"If-Range": f'"{digest}"'})
        assert (part.status_code, part.content) == (206, data[5:10])
        assert get(Range="bytes=5-9", **{"If-Range": '"other"'}).content == data
        (Path(settings.STORAGES["documents"]["OPTIONS"]["location"]) / name_of(digest)).unlink()
        lost = get()
        assert lost.status_code == 500
        assert lost.content.startswith(b'{"errors"')
        assert lost.headers["Content-Type"] == "application/vnd.api+json"
        assert len(lost.headers.get_list("ibanity-request-id")) == 1


def test_without_a_portal_behind_it_software_reads_json(tmp_path: Path) -> None:
    with running_nginx(tmp_path, f"http://localhost:{free_port()}") as front:
        for url in (front.url, front.partners_url):
            with front.client() as http:
                answer = http.get(f"{url}/codabox-connect/accounting-offices/x/clients/y/z/a")
            assert answer.status_code == 503
            assert answer.content.startswith(b'{"errors"')
            assert answer.headers["Retry-After"] == "5"
            assert answer.headers["ibanity-request-id"]


@pytest.mark.parametrize("front", [{"PORTAL_CERTIFICATE_PROXIES": "127.0.0.1/32"}], indirect=True)
def test_a_partner_calls_with_its_certificate_only(
    front: Front, software: Software, people: Cast
) -> None:
    registered = certificate(front.folder, "registered")
    certificate(front.folder, "other")
    ClientCertificate.objects.create(partner=people.ledgerly, fingerprint=registered)
    form = {"grant_type": "client_credentials"}
    secret = (software.client_id, software.secret)
    token_url = f"{front.partners_url}/codabox-connect/oauth2/token"
    with front.client("registered") as http:
        answer = http.post(token_url, auth=secret, data=form)
        assert answer.status_code == 200, answer.text
        bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        path = f"/codabox-connect/accounting-office-consents/{people.consent.uuid}"
        assert http.get(front.partners_url + path, headers=bearer).status_code == 200
        # The public address passes no fingerprint on.
        assert http.get(front.url + path, headers=bearer).status_code == 401
    forged = bearer | {"X-Client-Certificate-Fingerprint": registered}
    with front.client("registered") as http:
        assert http.get(front.url + path, headers=forged).status_code == 401
    for name in ("other", None):
        with front.client(name) as http:
            assert http.post(token_url, auth=secret, data=form).status_code == 401
            assert http.get(front.partners_url + path, headers=forged).status_code == 401
