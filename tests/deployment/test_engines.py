"""The flow in Firefox and WebKit: over TLS, from the portal's site to the software's and back.

Chromium walks every screen in tests/browser. Here the others walk the one way that everybody goes:
what they make of a redirect, or of a policy of content, differs.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from consents.models import Consent
from tests import factories
from tests.browser.engines import (
    FIREFOX,
    MINI_BROWSER,
    WEBKIT_DRIVER,
    XVFB,
    Engine,
    firefox,
    webkit,
)
from tests.conftest import Cast
from tests.deployment.process_list import Deployment
from tests.factories import PASSWORD

pytestmark = pytest.mark.requirement(33)


WITHOUT_FIREFOX = pytest.mark.skipif(
    not FIREFOX, reason="no Firefox (Debian: apt install firefox-esr)"
)
WITHOUT_WEBKIT = pytest.mark.skipif(
    not (WEBKIT_DRIVER and MINI_BROWSER and XVFB),
    reason="no WebKit (Debian: apt install webkit2gtk-driver xvfb)",
)


@pytest.fixture(
    params=[
        pytest.param(firefox, marks=WITHOUT_FIREFOX, id="Firefox"),
        pytest.param(webkit, marks=WITHOUT_WEBKIT, id="WebKit"),
    ]
)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with request.param(tmp_path) as engine:
        engine.make_narrow()
        yield engine


class Software:
    """Software on a site of its own; `came` are the visits of browsers."""

    def __init__(self, server: HTTPServer) -> None:
        self.came: list[Request] = []
        self.url = server.url_for("/callback")
        server.expect_request("/callback").respond_with_handler(self._welcome)

    def _welcome(self, request: Request) -> Response:
        self.came.append(request)
        return Response("<h1>Welcome back</h1>", content_type="text/html")


@pytest.fixture
def software(deployment: Deployment) -> Iterator[Software]:
    """127.0.0.1 is another site than localhost, where the portal is."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(deployment.folder / "server.crt", deployment.folder / "server.key")
    with HTTPServer(host="127.0.0.1", ssl_context=tls) as server:
        yield Software(server)


def test_anna_allows_is_handed_back_and_cancels(
    engine: Engine, there: Cast, deployment: Deployment, software: Software
) -> None:
    partner = factories.make_partner("Engines", redirects=[software.url])
    consent = factories.make_request(there.janssens, partner, software.url, state="s &=1")
    portal = deployment.front.url

    engine.open(f"{portal}/consent/{consent.uuid}")
    engine.write("[name=login]", there.anna.email)
    engine.write("[name=password]", PASSWORD)
    engine.click("main button[type=submit]")
    engine.wait_for("document.querySelector('#id_accept_terms')")
    _looks_right(engine)
    # The scripts run: without the switch the button is off.
    engine.wait_for("document.querySelector('button[value=allow]').disabled")
    _press(engine, "#id_accept_terms")
    _press(engine, "button[value=allow]")
    engine.wait_for("location.pathname.endsWith('/confirm')")
    _looks_right(engine)
    _press(engine, "main button[type=submit]")
    engine.wait_for("document.querySelector('[data-return-link]')")
    assert engine.run("return document.querySelector('h1').innerText") == "Consent confirmed"
    _looks_right(engine)
    engine.click("[data-return-link]")
    engine.wait_for("document.querySelector('h1').innerText === 'Welcome back'")
    (came,) = software.came
    assert came.args.to_dict() == {"accountingOfficeConsentId": str(consent.uuid), "state": "s &=1"}
    assert "Referer" not in came.headers
    assert Consent.objects.get(pk=consent.pk).status == "allowed"

    engine.open(f"{portal}/offices/{there.janssens.slug}/consents/{consent.uuid}/cancel")
    _looks_right(engine)
    _press(engine, "[name=understood]")
    _press(engine, "main button[type=submit]")
    engine.wait_for("document.querySelector('h1').innerText === 'Consent cancelled'")
    _looks_right(engine)
    assert Consent.objects.get(pk=consent.pk).status == "cancelled"


def _press(engine: Engine, selector: str) -> None:
    """Once the form takes clicks: for a moment after it appears it does not."""
    engine.wait_for("!document.querySelector('[inert]')")
    engine.click(selector)


def _looks_right(engine: Engine) -> None:
    """The styles are there, and nothing is wider than the window."""
    assert engine.run("return [...document.styleSheets].every(sheet => sheet.cssRules.length > 0)")
    wide = engine.run("return document.scrollingElement.scrollWidth - window.innerWidth")
    assert wide <= 0, f"{engine.url} is {wide} px too wide"
