"""Real Chromium against the running portal, at the width of a phone, in light and dark."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from django.conf import settings
from django.test import Client, override_settings
from playwright.sync_api import Browser, BrowserContext, Page, Route

from accounts.models import User
from tests.accounts.people import log_in
from tests.conftest import Cast
from tests.factories import PASSWORD

# Playwright's sync API runs an event loop in this thread, and Django refuses the database there.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# The shell is the same Chromium without a window around it: a context of its own costs a fifth.
CHROMIUM = next(
    filter(
        None,
        map(
            shutil.which,
            ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"),
        ),
    ),
    None,
)
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium found (Debian: apt install chromium-headless-shell)")
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    quiet = ["--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    return {"executable_path": CHROMIUM, "args": [*root, *quiet]}


@dataclass
class Visitor:
    """A person in front of a browser; `complaints` are what the console reported."""

    page: Page
    portal: str
    people: Cast
    complaints: list[str]
    scripts: bool = True

    def open(self, path: str) -> None:
        self.page.goto(f"{self.portal}{path}")

    def open_request(self) -> None:
        self.open(f"/consent/{self.people.consent.uuid}")

    def enter(self, person: User, path: str) -> None:
        """Open a page as somebody who logged in a moment ago, elsewhere than in this browser."""
        elsewhere = Client()
        assert log_in(elsewhere, person).status_code == 302
        session = elsewhere.cookies[settings.SESSION_COOKIE_NAME].value
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": self.portal}
        self.page.context.add_cookies([cookie])  # type: ignore[list-item]
        self.open(path)

    def log_in(self, person: User, password: str = PASSWORD) -> None:
        self.page.fill("[name=login]", person.email)
        self.page.fill("[name=password]", password)
        self.page.click("main button[type=submit]")
        self.page.wait_for_load_state()

    def choose(self, wish: str) -> None:
        """Press Allow or Deny on the first screen; allowing switches the terms on."""
        if wish == "allow":
            self.page.check("#id_accept_terms")
        button = self.page.locator(f"button[name=choice][value={wish}]")
        button.click()
        self.page.wait_for_url("**/confirm?**")

    def confirm(self) -> None:
        self.page.locator("main button[type=submit]").click()
        self.page.wait_for_load_state()

    def heading(self) -> str:
        return self.page.locator("h1").first.inner_text()

    def text(self) -> str:
        return self.page.locator("main").inner_text()

    def check_screen(self) -> None:
        """No violation of WCAG, no sideways scrolling, in light and dark, on phone and desk."""
        self.page.wait_for_load_state()  # a click waits for the page, not for its styles
        for size in (PHONE, DESK):
            self.page.set_viewport_size(size)  # type: ignore[arg-type]
            wide = self.page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth")
            assert wide <= 0, f"{self.page.url} is {wide} px too wide at {size['width']}"
            # axe is a script itself; the same screens are checked with scripts on.
            for scheme in ("light", "dark") if self.scripts else ():
                # Colours fade over, but for who prefers no motion: that saves the wait.
                self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                judge(self.page)
        self.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        self.page.emulate_media(color_scheme="light", reduced_motion="no-preference")

    def check_look(self, path: str, language: str, size: dict[str, int], scheme: str) -> None:
        """One screen in one language, width and colour, judged as in `check_screen`."""
        cookie = {"name": "portal_language", "value": language, "url": self.portal}
        self.page.context.add_cookies([cookie])  # type: ignore[list-item]
        self.page.set_viewport_size(size)  # type: ignore[arg-type]
        self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        self.open(path)
        assert self.page.locator("html").get_attribute("lang") == language, path
        wide = self.page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{path} is {wide} px too wide in {language} at {size['width']}"
        judge(self.page, f"{path} {language}")


def judge(page: Page, where: str = "") -> None:
    """No violation of WCAG on the page as it looks now."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE_SCRIPT)  # 570 kB: once a page is enough
    run = "axe.run({resultTypes: ['violations']}).then(({violations}) => ({violations}))"
    found = AxeResults(page.evaluate(run))
    assert found.violations_count == 0, f"{where}\n{found.generate_report()}"


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(browser: Browser, portal: str, people: Cast) -> Iterator[Visit]:
    """Open browsers of their own for as many people as a test needs."""
    contexts: list[BrowserContext] = []
    visitors: list[Visitor] = []

    def open_one(**options: Any) -> Visitor:
        options.setdefault("viewport", PHONE)
        options.setdefault("locale", "en-GB")
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        # The software's own site, so that the way back can be seen.
        context.route("https://software.example/**", _software)
        visitor = Visitor(page, portal, people, [], options.get("java_script_enabled", True))
        page.on("console", lambda message: _listen(visitor, message))
        page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        visitors.append(visitor)
        return visitor

    yield open_one
    for context in contexts:
        context.close()
    assert [complaint for v in visitors for complaint in v.complaints] == []


def _software(route: Route) -> None:
    referer = route.request.headers.get("referer", "none")
    route.fulfill(body=f"<title>back</title>referer: {referer}", content_type="text/html")


def _listen(visitor: Visitor, message: Any) -> None:
    """Everything the console calls an error, but for the status of a page we asked for."""
    expected = "the server responded with a status of 4"
    if message.type == "error" and expected not in message.text:
        visitor.complaints.append(message.text)


@pytest.fixture(params=[True, False], ids=["with-scripts", "without-scripts"])
def scripts(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def mailbox(portal: str, tmp_path: Path) -> Iterator[Path]:
    """Where a worker puts the mails of the running portal; the test is that worker."""
    files = {"EMAIL_BACKEND": "mailer.eml_files.EmlFiles", "PORTAL_MAIL_DIR": str(tmp_path)}
    with override_settings(PORTAL_URL=portal, **files):
        yield tmp_path
