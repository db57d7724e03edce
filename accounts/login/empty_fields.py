"""The forms of allauth, with errors that say what belongs into an empty field."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import (
    ChangePasswordForm,
    ReauthenticateForm,
    ResetPasswordKeyForm,
)
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.utils.translation import gettext_lazy as _

from core.email_address import EMAIL_ERRORS

ENTER = {
    "login": _("Enter your email address."),
    "email": _("Enter your email address."),
    "password": _("Enter your password."),
    "oldpassword": _("Enter your current password."),
    "password1": _("Choose a password."),
    "password2": _("Enter the new password again."),
    "code": _("Enter the code."),
}


class SaysWhatToEnter:
    """A form whose empty fields say what belongs there."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ENTER.keys() & self.fields.keys():
            self.fields[name].error_messages["required"] = ENTER[name]
            if isinstance(self.fields[name], forms.EmailField):
                self.fields[name].error_messages.update(EMAIL_ERRORS)


class ChangePassword(SaysWhatToEnter, ChangePasswordForm):  # type: ignore[misc]  # allauth: no types
    pass


class PasswordFromKey(SaysWhatToEnter, ResetPasswordKeyForm):  # type: ignore[misc]
    pass


class PasswordAgain(SaysWhatToEnter, ReauthenticateForm):  # type: ignore[misc]
    pass


class FirstCode(SaysWhatToEnter, ActivateTOTPForm):  # type: ignore[misc]
    pass
