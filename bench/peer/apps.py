"""Apps of the product whose tables the peer needs, but not their middleware."""

from django.apps import AppConfig


class Account(AppConfig):
    name = "allauth.account"

    def ready(self) -> None:
        """Skip allauth's check for its middleware, which serves people and not software."""
