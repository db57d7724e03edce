"""The screens of allauth that we offer; what is not listed here does not exist."""

from allauth.account import views
from allauth.mfa.base import views as second_factor
from allauth.mfa.recovery_codes.views import generate_recovery_codes
from allauth.mfa.totp.views import deactivate_totp
from allauth.mfa.webauthn import views as passkey
from django.urls import path, re_path
from django.views.generic import RedirectView

from accounts.decorators import fresh_view
from accounts.login.addresses import AskForReset
from accounts.login.mfa import ActivateApp, AddPasskey, RecoveryCodes
from accounts.views import security

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("password/change/", fresh_view(views.password_change), name="account_change_password"),
    path("password/reset/", AskForReset.as_view(), name="account_reset_password"),
    path("password/reset/done/", views.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        views.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        views.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    # The names are those that allauth leads to.
    path("security/", security.security, name="mfa_index"),
    path("security/sessions/end/", security.end_session, name="end_session"),
    path("second-factor/", second_factor.authenticate, name="mfa_authenticate"),
    path("second-factor/remember/", second_factor.trust, name="mfa_trust"),
    path("second-factor/again/", second_factor.reauthenticate, name="mfa_reauthenticate"),
    path("app/add/", fresh_view(ActivateApp.as_view()), name="mfa_activate_totp"),
    path("app/remove/", fresh_view(deactivate_totp), name="mfa_deactivate_totp"),
    path("recovery-codes/", fresh_view(RecoveryCodes.as_view()), name="mfa_view_recovery_codes"),
    path(
        "recovery-codes/new/",
        fresh_view(generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path("passkeys/", RedirectView.as_view(pattern_name="mfa_index"), name="mfa_list_webauthn"),
    path("passkeys/add/", fresh_view(AddPasskey.as_view()), name="mfa_add_webauthn"),
    path(
        "passkeys/<int:pk>/remove/", fresh_view(passkey.remove_webauthn), name="mfa_remove_webauthn"
    ),
    path("passkeys/login/", passkey.login_webauthn, name="mfa_login_webauthn"),
    path("passkeys/again/", passkey.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
]
