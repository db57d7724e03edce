"""Who can log in, what waits for them, and the mails that the portal sent."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Office
from demo.cast import PASSWORD

NEWEST = 20


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """The demo at a glance."""
    offices = Office.objects.prefetch_related("memberships__user").order_by("name")
    context = {
        "offices": offices,
        "password": PASSWORD,
        "software_url": settings.PORTAL_SOFTWARE_URL,
        "mails": [(path.name, _read(path)) for path in _mails()[:NEWEST]],
    }
    return render(request, "demo/start.html", context)


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
