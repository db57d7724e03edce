"""Django admin for operators: the site and its look-ups. Nothing here can write a status."""

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from accounts.models import User
from accounts.pages import safe_next
from accounts.second_factor import is_missing
from accounts.sessions import ask_again_when_idle
from backoffice.history import what_changed
from backoffice.lists import BoundedPaginator
from partners.models import Application


class PortalAdminSite(admin.AdminSite):
    """Only for operators who have a second factor; everybody comes in by the portal's login."""

    site_header = site_title = "CodaBox Connect · operators"
    index_title = "Operators"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """Let an operator in with her second factor; after 30 idle minutes she proves it again."""
        if not super().has_permission(request) or is_missing(cast(User, request.user)):
            return False
        ask_again_when_idle(request)
        return True

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to our login, or an operator without a second factor to where she gets one."""
        wanted = safe_next(request) or reverse("admin:index")
        if not request.user.is_authenticated:
            return redirect_to_login(wanted)
        if self.has_permission(request):
            return redirect(wanted)
        if not request.user.is_staff:
            raise Http404
        return redirect(f"{reverse('mfa_activate_totp')}?{urlencode({'next': wanted})}")

    def password_change(  # type: ignore[override]  # the stubs know one template only
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The portal's own screen, which asks again who is there and sends the mail."""
        return redirect("account_change_password")


# The stubs know ModelAdmin as generic, Django does not.
if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
else:
    Base = admin.ModelAdmin


class Page(Base):
    """A page whose history says who changed what, and whose list is quick at any size."""

    object_history_template = "admin/history.html"
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        return what_changed(form, formsets, add=add)


class LookUp(Page):
    """Rows to look at: neither added, changed nor deleted here."""

    def looked_at(self, request: HttpRequest, row: Any) -> None:
        """Written down where the row is an office's own affair; most are not."""

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if context["original"] is not None:
            self.looked_at(request, context["original"])
        return super().render_change_form(request, context, *args, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Application)
class Credentials(LookUp):
    """Which secret was used when: whether a rotation can end. The digests are not shown."""

    used = ("secret_used_at", "previous_secret_until", "previous_secret_used_at")
    list_display = ["partner", "client_id", *used]
    list_select_related = ["partner"]
    search_fields = ["client_id", "partner__name"]
    fields = ["partner", "name", "client_id", *used]
