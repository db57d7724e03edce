"""What the tests about people share: fresh logins, links in mails, colleagues."""

from __future__ import annotations

import re
import time
from typing import Any

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.test import Client as Browser

from accounts.models import User
from tests.factories import PASSWORD


def log_in(browser: Browser, person: User, **data: str) -> Any:
    """Log in by password, as the login screen does; decisions need no second asking."""
    fields = {"login": person.email, "password": PASSWORD, **data}
    return browser.post("/accounts/login/", fields)


def logged_in(person: User) -> Browser:
    """A fresh browser after the login; the mail about the new device is taken out of the way."""
    browser = Browser()
    answer = log_in(browser, person)
    assert answer.status_code == 302, answer.content
    if "_auth_user_id" in browser.session:
        assert mail.outbox.pop().to == [person.email]
    return browser


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
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def add_app(browser: Browser, path: str = "/accounts/app/add/", **data: str) -> tuple[str, Any]:
    """Add an authenticator app; gives its key and the answer."""
    secret = browser.get(path).context["form"].secret
    return secret, browser.post(path, {"code": code_now(secret), **data})
