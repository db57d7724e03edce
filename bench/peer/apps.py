"""Parts of the product whose tables the peer needs, and whose middleware it does not."""

from django.apps import AppConfig


class Account(AppConfig):
    name = "allauth.account"

    def ready(self) -> None:
        """Not asking for the middleware of allauth, which serves people and not software."""
