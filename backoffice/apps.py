"""The app of the operators, and their admin site instead of the one of Django."""

from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig
from django.db.models.signals import post_migrate


class BackofficeConfig(AppConfig):
    """The tables of the operators."""

    name = "backoffice"

    def ready(self) -> None:
        # The imports register e-mails and receivers.
        from backoffice import emails, operator_emails, receivers, second_operator  # noqa: F401  # app loading: needs the models
        from backoffice.roles import make_roles  # app loading: needs the models

        post_migrate.connect(make_roles, sender=self)


class PortalAdminConfig(SimpleAdminConfig):
    """Show only what `backoffice.admin` registers, and nothing that libraries register."""

    default_site = "backoffice.admin.site.PortalAdminSite"

    def ready(self) -> None:
        super().ready()
        # The imports register the pages of the admin.
        from backoffice.admin import (  # noqa: F401  # app loading: needs the models
            claims,
            deliveries,
            end_access,
            ingest,
            offices,
            onboarding,
            operators,
            publishing,
            site,
        )
