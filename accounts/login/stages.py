"""The steps of a login. Operators enter their second factor at every login."""

from __future__ import annotations

from typing import Any, cast

from allauth.account import stages as account_stages
from allauth.mfa import stages
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from allauth.mfa.webauthn.internal.flows import did_use_passwordless_login
from django.http import HttpRequest

from accounts.models import User


def _is_operator(stage: account_stages.LoginStage) -> bool:
    person = cast(User | None, stage.login.user)
    return person is not None and person.is_staff


class AuthenticateStage(stages.AuthenticateStage):  # type: ignore[misc]  # allauth has no types
    """Ask for the second factor. A remembered device counts, but not for operators."""

    def _should_handle(self, request: HttpRequest) -> bool:
        if not _is_operator(self):
            return bool(super()._should_handle(request))
        kinds = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
        person = self.login.user
        return is_mfa_enabled(person, kinds) and not did_use_passwordless_login(request, person)


class TrustStage(stages.TrustStage):  # type: ignore[misc]  # allauth has no types
    """Offer to remember the device, but not to operators."""

    def handle(self) -> tuple[Any, bool]:
        return (None, True) if _is_operator(self) else super().handle()
