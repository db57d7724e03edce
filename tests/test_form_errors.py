"""An empty or wrong field says what belongs there, in words of ours and not in Django's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.conf import settings
from django.utils import translation
from django.utils.module_loading import import_string

import accounts.forms
import clients.forms
import consents.forms
import documents.forms
from accounts.login.empty_fields import ENTER
from clients.forms import TransferForm
from consents.forms import PauseForm
from tests.conftest import Cast

OURS = [accounts.forms, clients.forms, consents.forms, documents.forms]
OF_ALLAUTH = {**settings.ACCOUNT_FORMS, **settings.MFA_FORMS}


def fields_of_our_forms() -> Iterator[tuple[str, forms.Field]]:
    for module in OURS:
        for form in vars(module).values():
            if isinstance(form, type) and issubclass(form, forms.Form):
                for name, field in form.base_fields.items():
                    yield f"{form.__name__}.{name}", field


def is_typed(field: forms.Field) -> bool:
    """People write into it; a choice can only be wrong if somebody forges the request."""
    return isinstance(field, forms.CharField | forms.BooleanField) and not field.widget.is_hidden


def test_every_field_that_must_be_filled_in_says_so_itself() -> None:
    django = forms.Field.default_error_messages["required"]
    silent = [
        name
        for name, field in fields_of_our_forms()
        if field.required and is_typed(field) and field.error_messages["required"] == django
    ]
    assert silent == []


def test_every_address_and_every_date_says_how_it_is_written() -> None:
    silent = [
        name
        for name, field in fields_of_our_forms()
        if isinstance(field, forms.EmailField | forms.DateField | forms.DateTimeField)
        and field.error_messages.get("invalid")
        in (None, type(field).default_error_messages.get("invalid"))
    ]
    assert silent == []


@pytest.mark.parametrize("path", sorted(set(OF_ALLAUTH.values())))
def test_the_forms_of_the_login_say_what_to_enter(path: str) -> None:
    form: Any = import_string(path)
    known = [name for name in form.base_fields if not form.base_fields[name].widget.is_hidden]
    assert {name for name in known if form.base_fields[name].required} <= set(ENTER)


def test_anna_reads_in_dutch_what_is_missing(cast: Cast) -> None:
    from django.test import Client as Browser

    with translation.override("nl"):
        page = Browser(headers={"Accept-Language": "nl"}).post(
            "/accounts/login/", {"login": "anna at janssens", "password": ""}
        )
    said = page.content.decode()
    assert "Vul een e-mailadres in, bijvoorbeeld naam@kantoor.be." in said
    assert "Vul je wachtwoord in." in said


@pytest.mark.parametrize("day", ["31/12/2099", "31-12-2099", "31.12.2099", "2099-12-31"])
def test_a_day_is_accepted_as_people_write_it(cast: Cast, day: str) -> None:
    pause = PauseForm({"until": day})
    assert pause.is_valid(), pause.errors
    transfer = TransferForm(
        {"preferred_at": f"{day} 08:00", "understood": "on", "number": "1"}, office=cast.janssens
    )
    transfer.is_valid()
    # It is understood; only too far away.
    (wrong,) = transfer.errors["preferred_at"]
    assert wrong == "Choose a date and time within the next 12 months."
