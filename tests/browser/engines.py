"""Firefox and WebKit by W3C WebDriver, as their own programs speak it: no library, no window."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import httpx

from tests.conftest import free_port

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox") or ""
WEBKIT_DRIVER = shutil.which("WebKitWebDriver") or ""
MINI_BROWSER = next(map(str, Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser")), "")
XVFB = shutil.which("Xvfb") or ""
# What an element is called on the wire (W3C WebDriver, section 12).
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Wire(Protocol):
    def ask(self, command: str, **parameters: Any) -> Any: ...


class Engine:
    """A browser in front of somebody."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def open(self, url: str) -> None:
        self._wire.ask("Navigate", url=url)

    @property
    def url(self) -> str:
        return str(self._wire.ask("GetCurrentURL"))

    def run(self, script: str, *arguments: Any) -> Any:
        return self._wire.ask("ExecuteScript", script=script, args=list(arguments))

    def click(self, selector: str) -> None:
        # The drivers do not wait for a page that scrolls smoothly.
        into_view = "scrollIntoView({block: 'center', behavior: 'instant'})"
        self.run(f"document.querySelector(arguments[0]).{into_view}", selector)
        self._wire.ask("ElementClick", id=self._find(selector))

    def write(self, selector: str, text: str) -> None:
        self._wire.ask("ElementSendKeys", id=self._find(selector), text=text)

    def make_narrow(self) -> None:
        """As narrow as the driver allows: 450 to 500 pixels."""
        self._wire.ask("SetWindowRect", width=360, height=740)

    def wait_for(self, script: str, seconds: float = 15) -> None:
        """Until the expression is true; a page that is just leaving counts as not yet."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                if self.run(f"return Boolean({script})"):
                    return
            except RuntimeError:
                pass
            assert time.monotonic() < deadline, f"{script} never became true at {self.url}"
            time.sleep(0.1)

    def _find(self, selector: str) -> str:
        found = self._wire.ask("FindElement", using="css selector", value=selector)
        return str(found[ELEMENT])


class Marionette:
    """Firefox's own: length-prefixed JSON over TCP, with the commands of W3C WebDriver."""

    def __init__(self, port: int) -> None:
        self._line = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._number = 0
        self._read()
        self.ask("NewSession", acceptInsecureCerts=True)

    def ask(self, command: str, **parameters: Any) -> Any:
        self._number += 1
        words = json.dumps([0, self._number, f"WebDriver:{command}", parameters]).encode()
        self._line.sendall(f"{len(words)}:".encode() + words)
        _, _, error, result = self._read()
        if error:
            raise RuntimeError(f"{command}: {error['message']}")
        return result.get("value") if isinstance(result, dict) else result

    def _read(self) -> Any:
        length = b""
        while not length.endswith(b":"):
            length += self._line.recv(1)
        rest = int(length[:-1])
        body = b""
        while len(body) < rest:
            body += self._line.recv(rest - len(body))
        return json.loads(body)


class WebDriver:
    """WebKit's: JSON over HTTP (W3C WebDriver, section 6)."""

    PATHS = {
        "Navigate": ("POST", "url"),
        "GetCurrentURL": ("GET", "url"),
        "ExecuteScript": ("POST", "execute/sync"),
        "FindElement": ("POST", "element"),
        "ElementClick": ("POST", "element/{id}/click"),
        "ElementSendKeys": ("POST", "element/{id}/value"),
        "SetWindowRect": ("POST", "window/rect"),
    }

    def __init__(self, port: int, capabilities: dict[str, Any]) -> None:
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}/session", timeout=60)
        wanted = {"capabilities": {"alwaysMatch": capabilities}}
        self._id = self._told(self._http.post("", json=wanted))["sessionId"]

    def ask(self, command: str, **parameters: Any) -> Any:
        method, path = self.PATHS[command]
        path = path.format(**parameters)
        body = parameters if method == "POST" else None
        return self._told(self._http.request(method, f"/{self._id}/{path}", json=body))

    def _told(self, answer: httpx.Response) -> Any:
        value = answer.json()["value"]
        if answer.is_error:
            raise RuntimeError(f"{value['error']}: {value['message']}")
        return value


@contextmanager
def firefox(folder: Path) -> Iterator[Engine]:
    (folder / "user.js").write_text('user_pref("marionette.port", 0);\n')
    command = [FIREFOX, "--headless", "--marionette", "--no-remote", "--profile", str(folder)]
    with _running(command, folder):
        told = folder / "MarionetteActivePort"
        _wait(lambda: told.exists() and told.read_text() != "")
        yield Engine(Marionette(int(told.read_text())))


@contextmanager
def webkit(folder: Path) -> Iterator[Engine]:
    """WebKitGTK has no mode without a window, so a screen that nobody sees is started for it."""
    screen = f":{os.getpid() % 30_000 + 100}"
    port = free_port()
    driver = [WEBKIT_DRIVER, f"--port={port}"]
    with _running([XVFB, screen, "-screen", "0", "800x900x24", "-nolisten", "tcp"], folder):
        _wait(Path(f"/tmp/.X11-unix/X{screen[1:]}").exists)
        with _running(driver, folder, DISPLAY=screen):
            _wait(lambda: _answers(port))
            options = {"binary": MINI_BROWSER, "args": ["--automation"]}
            wanted = {"acceptInsecureCerts": True, "webkitgtk:browserOptions": options}
            yield Engine(WebDriver(port, wanted))


@contextmanager
def _running(command: list[str], folder: Path, **environment: str) -> Iterator[None]:
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env=os.environ | {"HOME": str(folder), **environment}
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def _wait(until: Callable[[], bool]) -> None:
    for _ in range(300):
        if until():
            return
        time.sleep(0.1)
    raise RuntimeError("the browser did not start")


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/status").is_success
    except httpx.TransportError:
        return False
