from django.apps import AppConfig

from core.elision import elide_french


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        # The imports register e-mails and receivers.
        from accounts import emails  # noqa: F401  # app loading: needs the models
        from accounts.login import (  # noqa: F401  # app loading: needs the models
            email_change,
            mfa,
            sessions,
        )

        elide_french()
