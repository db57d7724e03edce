"""How login works here: the answers to what allauth asks its adapter."""

from ipaddress import ip_address
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal import ratelimit
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.emails import send_credential_changed
from accounts.login.guesses import guess_at_login, guess_in_session
from accounts.login.mfa import credential_change_sentences
from accounts.login.rate_limits import APP, too_many_requests
from accounts.login.sessions import is_known_browser, remember_browser
from accounts.models import User, second_factors
from core.client_ip import address_of
from core.email_address import canonical_email

# A caller on a Unix socket has no address. All of them share one limit.
UNKNOWN_ADDRESS = "::"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    # In the words of the portal: what is wrong, and what to do.
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": gettext_lazy(
            "This email address and password do not match. Try again or choose a new password."
        ),
        "incorrect_password": gettext_lazy("This password is not correct. Try again."),
        "enter_current_password": gettext_lazy("This password is not correct. Try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up: a person comes by invitation."""
        return False

    def get_login_stages(self) -> list[str]:
        """The steps of allauth, with our own rules for remembered devices."""
        return [
            name.replace("allauth.mfa.stages.", "accounts.login.stages.")
            for name in super().get_login_stages()
        ]

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that limits and sessions go by: the trusted proxy's word, like evidence."""
        try:
            return str(ip_address(address_of(request)))
        except ValueError:
            return UNKNOWN_ADDRESS

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("mfa_index")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """The person with this address and password. Answers 429 after too many guesses.

        When outsiders used up the guesses of an account, the right password still leads on to the
        second factor. Somebody without one waits, or uses a browser that they used before.
        """
        email = canonical_email(credentials["email"]).lower()
        person = User.objects.filter(email__iexact=email).first()
        is_known = person is not None and is_known_browser(request, person)
        # Each try costs a slow hash, so one address has so many; known browsers are few.
        if not is_known and not ratelimit.consume(request, app=APP, action="password_tried"):
            raise ImmediateHttpResponse(too_many_requests(request))
        guess = guess_at_login(request, "password", email, person)
        if guess.wait and not guess.is_only_elsewhere:
            raise ImmediateHttpResponse(too_many_requests(request, guess.wait))
        found: User | None = super().authenticate(request, **{**credentials, "email": email})
        if found and (not guess.wait or second_factors(found.pk).exists()):
            guess.take_back()
            return found
        if guess.wait:
            raise ImmediateHttpResponse(too_many_requests(request, guess.wait))
        return None

    def reauthenticate(self, user: User, password: str) -> bool:
        """Whether this is the password of the person who is logged in; guesses count apart."""
        guess = guess_in_session(context.request, "password", user)
        if guess.wait:
            raise ImmediateHttpResponse(too_many_requests(context.request, guess.wait))
        if not user.check_password(password):
            return False
        guess.take_back()
        return True

    def validation_error(self, code: str, *args: Any) -> Exception:
        """Show the page of the rate limits (429) instead of an error in the form."""
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
        """E-mail the person about every change of a credential, in their language."""
        with translation.override(user.language or translation.get_language()):
            send_credential_changed(
                self.request, user, credential_change_sentences()[template_prefix]
            )

    def post_login(
        self, request: HttpRequest, user: User, *, signup: bool, **more: Any
    ) -> HttpResponse:
        """E-mail the person about a login from a new browser, except after signing up."""
        response: HttpResponse = super().post_login(request, user, signup=signup, **more)
        if not signup and not is_known_browser(request, user):
            with translation.override(user.language or translation.get_language()):
                what = _("Someone logged in to your account from a new device or browser.")
                send_credential_changed(request, user, what, message="new_login")
        remember_browser(request, response, user)
        return response
