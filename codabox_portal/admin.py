"""Django admin for operators: look-ups. Nothing here can write a status."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from accounts.models import Office
from consents.models import Consent, Terms
from partners.models import Application, Partner


class PortalAdminSite(admin.AdminSite):
    site_header = site_title = "CodaBox Connect · operators"
    index_title = "Operators"
    enable_nav_sidebar = False


# The stubs know ModelAdmin as generic, Django does not.
if TYPE_CHECKING:
    Page = admin.ModelAdmin[Any]
else:
    Page = admin.ModelAdmin


class LookUp(Page):
    """Rows to look at: neither added, changed nor deleted here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Office)
class Offices(LookUp):
    list_display = ["name", "company_number", "is_active"]
    search_fields = ["name", "company_number"]


@admin.register(Partner)
class Partners(LookUp):
    list_display = ["name", "vendor", "status"]
    search_fields = ["name"]


@admin.register(Application)
class Credentials(LookUp):
    """Which secret was used when: whether a rotation can end. The digests are not shown."""

    used = ("secret_used_at", "previous_secret_until", "previous_secret_used_at")
    list_display = ["partner", "client_id", *used]
    list_select_related = ["partner"]
    search_fields = ["client_id", "partner__name"]
    fields = ["partner", "name", "client_id", *used]


@admin.register(Consent)
class Consents(LookUp):
    list_display = ["uuid", "office", "partner", "status", "requested_at"]
    list_filter = ["status"]
    list_select_related = ["office", "partner"]
    search_fields = ["uuid"]


@admin.register(Terms)
class TermsVersions(LookUp):
    list_display = ["version", "language", "published_at", "sha256"]
