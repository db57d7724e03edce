"""The guide to connect software: what is done, what is left, a preview and a test webhook."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import LANGUAGES, Office
from backoffice.admin.site import AdminPage, has_right, require_right
from consents.models import Consent, Terms
from consents.presenters import Scope, kinds_in_words
from notifications.models import WebhookEndpoint
from notifications.webhooks.try_out import TestIsRunning, try_out
from partners.models import Application, Partner, PartnerStatus

TEST = "backoffice.test_webhook"


class Step(NamedTuple):
    """One thing to do before software goes live."""

    what: str
    done: bool
    note: str
    # Empty where the operator may not open the page.
    url: str
    # Whether software can go live without it.
    optional: bool = False


def steps(partner: Partner, *, may_rotate: bool, may_activate: bool) -> list[Step]:
    """Return the path from a draft to active software, in order."""
    entry = reverse("admin:partners_partner_change", args=[partner.pk])
    credentials = Application.objects.filter(partner=partner).order_by("pk").first()
    endpoint = WebhookEndpoint.objects.of_partner(partner.pk)
    redirects, certificates = partner.redirect_uris.count(), partner.certificates.count()
    looks = "its logo" if partner.logo_id else f"the letters {partner.initials}"
    used = credentials is not None and credentials.secret_used_at is not None
    active = partner.status == PartnerStatus.ACTIVE
    return [
        Step("Entry", True, f"{partner.vendor}, {partner.legal_number}, {partner.email}", entry),
        Step(
            "Logo",
            partner.logo_id is not None,
            f"Offices see {looks}.",
            f"{entry}#id_picture",
            optional=True,
        ),
        Step(
            "Redirect addresses",
            redirects > 0,
            f"{redirects} registered. Without one, no office can be sent here to decide.",
            f"{entry}#redirect_uris-group",
        ),
        Step(
            "Webhook address",
            endpoint is not None,
            endpoint.url if endpoint else "Without one, the software reads the event feed.",
            f"{entry}#webhook_endpoint-group",
            optional=True,
        ),
        Step(
            "Client certificate",
            certificates > 0,
            f"{certificates} registered. Needed where this portal asks for mutual TLS.",
            f"{entry}#certificates-group",
            optional=True,
        ),
        Step(
            "Client id and secret",
            credentials is not None,
            "The secret is shown once." if credentials is None else "Created.",
            reverse("admin:partner_secret", args=[partner.pk]) if may_rotate else "",
        ),
        Step(
            "Activate",
            active,
            f"The state is: {partner.get_status_display()}. Offices see it once it is active.",
            reverse("admin:partner_state", args=[partner.pk]) if may_activate else "",
        ),
        Step(
            "First call",
            used,
            "The secret was used." if used else "The secret was not used yet.",
            reverse("admin:partner_monitor", args=[partner.pk]),
            optional=True,
        ),
    ]


def guide_page(page: AdminPage, request: HttpRequest, pk: int) -> HttpResponse:
    """Show what is done and what is left; a POST sends a test webhook and says the answer."""
    partner = get_object_or_404(Partner, pk=pk)
    endpoint = WebhookEndpoint.objects.of_partner(partner.pk)
    if request.method == "POST":
        require_right(request, TEST)
        if endpoint is not None:
            _try_webhook(page, request, endpoint)
        return redirect("admin:partner_guide", pk)
    path = steps(
        partner,
        may_rotate=has_right(request, "backoffice.rotate_secret"),
        may_activate=has_right(request, "backoffice.change_state"),
    )
    credentials = Application.objects.filter(partner=partner).order_by("pk").first()
    copied = {
        "Client id": credentials.client_id if credentials else "",
        "Software id": str(partner.uuid),
        "Webhook address": endpoint.url if endpoint else "",
    }
    return page.render_page(
        request,
        "admin/partner_guide.html",
        f"Connect {partner}",
        partner=partner,
        steps=path,
        next_step=next((step for step in path if not (step.done or step.optional)), None),
        copied={name: text for name, text in copied.items() if text},
        endpoint=endpoint,
        may_test=has_right(request, TEST),
        languages=LANGUAGES,
    )


def _try_webhook(page: AdminPage, request: HttpRequest, endpoint: WebhookEndpoint) -> None:
    try:
        result = try_out(endpoint)
    except TestIsRunning:
        page.message_user(request, "A test is running. Try again after it.", messages.WARNING)
        return
    well = result.status is not None and 200 <= result.status < 300
    said = f"{endpoint.url} answered {result.status} after {result.milliseconds} ms."
    if result.status is None:
        said = f"{endpoint.url} did not answer: {result.error}"
    page.log_change(request, endpoint.partner, f"Sent a test webhook. {said}")
    page.message_user(request, said, messages.SUCCESS if well else messages.ERROR)


def preview_page(page: AdminPage, request: HttpRequest, pk: int, language: str) -> HttpResponse:
    """Show the consent screen as an office will see it, with an office that does not exist."""
    partner = get_object_or_404(Partner, pk=pk)
    if language not in dict(LANGUAGES):
        raise Http404
    office = Office(name="Kantoor Voorbeeld", company_number="0403170701", slug="preview")
    consent = Consent(partner=partner, office=office, requested_at=timezone.now())
    with translation.override(language):
        context: dict[str, Any] = {
            "consent": consent,
            "stage": "preview",
            "scope": Scope(
                kinds=kinds_in_words(partner.document_kinds),
                kinds_left_out=[],
                companies=48,
                left_out=0,
                shares_new=True,
            ),
            "terms": Terms.objects.in_force(language),
            "language": language,
        }
        answer = page.render_page(
            request, "admin/partner_preview.html", "Preview", partner=partner, **context
        )
        answer.render()
    return answer
