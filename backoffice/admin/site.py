"""The admin site of the operators, and the base classes of its pages."""

from collections.abc import Callable
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.contrib.auth import get_permission_codename, logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.forms import Media
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode

from accounts.decorators import ask_again_after_15_minutes
from accounts.login.mfa import is_missing
from accounts.login.sessions import ask_again_when_idle
from accounts.models import User
from accounts.requests import PersonRequest
from backoffice.admin.downloads import list_as_csv
from backoffice.admin.history import what_changed
from backoffice.admin.home import figures, waiting_tasks
from backoffice.admin.lists import BoundedPaginator
from backoffice.admin.search import search
from core.http import safe_next
from partners.models import Application


class PortalAdminSite(admin.AdminSite):
    """Admin site for operators with two-factor authentication. They log in as everybody does."""

    site_header = site_title = "CodaBox Connect · operators"
    index_title = "Operators"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """Let operators in who have two-factor authentication; ask again after 30 idle minutes."""
        # Django asks twice for each page.
        if not hasattr(request, "may_operate"):
            allowed = super().has_permission(request) and not is_missing(cast(User, request.user))
            request.may_operate = allowed  # type: ignore[attr-defined]
            if allowed:
                ask_again_when_idle(request)
        return bool(request.may_operate)  # type: ignore[attr-defined]

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Redirect to the login, or an operator to the page that sets up an authenticator app."""
        wanted = safe_next(request) or reverse("admin:index")
        if not request.user.is_authenticated:
            return redirect_to_login(wanted)
        if self.has_permission(request):
            return redirect(wanted)
        if not request.user.is_staff:
            raise Http404
        return redirect(f"{reverse('mfa_activate_totp')}?{urlencode({'next': wanted})}")

    def get_urls(self) -> list[Any]:
        """Leave out *View on site*: no object of the admin has a page of its own elsewhere."""
        urls = [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]
        return [path("search/", self.admin_view(self.search), name="search"), *urls]

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show what waits for this operator and how things stand, then the lists."""
        home = {"tasks": waiting_tasks(cast(User, request.user)), "figures": figures()}
        return super().index(request, {**home, **(extra_context or {})})

    def search(self, request: HttpRequest) -> HttpResponse:
        """Show what was found by name, number, e-mail address or identifier."""
        words = request.GET.get("q", "").replace("\0", "")[:200]
        context = {
            **self.each_context(request),
            "title": "Search",
            "words": words,
            "hits": search(request, words),
        }
        return TemplateResponse(request, "admin/search.html", context)

    def logout(  # type: ignore[override]  # the stubs know one template only
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Log out and show the portal's own login."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        logout(request)
        return redirect("account_login")

    def password_change(  # type: ignore[override]  # the stubs know one template only
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Redirect to the page of the portal, which asks for the password and sends an e-mail."""
        return redirect("account_change_password")


# The stubs know ModelAdmin as generic, Django does not.
if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
else:
    Base = admin.ModelAdmin


def has_right(request: HttpRequest, right: str) -> bool:
    """Return whether the operator has the permission `app.codename`."""
    return cast(User, request.user).has_perm(right)


def require_right(request: HttpRequest, right: str) -> None:
    """Raise PermissionDenied where the operator has no permission `app.codename`."""
    if not has_right(request, right):
        raise PermissionDenied


class AdminPage(Base):
    """The pages of a model: their history says who changed what, their lists stay quick.

    A page of our own is registered with `own_page` and drawn with `render_page`.
    """

    view_on_site = False

    object_history_template = "admin/history.html"
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    @property
    def media(self) -> Media:
        """The scripts of lists. Django adds those for slugs and pop-ups, which no page here has."""
        return Media(js=["admin/js/core.js", "admin/js/actions.js"])

    def get_urls(self) -> list[URLPattern]:
        label, model = self.opts.app_label, self.opts.model_name
        rights = [f"{label}.{verb}_{model}" for verb in ("view", "change")]
        return [
            self.own_page("csv/", partial(list_as_csv, self), f"{label}_{model}_csv", *rights),
            *super().get_urls(),
        ]

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        return what_changed(form, formsets, add=add)

    def is_allowed(self, request: HttpRequest, verb: str) -> bool:
        """Return whether the operator has the permission `verb` for this model."""
        codename = get_permission_codename(verb, self.opts)
        return cast(User, request.user).has_perm(f"{self.opts.app_label}.{codename}")

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Return whether the operator may run list actions with `permissions=["operate"]`."""
        return self.is_allowed(request, "change")

    def own_page(
        self,
        route: str,
        view: Callable[..., HttpResponse],
        name: str,
        *rights: str,
        asks_again: bool = True,
    ) -> URLPattern:
        """Return the URL of a page of our own, for operators with one of the rights; else 403.

        A POST asks for the password if the last proof of identity is older than 15 minutes. Without
        `asks_again` it does not: a file would be lost on the way.
        """

        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not any(has_right(request, right) for right in rights):
                raise PermissionDenied
            if asks_again:
                ask_again_after_15_minutes(cast(PersonRequest, request))
            return view(request, *args, **kwargs)

        return path(route, self.admin_site.admin_view(checked), name=name)

    def render_page(
        self, request: HttpRequest, template: str, title: str, **context: Any
    ) -> TemplateResponse:
        """Draw a page of our own with the header and the navigation of the admin."""
        site = self.admin_site.each_context(request)
        return TemplateResponse(request, template, {**site, "title": title, **context})


class ReadOnlyPage(AdminPage):
    """The pages of a model whose rows nobody adds, changes or deletes here."""

    def log_support_access(self, request: HttpRequest, row: Any) -> None:
        """Write to the support access log, where the row belongs to an office."""

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if context["original"] is not None:
            self.log_support_access(request, context["original"])
        return super().render_change_form(request, context, *args, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Application)
class Credentials(ReadOnlyPage):
    """When each secret was last used: whether a rotation can end. Digests are not shown."""

    used = ("secret_used_at", "previous_secret_until", "previous_secret_used_at")
    list_display = ["partner", "client_id", *used]
    list_select_related = ["partner"]
    search_fields = ["client_id", "partner__name"]
    fields = ["partner", "name", "client_id", *used]
