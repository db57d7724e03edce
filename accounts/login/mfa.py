"""The second factor: authenticator app, passkeys, recovery codes. allauth does the work."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, cast

from allauth.account.signals import authentication_step_completed
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import ViewRecoveryCodesView
from allauth.mfa.signals import authenticator_added
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView
from allauth.usersessions.internal.flows.sessions import end_other_sessions
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import translation
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.emails import send_credential_changed
from accounts.login.empty_fields import SaysWhatToEnter
from accounts.login.guesses import Guess, guess_at_login, guess_in_session
from accounts.login.rate_limits import too_many_requests
from accounts.models import User, second_factors
from core.http import safe_next


def _locks() -> MultiFernet:
    """Keys that follow from the secret key, the newest first."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    keys = [hashlib.sha256(f"second factor:{secret!s}".encode()).digest() for secret in secrets]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Secrets of authenticator apps must be readable again, so they lie encrypted."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy(
            "This code is not correct or has expired. Enter the code that the app shows now."
        ),
    }

    def encrypt(self, text: str) -> str:
        return _locks().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _locks().decrypt(encrypted_text.encode()).decode()

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return _("Passkey %(number)s") % {"number": number}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        entity = cast(dict[str, str], super().get_public_key_credential_rp_entity())
        return {**entity, "name": settings.PORTAL_NAME}


class CountedCode:
    """A form for a code of the app or of the paper that limits how often somebody may guess."""

    user: User

    def count(self) -> Guess:
        raise NotImplementedError

    def clean_code(self) -> str:
        guess = self.count()
        if guess.wait:
            raise ImmediateHttpResponse(too_many_requests(context.request, guess.wait))
        code: str = super().clean_code()  # type: ignore[misc]
        guess.take_back()
        return code


class CodeAtLogin(CountedCode, SaysWhatToEnter, AuthenticateForm):  # type: ignore[misc]  # allauth has no types
    def count(self) -> Guess:
        return guess_at_login(context.request, "code", str(self.user.pk), self.user)


class CodeInSession(CountedCode, SaysWhatToEnter, ReauthenticateForm):  # type: ignore[misc]  # allauth has no types
    def count(self) -> Guess:
        return guess_in_session(context.request, "code", self.user)


class GoesOn:
    """A screen of allauth that keeps in mind where the person was going."""

    request: HttpRequest

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        return {**context, "next": safe_next(self.request)}

    def get_success_url(self) -> str:
        url: str = super().get_success_url()  # type: ignore[misc]
        wanted = safe_next(self.request)
        return f"{url}?{urlencode({'next': wanted})}" if wanted else url


class ActivateApp(GoesOn, ActivateTOTPView):  # type: ignore[misc]  # allauth has no types
    """Scan the code, enter six digits."""


class AddPasskey(GoesOn, AddWebAuthnView):  # type: ignore[misc]  # allauth has no types
    """Let the device make a passkey."""


class RecoveryCodes(GoesOn, ViewRecoveryCodesView):  # type: ignore[misc]  # allauth has no types
    """The codes, once."""


@receiver(authenticator_added)
def end_sessions_without_it(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """What was opened elsewhere with the password alone must come in again."""
    end_other_sessions(request, user)


def is_missing(person: User) -> bool:
    """Whether the person has neither an authenticator app nor a passkey."""
    return not second_factors(person.pk).exists()


@receiver(authentication_step_completed)
def send_recovery_code_used(request: HttpRequest, user: User, **details: Any) -> None:
    """A code from paper is rarer than an app, and the first that a thief finds."""
    if details.get("type") == Authenticator.Type.RECOVERY_CODES:
        with translation.override(user.language or translation.get_language()):
            what = _("A recovery code was used to log in to your account.")
            send_credential_changed(request, user, what)


def credential_change_sentences() -> dict[str, str]:
    """What the mail about each change of a credential says, by the name allauth gives it."""
    return {
        "account/email/password_changed": _("Your password was changed."),
        "account/email/password_reset": _("Your password was changed using a reset link."),
        "mfa/email/totp_activated": _("An authenticator app was added to your account."),
        "mfa/email/totp_deactivated": _("The authenticator app was removed from your account."),
        "mfa/email/recovery_codes_generated": _(
            "New recovery codes were created for your account."
        ),
        "mfa/email/webauthn_added": _("A passkey was added to your account."),
        "mfa/email/webauthn_removed": _("A passkey was removed from your account."),
    }
