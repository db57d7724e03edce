"""The operators' site instead of Django's own."""

from django.contrib.admin.apps import SimpleAdminConfig


class PortalAdminConfig(SimpleAdminConfig):
    """Only what `codabox_portal.admin` lists: no library brings its tables, or tokens, along."""

    default_site = "codabox_portal.admin.PortalAdminSite"

    def ready(self) -> None:
        super().ready()
        from codabox_portal import (  # noqa: F401  # register
            admin,
            deliveries,
            ending,
            intake,
            offices,
            onboarding,
            publishing,
        )
