"""The forms about people, invitations and offices."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from accounts.models import LANGUAGES, Office, Role, User
from accounts.notification_preferences import NotificationPreference
from core.email_address import EMAIL_ERRORS, CanonicalEmailFormField


class InviteForm(forms.Form):
    email = CanonicalEmailFormField(
        label=_("Email address"),
        max_length=254,
        error_messages=EMAIL_ERRORS | {"required": _("Enter an email address.")},
    )
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)
    language = forms.ChoiceField(label=_("Email language"), choices=LANGUAGES)


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)


class MeForm(forms.Form):
    name = forms.CharField(
        label=_("Your name"), max_length=120, error_messages={"required": _("Enter your name.")}
    )
    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=[("", _("Use my browser’s language")), *LANGUAGES],
    )
    notifications = forms.MultipleChoiceField(
        label=_("Email notifications"), required=False, choices=NotificationPreference
    )


class EmailForm(forms.Form):
    email = CanonicalEmailFormField(
        label=_("New email address"),
        max_length=254,
        error_messages=EMAIL_ERRORS | {"required": _("Enter the new email address.")},
    )


class OrganizationForm(forms.Form):
    """The data of the office that an Admin may change."""

    name = forms.CharField(
        label=_("Office name"), max_length=120, error_messages={"required": _("Enter a name.")}
    )
    contact = forms.CharField(label=_("Contact person"), max_length=120, required=False)
    email = forms.EmailField(
        label=_("Email address"), max_length=254, required=False, error_messages=EMAIL_ERRORS
    )
    phone = forms.CharField(label=_("Phone number"), max_length=30, required=False)
    second_factor_required = forms.BooleanField(
        required=False, label=_("Require two-factor authentication for Admins")
    )
    decisions_to_all = forms.BooleanField(
        required=False,
        label=_("Email every decision to all Admins, even if they turned these emails off"),
    )

    def __init__(self, *args: Any, office: Office, **kwargs: Any) -> None:
        kwargs["initial"] = {name: getattr(office, name) for name in self.base_fields}
        super().__init__(*args, **kwargs)


class JoinForm(forms.Form):
    """Name and password of a new person who was invited; the address is fixed."""

    name = forms.CharField(
        label=_("Your name"), max_length=120, error_messages={"required": _("Enter your name.")}
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=256,
        strip=False,
        error_messages={"required": _("Choose a password.")},
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, User(email=self.email, name=self.cleaned_data.get("name", "")))
        return password
