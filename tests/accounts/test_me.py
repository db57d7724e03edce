"""Personal info: name, language, mails, offices."""

from __future__ import annotations

import re

import pytest
from django.test import Client as Browser

from accounts.models import User
from accounts.notification_preferences import NotificationPreference
from tests import factories
from tests.accounts.people import logged_in
from tests.conftest import Cast


@pytest.mark.requirement(53)
def test_anna_changes_name_and_language_and_never_the_address(cast: Cast) -> None:
    anna = logged_in(cast.anna)
    page = anna.get("/me").content.decode()
    assert cast.anna.email in page
    assert cast.janssens.name in page
    answer = anna.post("/me", {"name": "Anneke", "language": "nl", "email": "x@evil.example"})
    assert (answer.status_code, answer["Location"]) == (303, "/me")
    changed = User.objects.get(pk=cast.anna.pk)
    assert (changed.name, changed.language) == ("Anneke", "nl")
    assert set(changed.muted_notifications) == set(NotificationPreference.values)
    assert changed.email == cast.anna.email
    assert "Je wijzigingen zijn opgeslagen." in anna.get("/me").content.decode()


def test_without_a_choice_the_browser_chooses_again(cast: Cast) -> None:
    User.objects.filter(pk=cast.anna.pk).update(language="nl")
    anna = logged_in(cast.anna)
    anna.post("/me", {"name": "Anna", "language": ""})
    assert '<html lang="fr"' in anna.get("/me", HTTP_ACCEPT_LANGUAGE="fr").content.decode()


def test_a_name_cannot_be_empty_and_a_language_must_be_one_of_ours(cast: Cast) -> None:
    anna = logged_in(cast.anna)
    for wrong in (
        {"name": "", "language": "nl"},
        {"name": "Anna", "language": "xx"},
        {"name": "x" * 121},
    ):
        assert anna.post("/me", wrong).status_code == 200
    assert User.objects.get(pk=cast.anna.pk).name == "Anna"


def test_bram_is_not_asked_about_mails_for_admins_and_keeps_his_choice(cast: Cast) -> None:
    User.objects.filter(pk=cast.bram.pk).update(muted_notifications=[NotificationPreference.PEOPLE])
    bram = logged_in(cast.bram)
    page = bram.get("/me").content.decode()
    assert "Email notifications" not in page
    kept = re.findall(r'type="hidden" name="notifications" value="(\w+)"', page)
    bram.post("/me", {"name": "Bram", "language": "", "notifications": kept})
    assert User.objects.get(pk=cast.bram.pk).muted_notifications == [NotificationPreference.PEOPLE]
    assert "Email notifications" in logged_in(cast.anna).get("/me").content.decode()


def test_a_person_without_office_has_a_page_as_well(cast: Cast) -> None:
    assert logged_in(factories.make_person("Nobody")).get("/me").status_code == 200
    assert Browser().get("/me")["Location"] == "/accounts/login/?next=/me"
