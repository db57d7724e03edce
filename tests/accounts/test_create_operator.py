"""`manage.py create_operator`: from nothing to an operator with a password and no open door."""

from __future__ import annotations

import re

import pytest
from django.core.management import CommandError, call_command
from django.test import Client as Browser

from accounts.models import User
from tests import factories
from tests.conftest import Cast

pytestmark = pytest.mark.django_db
ADDRESS = "eva@portal.example"


def link_of(capsys: pytest.CaptureFixture[str], name: str = "Eva") -> str:
    call_command("create_operator", ADDRESS, name)
    found = re.search(
        r"http://localhost:8000(/accounts/password/reset/key/\S+)", capsys.readouterr().out
    )
    assert found is not None
    return found[1]


def test_eva_chooses_her_password_by_the_link(capsys: pytest.CaptureFixture[str]) -> None:
    link = link_of(capsys)
    eva = User.objects.get(email=ADDRESS)
    assert (eva.is_staff, eva.is_superuser, eva.name) == (True, True, "Eva")
    assert not eva.has_usable_password()
    browser = Browser()
    form = browser.get(link)
    assert form.status_code == 302
    chosen = {"password1": factories.PASSWORD, "password2": factories.PASSWORD}
    assert browser.post(form["Location"], chosen).status_code == 302
    eva.refresh_from_db()
    assert eva.check_password(factories.PASSWORD)
    # The link is used up, and the account cannot be opened anew.
    assert Browser().get(link).status_code == 200
    with pytest.raises(CommandError, match="has an account already"):
        call_command("create_operator", ADDRESS, "Eva")


def test_who_missed_the_hour_gets_another_link(capsys: pytest.CaptureFixture[str]) -> None:
    link_of(capsys)
    assert link_of(capsys)
    assert User.objects.filter(email=ADDRESS).count() == 1


def test_office_staff_are_not_made_operators(cast: Cast) -> None:
    with pytest.raises(CommandError, match="has an account already"):
        call_command("create_operator", cast.anna.email, "Anna")
    cast.anna.refresh_from_db()
    assert not cast.anna.is_staff


@pytest.mark.parametrize(("email", "name"), [("no address", "Eva"), (ADDRESS, "")])
def test_what_is_no_address_or_name_is_a_sentence(email: str, name: str) -> None:
    with pytest.raises(CommandError):
        call_command("create_operator", email, name)
    assert not User.objects.filter(is_staff=True, email=email).exists()
