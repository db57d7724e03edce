"""What the tests about people share: fresh logins, links in mails, colleagues."""

from __future__ import annotations

import re
from typing import Any

from django.core import mail
from django.test import Client as Browser

from accounts.models import User
from tests.factories import PASSWORD


def log_in(browser: Browser, person: User, **data: str) -> Any:
    """Log in by password, as the login screen does; decisions need no second asking."""
    fields = {"login": person.email, "password": PASSWORD, **data}
    return browser.post("/accounts/login/", fields)


def logged_in(person: User) -> Browser:
    browser = Browser()
    answer = log_in(browser, person)
    assert answer.status_code == 302, answer.content
    return browser


def newest_link() -> str:
    """The path of the link in the newest mail."""
    found = re.search(r"https?://[^/\s]+(/invitation/\S+)", str(mail.outbox[-1].body))
    assert found
    return found.group(1)
