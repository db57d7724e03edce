"""Operators take an office in, with its first Admin, suspend it and let it go on."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.text import slugify

from accounts.invitations import AlreadyThere
from accounts.looks import OperatorLook, Seen
from accounts.models import Invitation, Office, User
from backoffice.closing import close_page, number_page
from backoffice.joint import ReasonForm
from backoffice.people import reset_page, who_works_there
from backoffice.site import LookUp
from consents.models import Status

if TYPE_CHECKING:
    Entry = forms.ModelForm[Office]
else:
    Entry = forms.ModelForm


class OfficeForm(Entry):
    first_admin = forms.EmailField(
        label="First Admin", help_text="Gets an invitation, valid for 14 days."
    )

    class Meta:
        model = Office
        fields = ("name", "company_number", "language")


class FirstAdminForm(forms.Form):
    first_admin = forms.EmailField(label="E-mail address")


def free_slug(office: Office) -> str:
    """The name as it stands in addresses; with the number where another office has it."""
    wanted = slugify(office.name)[:38] or office.company_number
    taken = Office.objects.filter(slug=wanted).exists()
    return f"{wanted}-{office.company_number}" if taken else wanted


@admin.register(Office)
class Offices(LookUp):
    """Added here, then changed by itself; nobody deletes one, since consents speak of it."""

    form = OfficeForm
    list_display = ["name", "company_number", "is_active", "closed_at"]
    search_fields = ["name", "company_number", "memberships__user__email__iexact"]
    search_help_text = "Name, number, or the whole e-mail address of a person."
    ordering = ["name"]
    fields = [
        *("name", "company_number", "slug", "language", "email", "phone"),
        *("is_active", "closed_at", "people"),
    ]
    readonly_fields = ["people"]
    change_form_template = "admin/office.html"

    def looked_at(self, request: HttpRequest, row: Any) -> None:
        OperatorLook.objects.write(row, cast(User, request.user), Seen.PEOPLE)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return True

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else ["name", "company_number", "language", "first_admin"]

    @admin.display(description="people")
    def people(self, office: Office) -> str:
        """Who works there now, for support."""
        return who_works_there(office)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.slug = free_slug(obj)
        super().save_model(request, obj, form, change)
        self._invite(request, obj, form.cleaned_data["first_admin"])

    def get_urls(self) -> list[URLPattern]:
        state = self.admin_site.admin_view(self.state)
        factor = self.admin_site.admin_view(self.factor)
        close = self.admin_site.admin_view(partial(close_page, self))
        number = self.admin_site.admin_view(partial(number_page, self))
        return [
            path("<int:pk>/state/", state, name="office_state"),
            path("<int:pk>/close/", close, name="office_close"),
            path("<int:pk>/number/", number, name="office_number"),
            path("<int:pk>/people/<int:member>/factor/", factor, name="factor_reset"),
            *super().get_urls(),
        ]

    def factor(self, request: HttpRequest, pk: int, member: int) -> HttpResponse:
        """Two operators reset the second factor of a person."""
        return reset_page(self, request, get_object_or_404(Office, pk=pk, closed_at=None), member)

    def state(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say what it stops, take the reason; or invite an Admin where there is none."""
        office = get_object_or_404(Office, pk=pk, closed_at=None)
        posted = request.POST if request.method == "POST" else None
        form = ReasonForm(posted if posted and "reason" in posted else None)
        invite = FirstAdminForm(posted if posted and "first_admin" in posted else None)
        if form.is_valid():
            with transaction.atomic():
                if office.set_active(not office.is_active):
                    word = "Goes on" if office.is_active else "Suspended"
                    change = "suspended → active" if office.is_active else "active → suspended"
                    told = f"{word}: {form.cleaned_data['reason']}\nstate: {change}"
                    self.log_change(request, office, told)
            return redirect("admin:accounts_office_change", pk)
        if invite.is_valid():
            self._invite(request, office, invite.cleaned_data["first_admin"])
            return redirect("admin:office_state", pk)
        context = {
            **self.admin_site.each_context(request),
            "title": "State",
            "office": office,
            "form": form,
            "invite": invite,
            "has_admin": office.memberships.admins().exists(),
            "allowed": office.consents.filter(status=Status.ALLOWED).count(),
        }
        return TemplateResponse(request, "admin/office_state.html", context)

    def _invite(self, request: HttpRequest, office: Office, email: str) -> None:
        operator = cast(User, request.user)
        try:
            Invitation.objects.invite_first_admin(
                office, operator, email=email, language=office.language
            )
        except (AlreadyThere, PermissionDenied):
            self.message_user(request, "This office has an Admin, or a link.", messages.ERROR)
            return
        self.log_change(request, office, f"Invited {email} as Admin.")
