"""Partners in the admin: their entry, their state, their secrets and the API monitor."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.widgets import AdminFileWidget
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern
from oauth2_provider.generators import generate_client_id, generate_client_secret

from accounts.models import User
from backoffice.admin.field_checks import check_field
from backoffice.admin.guide import guide_page, preview_page
from backoffice.admin.monitor import monitor_page
from backoffice.admin.retire_partner import retire_page
from backoffice.admin.site import AdminPage
from consents.models import Status
from consents.tasks import write_software_status_events
from core.document_kinds import TYPE_CHOICES
from core.enterprise_number import CompanyNumberField
from core.locks import Lock, hold
from core.sandbox import World
from notifications.models import WebhookEndpoint
from notifications.webhooks.standard_webhooks import secret_of
from partners.certificates import plain_fingerprint
from partners.logos import read_logo
from partners.models import (
    PARTNER_MOVES,
    Application,
    ClientCertificate,
    Partner,
    PartnerStatus,
    RedirectUri,
)

if TYPE_CHECKING:
    Rows = admin.StackedInline[Any, Any]
    Entry = forms.ModelForm[Partner]
    RedirectEntry = forms.ModelForm[RedirectUri]
    CertificateEntry = forms.ModelForm[ClientCertificate]
else:
    Rows = admin.StackedInline
    Entry = RedirectEntry = CertificateEntry = forms.ModelForm


SECRETS, STATES = "backoffice.rotate_secret", "backoffice.change_state"
RETIRE = "backoffice.retire_partner"
SEE, EDIT = "partners.view_partner", "partners.change_partner"


class LogoField(forms.FileField):
    """A field for a picture, read by `partners.logos`. It is None where the picture is removed."""

    widget = AdminFileWidget

    def to_python(self, data: Any) -> Any:
        upload = super().to_python(data)
        return upload and read_logo(upload)

    def clean(self, data: Any, initial: Any = None) -> Any:
        return super().clean(data, initial) or None


class PartnerForm(Entry):
    """The entry of a partner. The status is not part of it: see `StateForm`."""

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
        help_text="PNG, JPEG or WebP, up to 1 MB. Offices rely on the logo when they decide, "
        "so check it carefully.",
    )
    document_kinds = forms.MultipleChoiceField(
        choices=TYPE_CHOICES, widget=forms.CheckboxSelectMultiple, label="Kinds"
    )

    legal_number = CompanyNumberField(label="Enterprise number")

    class Meta:
        model = Partner
        fields = (
            *("name", "kind", "vendor", "legal_number", "email", "website", "connect_url"),
            "colour",
            *("document_kinds", "calls_per_minute"),
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["picture"] = self.instance.logo
        self.fields["kind"].required = False
        self.fields["kind"].disabled = self.instance.pk is not None
        self.fields["kind"].help_text = (
            "Software of the sandbox sees only offices that it makes for itself. "
            "This cannot be changed later."
        )


class StateForm(forms.Form):
    """The new state of a partner, and the reason."""

    status = forms.ChoiceField(widget=forms.RadioSelect)
    reason = forms.CharField(
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Stands in the history, for colleagues.",
    )

    def __init__(self, *args: Any, partner: Partner, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        moves = [(target.value, target.label) for target in PARTNER_MOVES[partner.status]]
        # Ending consents permanently takes two operators: see `backoffice.admin.retire_partner`.
        if partner.consents.live().exists():
            moves = [move for move in moves if move[0] != PartnerStatus.RETIRED]
        cast(Any, self.fields["status"]).choices = moves


class RedirectForm(RedirectEntry):
    """One redirect address."""

    class Meta:
        model = RedirectUri
        fields = ("uri", "is_origin")
        help_texts = {
            "uri": (
                "Where this software wants the browser back after the decision, with https. "
                "The address that it sends must be exactly this one."
            ),
            "is_origin": (
                "Tick it to allow every address of this host: "
                "then enter https://software.example, without a path."
            ),
        }


class Redirects(Rows):
    """The redirect addresses of the partner. `partners.redirects` compares them exactly."""

    model = RedirectUri
    form = RedirectForm
    extra = 1


class Endpoint(Rows):
    """The webhook address of the partner. The SSRF guard checks it again on sending."""

    model = WebhookEndpoint
    extra = 1
    can_delete = False


class FingerprintField(forms.CharField):
    """A fingerprint as people copy it from openssl or nginx."""

    def to_python(self, value: Any) -> str:
        return plain_fingerprint(super().to_python(value) or "")


class CertificateForm(CertificateEntry):
    """One certificate, by its fingerprint."""

    fingerprint = FingerprintField(
        max_length=120, help_text="As openssl prints it: SHA-256 or SHA-1, with or without colons."
    )

    class Meta:
        model = ClientCertificate
        fields = ("fingerprint",)


class Certificates(Rows):
    """The client certificates of the partner."""

    model = ClientCertificate
    form = CertificateForm
    extra = 0


def credentials_of(partner: Partner) -> Application | None:
    """Return the credentials of the partner, or None where there are none yet."""
    credentials: Application | None = (
        Application.objects.filter(partner=partner).order_by("pk").first()
    )
    return credentials


def create_secret(partner: Partner, known: Application | None) -> tuple[Application, str]:
    """Create the credentials of the partner, or rotate them; return the secret as well."""
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
class Partners(AdminPage):
    """The partners. A new one is a draft; nobody deletes one, as its consents stay."""

    form = PartnerForm
    inlines = (Redirects, Endpoint, Certificates)
    list_display = ("name", "vendor", "status")
    list_filter = ("status", "kind")
    search_fields = ("name", "vendor", "legal_number")
    change_form_template = add_form_template = "admin/partner.html"

    def response_add(
        self, request: HttpRequest, obj: Partner, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Go on with what is left to do for this software."""
        answer = super().response_add(request, obj, post_url_continue)
        going_on = {"_continue", "_addanother", "_popup"} & set(request.POST)
        return answer if going_on else redirect("admin:partner_guide", obj.pk)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.status = PartnerStatus.DRAFT
            obj.listed = obj.kind == World.REAL
        obj.logo = form.cleaned_data["picture"]
        if obj.logo is not None:
            obj.logo.keep()
        super().save_model(request, obj, form, change)

    def get_urls(self) -> list[URLPattern]:
        monitor, retire = partial(monitor_page, self), partial(retire_page, self)
        guide, preview = partial(guide_page, self), partial(preview_page, self)
        check = partial(check_field, self)
        return [
            self.own_page("<int:pk>/guide/", guide, "partner_guide", SEE),
            self.own_page("<int:pk>/preview/<str:language>/", preview, "partner_preview", SEE),
            self.own_page("check/", check, "partner_check", "partners.add_partner", EDIT),
            self.own_page("<int:pk>/secret/", self.secret, "partner_secret", SECRETS),
            self.own_page(
                "<int:pk>/webhook_secret/", self.webhook_secret, "partner_webhook_secret", SECRETS
            ),
            self.own_page("<int:pk>/state/", self.state, "partner_state", STATES),
            self.own_page("<int:pk>/monitor/", monitor, "partner_monitor", SEE),
            self.own_page("<int:pk>/retire/", retire, "partner_retire", RETIRE),
            *super().get_urls(),
        ]

    def state(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Change the state of a partner, with a reason; show what that stops."""
        partner = get_object_or_404(Partner, pk=pk)
        form = StateForm(request.POST if request.method == "POST" else None, partner=partner)
        if request.method == "POST" and form.is_valid():
            status, reason = form.cleaned_data["status"], form.cleaned_data["reason"]
            with transaction.atomic():
                before = partner.status
                moved = partner.move(status)
                if moved:
                    entry = f"State {status}: {reason}\nstatus: {before} → {status}"
                    self._log(request, partner, entry)
                    transaction.on_commit(write_software_status_events.delay, robust=True)
            if moved:
                message = f"The state of {partner.name} is now: {PartnerStatus(status).label}."
                self.message_user(request, message, messages.SUCCESS)
            was_draft = before == PartnerStatus.DRAFT
            page = "admin:partner_guide" if was_draft else "admin:partners_partner_change"
            return redirect(page, pk)
        allowed = partner.consents.filter(status=Status.ALLOWED).select_related("office")
        return self.render_page(
            request,
            "admin/partner_state.html",
            "State",
            partner=partner,
            form=form,
            allowed=allowed.count(),
            waiting=partner.consents.awaiting_decision().count(),
            offices=[consent.office for consent in allowed.order_by("office__name")[:20]],
        )

    def _log(self, request: HttpRequest, partner: Partner, message: str) -> None:
        LogEntry.objects.log_actions(
            cast(User, request.user).pk,
            Partner.objects.filter(pk=partner.pk),
            CHANGE,
            message,
            single_object=True,
        )

    def secret(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Create a secret and show it in the answer to the POST, never again; or revoke both."""
        partner = get_object_or_404(Partner, pk=pk)
        context: dict[str, Any] = {}
        if request.method == "POST":
            with transaction.atomic():
                # Two operators at once must not create two secrets.
                hold(Partner, partner.pk, lock=Lock.CHANGE)
                context = self._change_secret(request, partner)
        known = credentials_of(partner)
        context |= {"partner": partner, "known": known, "token": known.form_token if known else ""}
        return self.render_page(request, "admin/partner_secret.html", "Secret", **context)

    def webhook_secret(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Make a secret for the webhooks and show it in the answer to the POST, never again."""
        partner = get_object_or_404(Partner, pk=pk)
        endpoint = WebhookEndpoint.objects.of_partner(partner.pk)
        secret = ""
        if request.method == "POST" and endpoint is not None:
            # The number of the form: a form that is sent twice changes nothing more.
            version = request.POST.get("version", "")
            if version == str(endpoint.secret_version) and endpoint.renew_secret(int(version)):
                secret = secret_of(endpoint)
                self._log(request, partner, "New webhook secret.")
            else:
                message = "Nothing was done because the secret has changed in the meantime."
                self.message_user(request, message, messages.WARNING)
        context = {"partner": partner, "endpoint": endpoint, "secret": secret}
        return self.render_page(
            request, "admin/partner_webhook_secret.html", "Webhook secret", **context
        )

    def _change_secret(self, request: HttpRequest, partner: Partner) -> dict[str, Any]:
        """Do what the pressed button says, once: a form that is sent twice changes nothing more."""
        known = credentials_of(partner)
        if request.POST.get("token") != (known.form_token if known else ""):
            message = "Nothing was done because the secret has changed in the meantime."
            self.message_user(request, message, messages.WARNING)
            return {}
        if request.POST.get("button") == "revoke" and known is not None:
            known.revoke_secrets()
            self._log(request, partner, "Both secrets revoked.")
            self.message_user(request, "Both secrets are revoked.", messages.SUCCESS)
            return {}
        application, secret = create_secret(partner, known)
        self._log(request, partner, "New secret.")
        return {"application": application, "secret": secret}
