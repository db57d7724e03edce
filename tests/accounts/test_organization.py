"""Administration > Organization, and the mails to the Admins about changes among people."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.test import Client as Browser

from accounts.letters import tell_admins
from accounts.models import Invitation, Membership, MembershipEvent, Office, User
from tests import factories
from tests.accounts.people import add_app, logged_in
from tests.conftest import Cast

SAID = {
    "name": "Janssens & Zonen",
    "contact": "An",
    "email": "hello@office.example",
    "phone": "+32 2 123 45 67",
}


@pytest.fixture
def an(cast: Cast) -> Browser:
    return logged_in(cast.an)


def path(cast: Cast) -> str:
    return f"/offices/{cast.janssens.slug}/organization"


def test_an_changes_name_and_contact_and_never_the_number(cast: Cast, an: Browser) -> None:
    page = an.get(path(cast)).content.decode()
    assert cast.janssens.company_number in page
    answer = an.post(path(cast), {**SAID, "company_number": "0100509123", "slug": "x"})
    assert (answer.status_code, answer.url) == (303, path(cast))
    office = Office.objects.get(pk=cast.janssens.pk)
    assert {name: getattr(office, name) for name in SAID} == SAID
    assert (office.company_number, office.slug) == (
        cast.janssens.company_number,
        cast.janssens.slug,
    )
    assert not MembershipEvent.objects.exists()


@pytest.mark.parametrize("wrong", [{"name": ""}, {"email": "x"}, {"phone": "1" * 31}])
def test_a_mistake_is_told_and_nothing_is_changed(cast: Cast, an: Browser, wrong: Any) -> None:
    answer = an.post(path(cast), {**SAID, **wrong})
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
    cast: Cast, an: Browser
) -> None:
    an.post(path(cast), {**SAID, "second_factor_required": "on"})
    assert an.get(path(cast)).status_code == 403
    add_app(an)
    assert an.get(path(cast)).status_code == 200
    an.post(path(cast), SAID)
    kinds = MembershipEvent.objects.order_by("pk").values_list("kind", "by_name")
    assert list(kinds) == [("factor_asked", "An"), ("factor_free", "An")]


def test_the_settings_ask_for_the_password_when_the_login_is_old(cast: Cast, an: Browser) -> None:
    session = an.session
    key = "account_authentication_methods"
    session[key] = [{**record, "at": record["at"] - 901} for record in session[key]]
    session.save()
    assert an.post(path(cast), SAID).url.startswith("/accounts/reauthenticate/")
    assert Office.objects.get(pk=cast.janssens.pk).name == cast.janssens.name


def happen(cast: Cast, kind: str) -> MembershipEvent:
    """Let something happen to Bram, or to Nora who was invited."""
    bram = Membership.objects.get(user=cast.bram)
    if kind == "joined":
        nora = factories.make_person("Nora")
        invitation = Invitation.objects.invite(
            cast.janssens, cast.an, email=nora.email, role="user", language="nl"
        )
        invitation.accept(nora)
    elif kind == "role_changed":
        bram.change_role("admin", cast.an)
    elif kind == "removed":
        bram.remove(cast.an)
    else:
        bram.leave()
    return MembershipEvent.objects.get(kind=kind)


@pytest.mark.parametrize("language", ["en", "nl", "fr", "de"])
@pytest.mark.parametrize("kind", ["joined", "role_changed", "removed", "left"])
def test_the_other_admins_are_told_in_their_language(cast: Cast, kind: str, language: str) -> None:
    bea = factories.make_person("Bea", cast.janssens, language=language)
    factories.make_person("Mute", cast.janssens, muted=["people"])
    event = happen(cast, kind)
    mail.outbox.clear()
    tell_admins(event)
    told = {sent.to[0]: sent for sent in mail.outbox}
    acting_admin = set() if kind in ("joined", "left") else {cast.an.email}
    assert set(told) == {bea.email, cast.an.email} - acting_admin
    sent: Any = told[bea.email]
    assert event.email in sent.body
    assert cast.janssens.name in sent.subject
    assert f'<html lang="{language}">' in sent.alternatives[0][0]
    assert f"/offices/{cast.janssens.slug}/users" in sent.body


def test_four_languages_are_four_texts(cast: Cast) -> None:
    event, subjects = happen(cast, "left"), set()
    for language in ("en", "nl", "fr", "de"):
        User.objects.filter(pk=cast.an.pk).update(language=language)
        tell_admins(event)
        subjects.add(mail.outbox[-1].subject)
    assert len(subjects) == 4
