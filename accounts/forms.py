"""What people fill in about people."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from accounts.models import LANGUAGES, Office, Role, User
from accounts.topics import Topic


class InviteForm(forms.Form):
    email = forms.EmailField(label=_("E-mail address"), max_length=254)
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)
    language = forms.ChoiceField(label=_("Language of the mail"), choices=LANGUAGES)


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)


class MeForm(forms.Form):
    name = forms.CharField(label=_("Your name"), max_length=120)
    language = forms.ChoiceField(
        label=_("Language"), required=False, choices=[("", _("As my browser")), *LANGUAGES]
    )
    mails = forms.MultipleChoiceField(label=_("Mail me when"), required=False, choices=Topic)


class AddressForm(forms.Form):
    email = forms.EmailField(label=_("New e-mail address"), max_length=254)


class OrganizationForm(forms.Form):
    """What an Admin may change about her office."""

    name = forms.CharField(label=_("Name of the office"), max_length=120)
    contact = forms.CharField(label=_("Contact person"), max_length=120, required=False)
    email = forms.EmailField(label=_("E-mail address"), max_length=254, required=False)
    phone = forms.CharField(label=_("Telephone"), max_length=30, required=False)
    second_factor_required = forms.BooleanField(
        required=False, label=_("Admins need a second factor besides their password")
    )
    decisions_to_all = forms.BooleanField(
        required=False, label=_("Mail every decision to all Admins, whatever they switched off")
    )

    def __init__(self, *args: Any, office: Office, **kwargs: Any) -> None:
        kwargs["initial"] = {name: getattr(office, name) for name in self.base_fields}
        super().__init__(*args, **kwargs)


class JoinForm(forms.Form):
    """Name and password of somebody who comes for the first time; the address is fixed."""

    name = forms.CharField(label=_("Your name"), max_length=120)
    password = forms.CharField(label=_("Password"), max_length=256, strip=False)

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, User(email=self.email, name=self.cleaned_data.get("name", "")))
        return password
