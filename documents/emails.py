"""The e-mail of documents: once a week, what is new among the missing ones."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import Office, User
from accounts.notification_preferences import NotificationPreference
from documents.completeness.check import offices_to_tell
from documents.models import CompletenessCheck, MissingMonth
from mailer.messages import Content, email_message
from mailer.models import OutgoingEmail
from mailer.outbox import enqueue

# More companies than that are a number: the page has all of them.
MOST_LISTED = 10


def send_digests() -> int:
    """Write an e-mail to everybody of each office where more is missing than they know of."""
    checks = offices_to_tell()
    for check in checks:
        with transaction.atomic():
            _send(check)
    return len(checks)


def _send(check: CompletenessCheck) -> None:
    now, since = timezone.now(), check.emailed_at
    members = check.office.memberships.active()
    readers = User.objects.filter(pk__in=members.values("user"))
    for reader in readers.exclude(
        muted_notifications__contains=[NotificationPreference.MISSING]
    ).order_by("pk"):
        enqueue(
            "missing_documents",
            reader.email,
            reader.language or check.office.language,
            dedupe_key=f"missing.{check.office_id}.{now:%G-%V}.{reader.pk}",
            person=reader.pk,
            office=check.office_id,
            since=since.isoformat() if since else "",
        )
    CompletenessCheck.objects.filter(pk=check.pk).update(emailed_at=now)


@email_message("missing_documents")
def missing_documents(email: OutgoingEmail) -> Content | None:
    """No news any more when everything has arrived meanwhile."""
    office = Office.objects.get(pk=email.context["office"])
    missing = MissingMonth.objects.filter(client__office=office).select_related("client")
    if since := email.context["since"]:
        missing = missing.filter(found_at__gt=datetime.fromisoformat(since))
    lines: dict[str, list[str]] = {}
    for one in missing.order_by("client__name", "client", "-month"):
        company = f"{one.client.name} ({one.client.code})"
        lines.setdefault(company, []).append(date_format(one.month, "F Y"))
    if not lines:
        return None
    listed = [
        f"{company}: {', '.join(dict.fromkeys(months))}"
        for company, months in list(lines.items())[:MOST_LISTED]
    ]
    return Content(
        {
            "office": office.name,
            "companies": len(lines),
            "listed": listed,
            "more": len(lines) - len(listed),
            "link": settings.PORTAL_URL
            + reverse("documents:completeness", args=[office.slug])
            + "?show=missing",
        }
    )
