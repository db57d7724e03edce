"""Personal info: name, language, mails, offices."""

from __future__ import annotations

import re

from django.test import Client as Browser

from accounts.models import User
from accounts.topics import Topic
from tests import factories
from tests.accounts.people import logged_in
from tests.conftest import Cast


def test_an_changes_name_and_language_and_never_her_address(cast: Cast) -> None:
    an = logged_in(cast.an)
    page = an.get("/me").content.decode()
    assert cast.an.email in page
    assert cast.janssens.name in page
    answer = an.post("/me", {"name": "Anneke", "language": "nl", "email": "x@evil.example"})
    assert (answer.status_code, answer.url) == (303, "/me")
    changed = User.objects.get(pk=cast.an.pk)
    assert (changed.name, changed.language) == ("Anneke", "nl")
    assert set(changed.muted) == set(Topic.values)
    assert changed.email == cast.an.email
    assert "Je keuzes zijn opgeslagen." in an.get("/me").content.decode()


def test_without_a_choice_the_browser_chooses_again(cast: Cast) -> None:
    User.objects.filter(pk=cast.an.pk).update(language="nl")
    an = logged_in(cast.an)
    an.post("/me", {"name": "An", "language": ""})
    assert '<html lang="fr"' in an.get("/me", HTTP_ACCEPT_LANGUAGE="fr").content.decode()


def test_a_name_cannot_be_empty_and_a_language_must_be_one_of_ours(cast: Cast) -> None:
    an = logged_in(cast.an)
    for wrong in (
        {"name": "", "language": "nl"},
        {"name": "An", "language": "xx"},
        {"name": "x" * 121},
    ):
        assert an.post("/me", wrong).status_code == 200
    assert User.objects.get(pk=cast.an.pk).name == "An"


def test_bram_is_not_asked_about_mails_for_admins_and_keeps_his_choice(cast: Cast) -> None:
    User.objects.filter(pk=cast.bram.pk).update(muted=[Topic.PEOPLE])
    bram = logged_in(cast.bram)
    page = bram.get("/me").content.decode()
    assert "Mail me when" not in page
    kept = re.findall(r'type="hidden" name="mails" value="(\w+)"', page)
    bram.post("/me", {"name": "Bram", "language": "", "mails": kept})
    assert User.objects.get(pk=cast.bram.pk).muted == [Topic.PEOPLE]
    assert "Mail me when" in logged_in(cast.an).get("/me").content.decode()


def test_a_person_without_office_has_a_page_as_well(cast: Cast) -> None:
    assert logged_in(factories.make_person("Nobody")).get("/me").status_code == 200
    assert Browser().get("/me").url == "/accounts/login/?next=/me"
