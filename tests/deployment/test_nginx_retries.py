"""Which requests nginx sends to a second web process: a real nginx, two small backends."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.conftest import free_port
from tests.deployment.test_nginx import NGINX, Front, running_nginx

pytestmark = [
    pytest.mark.requirement(96),
    pytest.mark.skipif(NGINX is None, reason="no nginx (Debian: apt install nginx-light)"),
]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
AWAY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\nConnection: close\r\n\r\naway"
BROKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nhal"
# Ends without an answer: nobody knows what became of the request.
SILENT = b""


class Backend(socketserver.ThreadingTCPServer):
    """Reads each request whole, remembers it and gives the same answer to all."""

    daemon_threads = allow_reuse_address = True

    def __init__(self, answer: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.got: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(socketserver.StreamRequestHandler):
    server: Backend

    def handle(self) -> None:
        first = self.rfile.readline().decode().split()
        length = 0
        while (line := self.rfile.readline().strip().lower()) != b"":
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        self.rfile.read(length)
        if not first or first[1] == "/health/live":
            return
        self.server.got.append(" ".join(first[:2]))
        self.wfile.write(self.server.answer)


@contextmanager
def running(answer: bytes) -> Iterator[Backend]:
    with Backend(answer) as backend:
        thread = threading.Thread(target=backend.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield backend
        finally:
            backend.shutdown()
            thread.join(10)


@pytest.fixture
def good() -> Iterator[Backend]:
    with running(OK) as backend:
        yield backend


@contextmanager
def beside(folder: Path, good: Backend, answer: bytes) -> Iterator[tuple[Front, Backend]]:
    """nginx before a backend with this answer and a good one, in turn."""
    with ExitStack() as stack:
        bad = stack.enter_context(running(answer))
        yield stack.enter_context(running_nginx(folder, bad.url, good.url)), bad


def ask(front: Front, request: str) -> list[int]:
    """Send it twice, so that one of the two begins at each backend; gives the statuses, sorted."""
    method, path = request.split()
    body = b"wish=allow" if method == "POST" else None
    with front.client() as http:
        return sorted(
            http.request(method, f"{front.url}{path}", content=body).status_code
            for _turn in range(2)
        )


PAGE, API, ADMIN = "/consent/1", "/codabox-connect/events", "/admin/upload/"


@pytest.mark.parametrize("path", [PAGE, API, ADMIN])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_never_reached_a_web_process_is_sent_to_the_other(
    tmp_path: Path, good: Backend, method: str, path: str
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with running_nginx(tmp_path, nobody, good.url) as front:
        good.got.clear()
        assert ask(front, f"{method} {path}") == [200, 200]
    assert good.got == [f"{method} {path}"] * 2


@pytest.mark.parametrize("request_", [f"GET {PAGE}", f"GET {API}", f"POST {PAGE}", f"POST {API}"])
@pytest.mark.parametrize("answer", [SILENT, AWAY], ids=["no answer", "503"])
def test_a_page_and_the_api_are_asked_once_more_because_nothing_of_them_works_twice(
    tmp_path: Path, good: Backend, request_: str, answer: bytes
) -> None:
    """As docs/operations/nginx.md says: what the first one did, the second one finds done."""
    with beside(tmp_path, good, answer) as (front, bad):
        bad.got.clear()
        good.got.clear()
        assert ask(front, request_) == [200, 200]
        assert (bad.got, good.got) == ([request_], [request_] * 2)


@pytest.mark.parametrize("answer", [SILENT, AWAY], ids=["no answer", "503"])
def test_a_post_of_an_operator_that_may_have_been_received_is_never_sent_twice(
    tmp_path: Path, good: Backend, answer: bytes
) -> None:
    with beside(tmp_path, good, answer) as (front, bad):
        bad.got.clear()
        good.got.clear()
        assert ask(front, f"POST {ADMIN}") == [200, 503]
        assert (bad.got, good.got) == ([f"POST {ADMIN}"], [f"POST {ADMIN}"])


def test_an_answer_that_has_begun_is_not_asked_for_again(tmp_path: Path, good: Backend) -> None:
    """The caller sees that it broke off; two halves are never joined."""
    with beside(tmp_path, good, BROKEN) as (front, bad):
        bad.got.clear()
        good.got.clear()
        whole = broken = 0
        with front.client() as http:
            for _turn in range(2):
                try:
                    whole += http.get(f"{front.url}{PAGE}").text == "ok"
                except httpx.RemoteProtocolError:
                    broken += 1
        assert (whole, broken) == (1, 1)
        assert (len(bad.got), len(good.got)) == (1, 1)
