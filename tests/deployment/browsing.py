"""A person at a browser without scripts: over real HTTP, with the forms that stand on the pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin, urlsplit
from uuid import UUID

import httpx
import lxml.html

from accounts.models import User
from tests.factories import PASSWORD

ASKS_WHO_SHE_IS = ("/accounts/login/", "/accounts/reauthenticate/")


class NotNow(Exception):
    """The portal gave no answer, or said that it cannot now; nothing is known of what it did."""


class Person:
    """`answers` are the statuses she met, 0 where the line broke."""

    def __init__(self, http: httpx.Client, url: str, user: User) -> None:
        self.http, self.url, self.user = http, url, user
        self.answers: list[int] = []

    def log_in(self) -> None:
        self.http.cookies.clear()
        answer = self.fill("/accounts/login/", login=self.user.email, password=PASSWORD)
        assert answer.status_code == 302, (answer.status_code, answer.text)

    def open(self, path: str) -> httpx.Response:
        return self._call("GET", path)

    def fill(self, path: str, **fields: str) -> httpx.Response:
        """Open a page, fill in the first form that has these fields, and send it.

        Where there is none the page itself is the answer: it says how things stand.
        """
        page = self.open(path)
        if page.status_code != 200:
            return page
        return self.send(page, **fields)

    def send(self, page: httpx.Response, **fields: str) -> httpx.Response:
        forms = lxml.html.fromstring(page.text).xpath("//main//form[@method='post']")
        form = next((form for form in forms if set(fields) <= _names(form)), None)
        if form is None:
            return page
        given = dict(form.form_values()) | fields
        target = urljoin(str(page.url), form.get("action") or str(page.url))
        return self._call("POST", target, data=given, headers={"Referer": str(page.url)})

    def choose(self, consent: UUID | str, wish: str) -> str | None:
        """Allow or deny on the first screen; gives the way to the second one.

        None where it was decided before: a former press of the button arrived after all.
        """
        accepted = {"accept_terms": "on"} if wish == "allow" else {}
        answer = self.fill(f"/consent/{consent}", choice=wish, **accepted)
        return answer.headers["Location"] if answer.status_code == 303 else None

    def confirm(self, second: str) -> bool:
        """The second screen; True when the portal said that it is done."""
        return is_done(self.fill(second))

    def decide(self, consent: UUID | str, wish: str) -> bool:
        second = self.choose(consent, wish)
        return second is not None and self.confirm(second)

    def cancel(self, slug: str, consent: UUID | str) -> bool:
        return is_done(self.fill(f"/offices/{slug}/consents/{consent}/cancel", understood="on"))

    def pause(self, slug: str, consent: UUID | str) -> bool:
        path = f"/offices/{slug}/consents/{consent}"
        answer = self.fill(f"{path}/pause", until="")
        return str(answer.headers.get("Location")) == path

    def leave_out(self, slug: str, consent: UUID | str, company_number: str) -> bool:
        """Share a company of the first page no more."""
        path = f"/offices/{slug}/consents/{consent}"
        page = self.open(f"{path}/scope")
        (form,) = lxml.html.fromstring(page.text).xpath("//main//form[.//*[@value='save']]")
        given: dict[str, list[str]] = {"press": ["save"]}
        for name, value in form.form_values():
            if (name, value) != ("companies", company_number):
                given.setdefault(name, []).append(value)
        answer = self._call("POST", f"{path}/scope", data=given, headers={"Referer": str(page.url)})
        return str(answer.headers.get("Location")) == path

    def _call(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            answer = self.http.request(method, urljoin(self.url, path), **options)
        except httpx.TransportError as error:
            self.answers.append(0)
            raise NotNow from error
        self.answers.append(answer.status_code)
        if answer.status_code >= 500:
            raise NotNow(answer.status_code)
        if urlsplit(answer.headers.get("Location", "")).path in ASKS_WHO_SHE_IS:
            # She was logged in for more than 15 minutes, or was in the middle of doing so again
            # when something died: once more, and from the beginning.
            self.log_in()
            raise NotNow
        return answer


def is_done(answer: httpx.Response) -> bool:
    """The portal says *see the result*: from here on it is a promise."""
    return answer.status_code == 303 and "fresh=1" in answer.headers["Location"]


def _names(form: Any) -> set[str]:
    return {field.get("name") for field in form.iter("input", "button", "textarea", "select")}
