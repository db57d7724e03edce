"""The page with the people who can log in, their requests, and the e-mails of the portal."""

from __future__ import annotations

import base64
import email
import email.policy
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Membership, Office
from demo.cast import PASSWORD
from demo.sandbox import SITUATIONS
from partners.models import Application, Partner

NEWEST = 20


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """The demo at a glance."""
    members = Membership.objects.active().select_related("user").order_by("pk")
    present = Prefetch("memberships", members)
    offices = Office.objects.real().prefetch_related(present).order_by("name")
    context = {
        "offices": offices,
        "password": PASSWORD,
        "software_url": settings.PORTAL_DEMO_SOFTWARE_URL,
        "mails": [(path.name, _read(path)) for path in _mails()[:NEWEST]],
    }
    return render(request, "demo/start.html", context)


@csrf_exempt
@require_POST
def situations(request: HttpRequest) -> JsonResponse:
    """Put the software whose credentials these are into a situation at one office."""
    partner = _partner(request)
    if partner is None:
        return JsonResponse({"error": "invalid_client"}, status=401)
    situation = SITUATIONS.get(request.POST.get("situation", ""))
    office = Office.objects.filter(company_number=request.POST.get("office", "")).first()
    if situation is None or office is None:
        known = ", ".join(SITUATIONS)
        fault = {"error": "invalid_request", "error_description": f"Known situations: {known}."}
        return JsonResponse(fault, status=400)
    return JsonResponse({"situation": situation.__name__, **situation(office, partner)})


def _partner(request: HttpRequest) -> Partner | None:
    """The software with these credentials (Basic), as at the token endpoint."""
    try:
        word = request.headers.get("Authorization", "").removeprefix("Basic ")
        name, _, secret = base64.b64decode(word).decode().partition(":")
    except ValueError:
        return None
    application = Application.objects.select_related("partner").filter(client_id=name).first()
    if application is None or not check_password(secret, application.client_secret):
        return None
    partner: Partner = application.partner
    return partner


@require_safe
def mail(request: HttpRequest, name: str) -> HttpResponse:
    """One mail as text."""
    for path in _mails():
        if path.name == name:
            message = _read(path)
            body = message.get_body(("plain", "html"))
            text = body.get_content() if body else ""
            return render(request, "demo/mail.html", {"message": message, "text": text})
    raise Http404


def _mails() -> list[Path]:
    folder = Path(settings.PORTAL_MAIL_DIR or "nowhere")
    return sorted(folder.glob("*.eml"), reverse=True)


def _read(path: Path) -> EmailMessage:
    with path.open("rb") as file:
        return email.message_from_binary_file(file, policy=email.policy.default)
