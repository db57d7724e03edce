"""How an e-mail address finds its account: in every spelling, in capitals or not."""

from __future__ import annotations

from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.forms import LoginForm, ResetPasswordForm
from allauth.account.views import PasswordResetView
from django.http import HttpRequest
from django.utils import translation

from accounts.emails import send_password_reset
from accounts.login.empty_fields import SaysWhatToEnter
from accounts.models import User
from core.email_address import canonical_email
from core.http import safe_next
from core.presses import key_of_press


class EmailBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth has no types
    """Log in by e-mail address. allauth alone would not find one that is stored with capitals."""

    def _authenticate_by_email(self, email: str, password: str) -> User | None:
        person = User.objects.filter(email__iexact=email).first()
        found: User | None = self._check_password(person, password)
        return found


class ResetForm(SaysWhatToEnter, ResetPasswordForm):  # type: ignore[misc]  # allauth has no types
    """Ask for a link to choose a new password."""

    def clean_email(self) -> str:
        return canonical_email(self.cleaned_data["email"])

    def save(self, request: HttpRequest, **kwargs: object) -> str:
        """Do the same work for an address without account, so that the time tells nothing."""
        email: str = self.cleaned_data["email"]
        person = User.objects.filter(email__iexact=email, is_active=True).first()
        language = (person and person.language) or translation.get_language() or ""
        send_password_reset(person, language, safe_next(request), key_of_press(request))
        return email


class AskForReset(PasswordResetView):  # type: ignore[misc]  # allauth has no types
    """Say that a link is on its way; where the person was going goes with it."""

    def get_success_url(self) -> str:
        return str(self.passthrough_next_url(str(self.success_url)))


class LogInForm(SaysWhatToEnter, LoginForm):  # type: ignore[misc]  # allauth has no types
    pass
