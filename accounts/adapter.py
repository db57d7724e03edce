"""Where allauth asks us."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from django.http import HttpRequest
from django.utils import translation

from accounts.limits import too_many_requests
from accounts.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up: a person comes by invitation."""
        return False

    def validation_error(self, code: str, *args: Any) -> Exception:
        """A limit is no mistake in the form: it has a page and a status of its own."""
        if code in ("too_many_login_attempts", "rate_limited"):
            raise ImmediateHttpResponse(too_many_requests(context.request))
        error: Exception = super().validation_error(code, *args)
        return error

    def send_mail(self, template_prefix: str, email: str, told: dict[str, Any]) -> None:
        """Send in the language of the person who gets the mail."""
        person = User.objects.filter(email__iexact=email).first()
        with translation.override((person and person.language) or translation.get_language()):
            super().send_mail(template_prefix, email, told)
