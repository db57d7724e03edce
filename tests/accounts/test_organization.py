"""Administration > Organization, and the mails to the Admins about changes among people."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.test import Client as Browser

from accounts.emails import send_people_changed
from accounts.models import Invitation, Membership, Office, OfficeEvent, User
from mailer.models import OutgoingEmail
from tests import factories
from tests.accounts.people import add_app, logged_in
from tests.conftest import Cast

pytestmark = pytest.mark.usefixtures("quick_worker")

SAID = {
    "name": "Janssens & Zonen",
    "contact": "Anna",
    "email": "hello@office.example",
    "phone": "+32 2 123 45 67",
}


@pytest.fixture
def anna(cast: Cast) -> Browser:
    return logged_in(cast.anna)


def path(cast: Cast) -> str:
    return f"/offices/{cast.janssens.slug}/organization"


@pytest.mark.requirement(53)
def test_anna_changes_name_and_contact_and_never_the_number(cast: Cast, anna: Browser) -> None:
    page = anna.get(path(cast)).content.decode()
    assert cast.janssens.company_number in page
    answer = anna.post(path(cast), {**SAID, "company_number": "0100509123", "slug": "x"})
    assert (answer.status_code, answer["Location"]) == (303, path(cast))
    office = Office.objects.get(pk=cast.janssens.pk)
    assert {name: getattr(office, name) for name in SAID} == SAID
    assert (office.company_number, office.slug) == (
        cast.janssens.company_number,
        cast.janssens.slug,
    )
    assert not OfficeEvent.objects.exists()


@pytest.mark.parametrize("wrong", [{"name": ""}, {"email": "x"}, {"phone": "1" * 31}])
def test_a_mistake_is_told_and_nothing_is_changed(cast: Cast, anna: Browser, wrong: Any) -> None:
    answer = anna.post(path(cast), {**SAID, **wrong})
    assert answer.status_code == 200
    assert "aria-invalid" in answer.content.decode()
    assert Office.objects.get(pk=cast.janssens.pk).name == cast.janssens.name


def test_bram_and_chloe_change_nothing(cast: Cast) -> None:
    assert logged_in(cast.bram).post(path(cast), SAID).status_code == 403
    assert logged_in(cast.chloe).post(path(cast), SAID).status_code == 404
    with pytest.raises(PermissionDenied):
        cast.janssens.change(cast.bram, **SAID, second_factor_required=True)
    assert Office.objects.get(pk=cast.janssens.pk).name == cast.janssens.name


def test_asking_for_a_second_factor_holds_at_the_next_click_and_is_written_down(
    cast: Cast, anna: Browser
) -> None:
    anna.post(path(cast), {**SAID, "second_factor_required": "on"})
    assert anna.get(path(cast)).status_code == 403
    add_app(anna)
    assert anna.get(path(cast)).status_code == 200
    anna.post(path(cast), SAID)
    kinds = OfficeEvent.objects.order_by("pk").values_list("kind", "by_name")
    assert list(kinds) == [("factor_asked", "Anna"), ("factor_free", "Anna")]


def test_the_settings_ask_for_the_password_when_the_login_is_old(cast: Cast, anna: Browser) -> None:
    session = anna.session
    key = "account_authentication_methods"
    session[key] = [{**record, "at": record["at"] - 901} for record in session[key]]
    session.save()
    assert anna.post(path(cast), SAID)["Location"].startswith("/accounts/reauthenticate/")
    assert Office.objects.get(pk=cast.janssens.pk).name == cast.janssens.name


def happen(cast: Cast, kind: str) -> OfficeEvent:
    """Let something happen to Bram, or to Nora who was invited."""
    bram = Membership.objects.get(user=cast.bram)
    if kind == "joined":
        nora = factories.make_person("Nora")
        invitation = Invitation.objects.invite(
            cast.janssens, cast.anna, email=nora.email, role="user", language="nl"
        )
        invitation.accept(nora)
    elif kind == "role_changed":
        bram.change_role("admin", cast.anna)
    elif kind == "removed":
        bram.remove(cast.anna)
    else:
        bram.leave()
    return OfficeEvent.objects.get(kind=kind)


@pytest.mark.parametrize("language", ["en", "nl", "fr", "de"])
@pytest.mark.parametrize("kind", ["joined", "role_changed", "removed", "left"])
def test_the_other_admins_are_told_in_their_language(cast: Cast, kind: str, language: str) -> None:
    bea = factories.make_person("Bea", cast.janssens, language=language)
    factories.make_person("Mute", cast.janssens, muted_notifications=["people"])
    event = happen(cast, kind)
    OutgoingEmail.objects.all().delete()
    mail.outbox.clear()
    send_people_changed(event)
    told = {sent.to[0]: sent for sent in mail.outbox}
    acting_admin = set() if kind in ("joined", "left") else {cast.anna.email}
    assert set(told) == {bea.email, cast.anna.email} - acting_admin
    sent: Any = told[bea.email]
    assert event.email in sent.body
    assert cast.janssens.name in sent.subject
    assert f'<html lang="{language}">' in sent.alternatives[0][0]
    assert f"/offices/{cast.janssens.slug}/users" in sent.body


def test_four_languages_are_four_texts(cast: Cast) -> None:
    event, subjects = happen(cast, "left"), set()
    for language in ("en", "nl", "fr", "de"):
        User.objects.filter(pk=cast.anna.pk).update(language=language)
        OutgoingEmail.objects.all().delete()
        send_people_changed(event)
        subjects.add(mail.outbox[-1].subject)
    assert len(subjects) == 4
