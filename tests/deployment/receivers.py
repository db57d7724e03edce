"""The servers of many partners, which hear what the portal tells them."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

HANGS = threading.Event()


class Receivers:
    """The servers of many partners: who heard what, and when."""

    def __init__(self, server: HTTPServer) -> None:
        self.heard: list[tuple[str, str, float]] = []
        self.server = server
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        server.expect_request("/hook").respond_with_handler(self._hear)
        server.expect_request("/hangs").respond_with_handler(self._hang)

    def _hear(self, request: Request) -> Response:
        told = json.loads(request.get_data())["data"]
        consent = told["relationships"]["accountingOfficeConsent"]["data"]["id"]
        self.heard.append((told["id"], consent, time.time()))
        return Response(status=204)

    def _hang(self, request: Request) -> Response:
        HANGS.wait(60)
        return Response(status=204)

    def wait_for(self, wanted: Callable[[], bool], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not wanted() and time.monotonic() < end:
            time.sleep(0.05)
        return wanted()
