"""Which forms take the place of allauth's own: the names of its forms and the paths of ours."""

ACCOUNT_FORMS = {
    "login": "accounts.login.addresses.LogInForm",
    "reset_password": "accounts.login.addresses.ResetForm",
    "change_password": "accounts.login.empty_fields.ChangePassword",
    "reset_password_from_key": "accounts.login.empty_fields.PasswordFromKey",
    "reauthenticate": "accounts.login.empty_fields.PasswordAgain",
}
MFA_FORMS = {
    "activate_totp": "accounts.login.empty_fields.FirstCode",
    "authenticate": "accounts.login.mfa.CodeAtLogin",
    "reauthenticate": "accounts.login.mfa.CodeInSession",
}
