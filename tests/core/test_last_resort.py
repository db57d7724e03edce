"""What nobody expected: a page with 503 where the same request may work in a moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client as Browser
from django.urls import reverse

from accounts.models import Office
from core.http import TRY_AGAIN_IN
from core.locks import Lock, hold
from tests.accounts.people import logged_in
from tests.conftest import Cast

pytestmark = pytest.mark.requirement(106)


@contextmanager
def office_held(office: Office) -> Iterator[None]:
    """Another connection holds the row of the office all the while."""
    held, done = threading.Event(), threading.Event()

    def keep() -> None:
        with transaction.atomic():
            hold(Office, office.pk, lock=Lock.END)
            held.set()
            done.wait(30)
        connection.close()

    other = threading.Thread(target=keep)
    other.start()
    try:
        assert held.wait(30)
        yield
    finally:
        done.set()
        other.join()


def invite(browser: Browser, people: Cast, email: str) -> Any:
    form = {"email": email, "role": "user", "language": "en"}
    return browser.post(reverse("accounts:invite", args=[people.janssens.slug]), form)


def test_anna_is_asked_to_come_back_when_the_database_gave_up(people: Cast) -> None:
    anna = logged_in(people.anna)
    anna.raise_request_exception = False
    email = f"new.{people.janssens.slug}@office.example"
    with office_held(people.janssens), connection.cursor() as cursor:
        cursor.execute("set lock_timeout = '100ms'")
        answer = invite(anna, people, email)
        cursor.execute("reset lock_timeout")
    assert answer.status_code == 503
    assert answer["Retry-After"] == str(TRY_AGAIN_IN)
    assert b"Try again in a few minutes" in answer.content
    assert not people.janssens.invitations.exists()
    assert invite(anna, people, email).status_code == 303


def test_a_fault_of_ours_is_no_reason_to_come_back(
    people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting that nobody can have: the page cannot be made."""
    anna = logged_in(people.anna)
    anna.raise_request_exception = False
    monkeypatch.setattr("consents.views.manage.PAGE", "many")
    answer = anna.get(reverse("consents:overview", args=[people.janssens.slug]))
    assert answer.status_code == 500
    assert "Retry-After" not in answer
