"""Where allauth asks us."""

from ipaddress import ip_address
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.letters import send_reset_link, tell_of_credential
from accounts.limits import too_many_requests
from accounts.models import User
from accounts.requests import address_of
from accounts.second_factor import credential_changes
from accounts.sessions import is_known_device, know_device

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
        with translation.override(user.language or translation.get_language()):
            tell_of_credential(self.request, user, credential_changes()[template_prefix])

    def post_login(
        self, request: HttpRequest, user: User, *, signup: bool, **more: Any
    ) -> HttpResponse:
        """Tell the person of a login from a device that is new to us; her first login is none."""
        response: HttpResponse = super().post_login(request, user, signup=signup, **more)
        if not signup and not is_known_device(request, user):
            with translation.override(user.language or translation.get_language()):
                what = _("Somebody logged in to your account from a new device or browser.")
                tell_of_credential(request, user, what, name="new_login")
        know_device(request, response, user)
        return response

    def send_password_reset_mail(self, user: User, email: str, told: dict[str, Any]) -> None:
        """Leave it to a worker: the answer must not take longer for an address that we know."""
        send_reset_link(user, user.language or translation.get_language() or "")
