"""What the tests about people share: fresh logins, links in mails, colleagues."""

from __future__ import annotations

import re
import time
from typing import Any

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.http import HttpResponse
from django.test import Client as Browser
from django.test import RequestFactory

from accounts.login.sessions import remember_browser
from accounts.models import User
from tests.factories import PASSWORD


def log_in(browser: Browser, person: User, **data: str) -> Any:
    """Log in by password, as the login screen does; decisions need no second asking."""
    fields = {"login": person.email, "password": PASSWORD, **data}
    return browser.post("/accounts/login/", fields)


def logged_in(person: User) -> Browser:
    """A browser that the person used before, after the login: no e-mail tells of a new one."""
    browser = Browser()
    known = HttpResponse()
    remember_browser(RequestFactory().get("/"), known, person)
    browser.cookies.update(known.cookies)
    answer = log_in(browser, person)
    assert answer.status_code == 302, answer.content
    return browser


def without_number(page: str) -> str:
    """A page without the random number of its request, which error pages show."""
    return re.sub(r"mention this number: [0-9a-f-]{36}", "", page)


def newest_link() -> str:
    """The path of the link in the newest mail."""
    found = re.search(r"https?://[^/\s]+(/invitation/\S+)", str(mail.outbox[-1].body))
    assert found
    return found.group(1)


def code_now(secret: str) -> str:
    """What an authenticator app with this key shows now."""
    left = 30 - time.time() % 30
    if left < 3:  # the answer must come while the code still counts
        time.sleep(left)
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


def add_app(browser: Browser, path: str = "/accounts/app/add/", **data: str) -> tuple[str, Any]:
    """Add an authenticator app; gives its key and the answer."""
    secret = browser.get(path).context["form"].secret
    return secret, browser.post(path, {"code": code_now(secret), **data})
