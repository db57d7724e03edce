"""Where allauth asks us."""

from ipaddress import ip_address
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone, translation

from accounts.limits import too_many_requests
from accounts.mails import send
from accounts.models import User
from accounts.requests import address_of
from accounts.second_factor import credential_changes

# Behind a socket there is no address; all of those share one limit.
UNKNOWN_ADDRESS = "::"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up: a person comes by invitation."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that limits and sessions go by: the trusted proxy's word, like evidence."""
        try:
            return str(ip_address(address_of(request)))
        except ValueError:
            return UNKNOWN_ADDRESS

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("mfa_index")

    def validation_error(self, code: str, *args: Any) -> Exception:
        """A limit is no mistake in the form: it has a page and a status of its own."""
        if code in ("too_many_login_attempts", "rate_limited"):
            raise ImmediateHttpResponse(too_many_requests(context.request))
        error: Exception = super().validation_error(code, *args)
        return error

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """Tell the person of every change of a credential, in one form and her language."""
        language = user.language or translation.get_language()
        with translation.override(language):
            what = credential_changes()[template_prefix]
        send(
            "credential_changed",
            user.email,
            language,
            what=what,
            at=timezone.now(),
            address=address_of(self.request),
            browser=self.request.headers.get("User-Agent", "")[:200],
        )

    def send_mail(self, template_prefix: str, email: str, told: dict[str, Any]) -> None:
        """Send in the language of the person who gets the mail."""
        person = User.objects.filter(email__iexact=email).first()
        with translation.override((person and person.language) or translation.get_language()):
            super().send_mail(template_prefix, email, told)
