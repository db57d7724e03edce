"""Offices in the admin: add an office with its first Admin, suspend it, reactivate it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern
from django.utils.text import slugify

from accounts.models import Invitation, Office, Role, User
from accounts.models.invitation import AlreadyInvited, InvitationEnded
from backoffice.admin.close_office import close_page, number_page
from backoffice.admin.filters import OfficeState
from backoffice.admin.four_eyes import ReasonForm
from backoffice.admin.people import list_of_people, reset_page
from backoffice.admin.site import ReadOnlyPage, has_right, require_right
from backoffice.admin.support import consents_of
from backoffice.models.support_access import AccessedRecord, SupportAccess
from consents.models import Status
from core.enterprise_number import CompanyNumberField

if TYPE_CHECKING:
    Entry = forms.ModelForm[Office]
else:
    Entry = forms.ModelForm


SUSPEND, INVITE = "backoffice.suspend_office", "backoffice.invite_first_admin"
CLOSE, RESET = "backoffice.close_office", "backoffice.reset_factor"


class OfficeForm(Entry):
    """A new office and the e-mail address of its first Admin."""

    company_number = CompanyNumberField(label="Enterprise number")
    first_admin = forms.EmailField(
        label="First Admin", help_text="Gets an invitation, valid for 14 days."
    )

    class Meta:
        model = Office
        fields = ("name", "company_number", "language")


class OfficeStateForm(ReasonForm):
    """The state that the pressed button names, and the reason."""

    state = forms.ChoiceField(
        choices=[("active", "Active"), ("suspended", "Suspended")], widget=forms.HiddenInput
    )


class FirstAdminForm(forms.Form):
    """The e-mail address of the first Admin."""

    first_admin = forms.EmailField(label="E-mail address")


class WithdrawForm(forms.Form):
    """The invitation of a first Admin that the pressed button names."""

    withdraw = forms.UUIDField()


def free_slug(office: Office) -> str:
    """Return the name for URLs, with the number where another office has the same name."""
    wanted = slugify(office.name)[:38] or office.company_number
    taken = Office.objects.filter(slug=wanted).exists()
    return f"{wanted}-{office.company_number}" if taken else wanted


@admin.register(Office)
class Offices(ReadOnlyPage):
    """The offices. They change their details themselves; nobody deletes one, as consents stay."""

    form = OfficeForm
    list_display = ["name", "company_number", "is_active", "closed_at"]
    list_filter = [OfficeState, "kind"]
    search_fields = ["name", "company_number", "memberships__user__email__iexact"]
    search_help_text = "Name, number, or the whole e-mail address of a person."
    ordering = ["name"]
    fields = [
        *("name", "kind", "company_number", "slug", "language", "email", "phone"),
        *("is_active", "closed_at", "people"),
    ]
    readonly_fields = ["people", "people_to_help", "consents"]
    change_form_template = "admin/office.html"

    def log_support_access(self, request: HttpRequest, row: Any) -> None:
        SupportAccess.objects.write(row, cast(User, request.user), AccessedRecord.PEOPLE)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.is_allowed(request, "add")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ["name", "company_number", "language", "first_admin"]
        may_help = obj.closed_at is None and has_right(request, RESET)
        fields = [*self.fields[:-1], "people_to_help"] if may_help else self.fields
        return [*fields, "consents"] if has_right(request, "consents.view_consent") else fields

    @admin.display(description="people")
    def people(self, office: Office) -> str:
        """Return who works for this office now."""
        return list_of_people(office, may_reset=False)

    @admin.display(description="people")
    def people_to_help(self, office: Office) -> str:
        """Return the same for who may reset a second factor."""
        return list_of_people(office, may_reset=True)

    @admin.display(description="consents")
    def consents(self, office: Office) -> str:
        """Return the newest consents with their access now."""
        return consents_of(office)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.slug = free_slug(obj)
        super().save_model(request, obj, form, change)
        self._invite(request, obj, form.cleaned_data["first_admin"])

    def get_urls(self) -> list[URLPattern]:
        close, number = partial(close_page, self), partial(number_page, self)
        mfa_reset = "<int:pk>/people/<int:member>/factor/"
        return [
            self.own_page("<int:pk>/state/", self.state, "office_state", SUSPEND, INVITE),
            self.own_page("<int:pk>/close/", close, "office_close", CLOSE),
            self.own_page("<int:pk>/number/", number, "office_number", CLOSE),
            self.own_page(mfa_reset, self.mfa_reset, "mfa_reset", RESET),
            *super().get_urls(),
        ]

    def mfa_reset(self, request: HttpRequest, pk: int, member: int) -> HttpResponse:
        """Reset the two-factor authentication of a person of this office."""
        return reset_page(self, request, get_object_or_404(Office, pk=pk, closed_at=None), member)

    def state(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Suspend or reactivate an office; or invite an Admin where there is none."""
        office = get_object_or_404(Office, pk=pk, closed_at=None)
        posted = request.POST if request.method == "POST" else None
        withdraw = WithdrawForm(posted if posted and "withdraw" in posted else None)
        if withdraw.is_valid():
            require_right(request, INVITE)
            self._withdraw(request, office, withdraw.cleaned_data["withdraw"])
            return redirect("admin:office_state", pk)
        form = OfficeStateForm(posted if posted and "reason" in posted else None)
        invite = FirstAdminForm(posted if posted and "first_admin" in posted else None)
        if form.is_valid():
            require_right(request, SUSPEND)
            with transaction.atomic():
                active = form.cleaned_data["state"] == "active"
                if office.set_active(active):
                    word = "Goes on" if active else "Suspended"
                    change = "suspended → active" if active else "active → suspended"
                    entry = f"{word}: {form.cleaned_data['reason']}\nstate: {change}"
                    self.log_change(request, office, entry)
            return redirect("admin:accounts_office_change", pk)
        if invite.is_valid():
            require_right(request, INVITE)
            self._invite(request, office, invite.cleaned_data["first_admin"])
            return redirect("admin:office_state", pk)
        return self.render_page(
            request,
            "admin/office_state.html",
            "State",
            office=office,
            form=form,
            invite=invite,
            has_admin=office.memberships.admins().exists(),
            invitations=office.invitations.open().filter(role=Role.ADMIN),
            allowed=office.consents.filter(status=Status.ALLOWED).count(),
        )

    def _invite(self, request: HttpRequest, office: Office, email: str) -> None:
        operator = cast(User, request.user)
        try:
            Invitation.objects.invite_first_admin(
                office, operator, email=email, language=office.language
            )
        except (AlreadyInvited, PermissionDenied):
            self.message_user(
                request, "This office already has an Admin or an open invitation.", messages.ERROR
            )
            return
        self.log_change(request, office, f"Invited {email} as Admin.")
        self.message_user(request, f"The invitation goes to {email}, by e-mail.", messages.SUCCESS)

    def _withdraw(self, request: HttpRequest, office: Office, uuid: UUID) -> None:
        """Withdraw the invitation of a first Admin, for example to a mistyped address."""
        invitation = office.invitations.open().filter(role=Role.ADMIN, uuid=uuid).first()
        try:
            if invitation is None:
                raise InvitationEnded
            invitation.revoke_first_admin(cast(User, request.user))
        except (InvitationEnded, PermissionDenied):
            self.message_user(request, "This invitation has ended already.", messages.WARNING)
            return
        self.log_change(request, office, f"Withdrew the invitation of {invitation.email}.")
        message = f"The link to {invitation.email} does not work any more."
        self.message_user(request, message, messages.SUCCESS)
