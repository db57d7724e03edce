"""The operators' site instead of Django's own."""

from django.contrib.admin.apps import SimpleAdminConfig


class PortalAdminConfig(SimpleAdminConfig):
    """Only what `backoffice.site` lists: no library brings its tables, or tokens, along."""

    default_site = "backoffice.site.PortalAdminSite"

    def ready(self) -> None:
        super().ready()
        from backoffice import (  # noqa: F401  # register
            deliveries,
            ending,
            intake,
            offices,
            onboarding,
            publishing,
            site,
        )
