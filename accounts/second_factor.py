"""The second factor: authenticator app, passkeys, recovery codes. allauth does the work."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, cast

from allauth.account.signals import authentication_step_completed
from allauth.mfa.adapter import DefaultMFAAdapter
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

from accounts.letters import tell_of_credential
from accounts.models import User, second_factors
from accounts.pages import safe_next


def _locks() -> MultiFernet:
    """Keys that follow from the secret key, the newest first."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    keys = [hashlib.sha256(f"second factor:{secret!s}".encode()).digest() for secret in secrets]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Secrets of authenticator apps must be readable again, so they lie encrypted."""

    def encrypt(self, text: str) -> str:
        return _locks().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _locks().decrypt(encrypted_text.encode()).decode()

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return _("Passkey %(number)s") % {"number": number}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        told = cast(dict[str, str], super().get_public_key_credential_rp_entity())
        return {**told, "name": settings.PORTAL_NAME}


class GoesOn:
    """A screen of allauth that keeps in mind where the person was going."""

    request: HttpRequest

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        told: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        return {**told, "next": safe_next(self.request)}

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
def tell_of_a_recovery_code(request: HttpRequest, user: User, **told: Any) -> None:
    """A code from paper is rarer than an app, and the first that a thief finds."""
    if told.get("type") == Authenticator.Type.RECOVERY_CODES:
        with translation.override(user.language or translation.get_language()):
            what = _("A recovery code was used to log in to your account.")
            tell_of_credential(request, user, what)


def credential_changes() -> dict[str, str]:
    """What the mail about each change of a credential says, by the name allauth gives it."""
    return {
        "account/email/password_changed": _("Your password was changed."),
        "account/email/password_reset": _("Your password was changed by way of a reset mail."),
        "mfa/email/totp_activated": _("An authenticator app was added to your account."),
        "mfa/email/totp_deactivated": _("The authenticator app was removed from your account."),
        "mfa/email/recovery_codes_generated": _("New recovery codes were made for your account."),
        "mfa/email/webauthn_added": _("A passkey was added to your account."),
        "mfa/email/webauthn_removed": _("A passkey was removed from your account."),
    }
