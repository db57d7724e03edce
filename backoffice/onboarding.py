"""Operators take a partner in: the whole entry on one page, credentials shown this once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.widgets import AdminFileWidget
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from oauth2_provider.generators import generate_client_id, generate_client_secret

from accounts.models import User
from backoffice.monitor import monitor_page
from backoffice.retiring import retire_page
from backoffice.site import Page
from consents.models import Status
from consents.tasks import tell_of_software
from notifications.models import WebhookEndpoint
from partners.logos import read_logo
from partners.models import (
    PARTNER_MOVES,
    Application,
    ClientCertificate,
    DocumentKind,
    Partner,
    PartnerStatus,
    RedirectUri,
)

if TYPE_CHECKING:
    Rows = admin.TabularInline[Any, Any]
    Entry = forms.ModelForm[Partner]
else:
    Rows = admin.TabularInline
    Entry = forms.ModelForm


class LogoField(forms.FileField):
    """A picture as `partners.logos` reads it; None where the operator takes it away."""

    widget = AdminFileWidget

    def to_python(self, data: Any) -> Any:
        upload = super().to_python(data)
        return upload and read_logo(upload)

    def clean(self, data: Any, initial: Any = None) -> Any:
        return super().clean(data, initial) or None


class PartnerForm(Entry):
    """The kinds as boxes to tick; the status is not a field of any form."""

    website = forms.URLField(required=False, assume_scheme="https")
    connect_url = forms.URLField(
        required=False,
        assume_scheme="https",
        label="Start of the connection",
        help_text="Where a person begins to connect; shown in the software directory.",
    )
    picture = LogoField(
        required=False,
        label="Logo",
        help_text="PNG, JPEG or WebP, up to 1 MB. It is what offices decide by: check it.",
    )
    document_kinds = forms.MultipleChoiceField(
        choices=DocumentKind.choices, widget=forms.CheckboxSelectMultiple, label="Kinds"
    )

    class Meta:
        model = Partner
        fields = (
            *("name", "vendor", "legal_number", "email", "website", "connect_url", "colour"),
            *("document_kinds", "calls_per_minute"),
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["picture"] = self.instance.logo


class StateForm(forms.Form):
    """Where a partner goes from its state now, and why."""

    status = forms.ChoiceField(widget=forms.RadioSelect)
    reason = forms.CharField(max_length=300, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, partner: Partner, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        moves = [(target.value, target.label) for target in PARTNER_MOVES[partner.status]]
        # What ends consents for good takes two operators: see `backoffice.retiring`.
        if partner.consents.live().exists():
            moves = [move for move in moves if move[0] != PartnerStatus.RETIRED]
        cast(Any, self.fields["status"]).choices = moves


class Redirects(Rows):
    """Addresses, checked letter for letter by `partners.redirects`."""

    model = RedirectUri
    extra = 1


class Endpoint(Rows):
    """Where the software is told of decisions; `notifications.guarded` checks it when we send."""

    model = WebhookEndpoint
    extra = 1
    can_delete = False


class Certificates(Rows):
    model = ClientCertificate
    extra = 0


def fresh_secret(partner: Partner) -> tuple[Application, str]:
    """Make the partner's credentials, or rotate them; the secret is in no other place."""
    # Two operators at once must not make two pairs.
    Partner.objects.select_for_update().get(pk=partner.pk)
    known = Application.objects.filter(partner=partner).order_by("pk").first()
    if known is not None:
        return known, known.rotate_secret()
    secret = str(generate_client_secret())
    made = Application.objects.create(
        partner=partner,
        name=partner.name,
        client_id=generate_client_id(),
        client_secret=secret,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
    )
    return made, secret


@admin.register(Partner)
class Partners(Page):
    """A new partner is a draft; nobody deletes one, since consents speak of it."""

    form = PartnerForm
    inlines = (Redirects, Endpoint, Certificates)
    list_display = ("name", "vendor", "status")
    list_filter = ("status",)
    search_fields = ("name", "vendor", "legal_number")
    change_form_template = "admin/partner.html"

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.status = PartnerStatus.DRAFT
        obj.logo = form.cleaned_data["picture"]
        if obj.logo is not None:
            obj.logo.keep()
        super().save_model(request, obj, form, change)

    def get_urls(self) -> list[URLPattern]:
        secret = self.admin_site.admin_view(self.secret)
        state = self.admin_site.admin_view(self.state)
        retire = self.admin_site.admin_view(partial(retire_page, self))
        monitor = self.admin_site.admin_view(partial(monitor_page, self))
        return [
            path("<int:pk>/secret/", secret, name="partner_secret"),
            path("<int:pk>/state/", state, name="partner_state"),
            path("<int:pk>/monitor/", monitor, name="partner_monitor"),
            path("<int:pk>/retire/", retire, name="partner_retire"),
            *super().get_urls(),
        ]

    def state(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say what a move will stop, take the reason, and write both down with the move."""
        partner = self._partner(request, pk)
        form = StateForm(request.POST if request.method == "POST" else None, partner=partner)
        if request.method == "POST" and form.is_valid():
            status, reason = form.cleaned_data["status"], form.cleaned_data["reason"]
            with transaction.atomic():
                before = partner.status
                if partner.move(status):
                    told = f"State {status}: {reason}\nstatus: {before} → {status}"
                    self._log(request, partner, told)
                    transaction.on_commit(tell_of_software.delay, robust=True)
            return redirect("admin:partners_partner_change", pk)
        allowed = partner.consents.filter(status=Status.ALLOWED).select_related("office")
        context = {
            **self.admin_site.each_context(request),
            "title": "State",
            "partner": partner,
            "form": form,
            "allowed": allowed.count(),
            "waiting": partner.consents.awaiting_decision().count(),
            "offices": [consent.office for consent in allowed.order_by("office__name")[:20]],
        }
        return TemplateResponse(request, "admin/partner_state.html", context)

    def _partner(self, request: HttpRequest, pk: int) -> Partner:
        partner = get_object_or_404(Partner, pk=pk)
        if not self.has_change_permission(request, partner):
            raise PermissionDenied
        return partner

    def _log(self, request: HttpRequest, partner: Partner, message: str) -> None:
        LogEntry.objects.log_actions(
            cast(User, request.user).pk,
            Partner.objects.filter(pk=partner.pk),
            CHANGE,
            message,
            single_object=True,
        )

    def secret(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask by GET; make by POST and show the secret in that very answer, never again."""
        partner = self._partner(request, pk)
        context = {**self.admin_site.each_context(request), "partner": partner, "title": "Secret"}
        context["known"] = Application.objects.filter(partner=partner).first()
        if request.method == "POST":
            with transaction.atomic():
                context["application"], context["secret"] = fresh_secret(partner)
                self._log(request, partner, "New secret.")
        return TemplateResponse(request, "admin/partner_secret.html", context)
