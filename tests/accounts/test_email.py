"""Another e-mail address: both mailboxes say yes, or nothing changes."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client as Browser
from django.utils import timezone

from accounts.models import User
from tests.accounts.people import log_in, logged_in
from tests.conftest import Cast

pytestmark = pytest.mark.usefixtures("quick_worker")

NEW = "anna.new@office.example"


def link_to(mailbox: str) -> str:
    """The path of the link in the newest mail to this address."""
    sent = [str(message.body) for message in mail.outbox if message.to == [mailbox]][-1]
    found = re.search(r"https?://[^/\s]+(/me/email/\S+)", sent)
    assert found
    return found.group(1)


@pytest.fixture
def anna(cast: Cast) -> Browser:
    return logged_in(cast.anna)


def ask(browser: Browser, cast: Cast, new: str = NEW) -> str:
    """Ask for another address; gives the link in the old mailbox."""
    assert browser.post("/me/email", {"email": new}).status_code == 303
    return link_to(cast.anna.email)


def address_of_anna(cast: Cast) -> str:
    return User.objects.get(pk=cast.anna.pk).email


def test_anna_has_a_new_address_once_both_mailboxes_said_yes(cast: Cast, anna: Browser) -> None:
    old = cast.anna.email
    first = ask(anna, cast)
    assert [message.to for message in mail.outbox][-1:] == [[old]]
    page = anna.get(first).content.decode()
    assert old in page
    assert NEW in page
    assert anna.post(first).status_code == 303
    second = link_to(NEW)
    assert address_of_anna(cast) == old
    mail.outbox.clear()
    assert anna.post(second, follow=True).redirect_chain == [("/me", 303)]
    assert address_of_anna(cast) == NEW
    assert {message.to[0] for message in mail.outbox} == {old, NEW}
    event = cast.janssens.office_events.get(kind="email_changed")
    assert (event.person, event.email) == (cast.anna, NEW)
    assert log_in(Browser(), cast.anna).status_code == 200  # the old address
    assert log_in(Browser(), cast.anna, login=NEW).status_code == 302


def test_looking_at_a_link_changes_nothing(cast: Cast, anna: Browser) -> None:
    first = ask(anna, cast)
    before = len(mail.outbox)
    anna.get(first)
    anna.get(first)
    assert len(mail.outbox) == before
    assert address_of_anna(cast) == cast.anna.email


def test_the_new_mailbox_alone_is_not_enough(cast: Cast, anna: Browser) -> None:
    ask(anna, cast)
    assert [message for message in mail.outbox if message.to == [NEW]] == []


def test_a_used_an_old_and_a_broken_link_say_so(cast: Cast, anna: Browser) -> None:
    first = ask(anna, cast)
    anna.post(first)
    second = link_to(NEW)
    with time_machine.travel(timezone.now() + timedelta(hours=24, minutes=1)):
        late = logged_in(cast.anna)
        assert late.post(first).status_code == late.post(second).status_code == 410
    assert anna.get(second + "x").status_code == 410
    anna.post(second)
    for link in (first, second):
        answer = anna.post(link)
        assert answer.status_code == 410
        assert "no longer works" in answer.content.decode()
    assert cast.janssens.office_events.filter(kind="email_changed").count() == 1


def test_a_link_serves_only_the_person_who_asked(cast: Cast, anna: Browser) -> None:
    first = ask(anna, cast)
    assert logged_in(cast.bram).post(first).status_code == 410
    assert Browser().get(first)["Location"].startswith("/accounts/login/")


def test_a_new_password_kills_the_links(cast: Cast, anna: Browser) -> None:
    first = ask(anna, cast)
    person = User.objects.get(pk=cast.anna.pk)
    person.set_password("another long sentence")
    person.save()
    again = Browser()
    log_in(again, person, password="another long sentence")
    assert again.post(first).status_code == 410


def test_the_address_of_somebody_else_is_told_to_the_holder_of_the_mailbox_only(
    cast: Cast, anna: Browser
) -> None:
    free, taken = (
        anna.post("/me/email", {"email": wanted}, follow=True).content
        for wanted in (NEW, cast.chloe.email)
    )
    strip = re.compile(rb'value="[^"]+"')
    assert strip.sub(b"", free) == strip.sub(b"", taken)
    anna.post(link_to(cast.anna.email))
    answer = anna.post(link_to(cast.chloe.email))
    assert answer.status_code == 409
    assert "already has an account" in answer.content.decode()
    assert address_of_anna(cast) == cast.anna.email
    assert User.objects.filter(email=cast.chloe.email).get() == cast.chloe


def test_bad_input_is_told(cast: Cast, anna: Browser) -> None:
    for wrong in ("", "no address", "a" * 250 + "@office.example"):
        answer = anna.post("/me/email", {"email": wrong})
        assert answer.status_code == 200
        assert 'aria-invalid="true"' in answer.content.decode()
    assert [message for message in mail.outbox if "/me/email/" in str(message.body)] == []


@pytest.mark.requirement(108)
def test_asking_again_and_again_ends(cast: Cast, anna: Browser) -> None:
    answers = [anna.post("/me/email", {"email": NEW}).status_code for _n in range(6)]
    assert answers == [303] * 5 + [429]
