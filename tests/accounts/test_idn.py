"""An address finds its account in every spelling of its domain, and people read their own."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client as Browser

from accounts.forms import EmailForm
from accounts.login.email_change import EmailChange
from accounts.models import Invitation, User
from core.email_address import canonical_email, readable_email
from tests import factories
from tests.accounts.people import log_in, logged_in, newest_link
from tests.conftest import Cast
from tests.factories import PASSWORD

pytestmark = pytest.mark.usefixtures("quick_worker")

# What people write, what Chromium sends, and what somebody types in a hurry.
WRITTEN, SENT = "info@bücher.example", "info@xn--bcher-kva.example"
SPELLINGS = [WRITTEN, SENT, "info@BÜCHER.Example", "Info@XN--BCHER-KVA.example"]


@pytest.mark.parametrize("spelling", SPELLINGS[:3])
def test_one_spelling_is_stored_and_another_is_read(spelling: str) -> None:
    assert canonical_email(spelling) == SENT
    assert readable_email(SENT) == WRITTEN


@pytest.mark.parametrize(
    "address", ["anna@office.example", "anna@straße.example", "a@[192.0.2.1]", "a@localhost", "a@"]
)
def test_the_canonical_spelling_of_a_canonical_spelling_is_itself(address: str) -> None:
    assert canonical_email(canonical_email(address)) == canonical_email(address)
    assert readable_email(canonical_email(address)) == address


def test_the_letter_that_browsers_keep_is_kept() -> None:
    assert canonical_email("a@straße.example") == "a@xn--strae-oqa.example"


@pytest.mark.parametrize("made", SPELLINGS)
@pytest.mark.parametrize("entered", SPELLINGS)
def test_every_spelling_logs_in(cast: Cast, made: str, entered: str) -> None:
    nora = factories.make_person("Nora", cast.janssens, email=made)
    assert nora.email.endswith("@xn--bcher-kva.example")
    assert log_in(Browser(), nora, login=entered).status_code == 302


@pytest.mark.parametrize("entered", SPELLINGS)
def test_every_spelling_resets_the_password(cast: Cast, entered: str) -> None:
    factories.make_person("Nora", cast.janssens, email=WRITTEN)
    Browser().post("/accounts/password/reset/", {"email": entered})
    assert [message.to for message in mail.outbox] == [[SENT]]


def invite(cast: Cast, email: str) -> Any:
    fields = {"email": email, "role": "user", "language": "nl"}
    return logged_in(cast.anna).post(f"/offices/{cast.janssens.slug}/users/invite", fields)


def test_two_spellings_are_one_person(cast: Cast) -> None:
    for spelling in SPELLINGS:
        invite(cast, spelling)
    assert [one.email for one in Invitation.objects.filter(office=cast.janssens)] == [SENT]
    factories.make_person("Nora", email=WRITTEN)
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.make_person("Nora", email=SENT)


def test_nora_is_invited_joins_and_logs_in_and_anna_reads_the_address(cast: Cast) -> None:
    invite(cast, WRITTEN)
    people = f"/offices/{cast.janssens.slug}/users"
    assert WRITTEN in logged_in(cast.anna).get(people).content.decode()
    nora, link = Browser(), newest_link()
    page = nora.get(link).content.decode()
    assert WRITTEN in page
    assert SENT not in page
    assert nora.post(link, {"name": "Nora", "password": PASSWORD}).status_code == 303
    assert WRITTEN in nora.get("/me").content.decode()
    nora.post("/accounts/logout/")
    assert log_in(nora, cast.anna, login=SENT).status_code == 302
    page = logged_in(cast.anna).get(people).content.decode()
    assert WRITTEN in page
    assert SENT not in page


def test_anna_changes_to_such_an_address(cast: Cast) -> None:
    change = EmailChange(cast.anna, EmailForm.base_fields["email"].clean(WRITTEN), "new")
    change.make()
    assert User.objects.get(pk=cast.anna.pk).email == SENT
    for spelling in SPELLINGS:
        assert log_in(Browser(), cast.anna, login=spelling).status_code == 302
