"""The e-mails about people and their accounts: to whom they go, and what their texts need.

No row of the outbox holds a secret. The key of an invitation follows from a seed in the row and
PORTAL_SECRET_KEY; the other links are signed when the e-mail is sent. So a stolen database opens
nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.dispatch import receiver
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import urlencode
from django.utils.translation import gettext

from accounts.models import Invitation, OfficeEvent, OfficeEventKind, User
from accounts.models.invitation import token_of
from accounts.notification_preferences import NotificationPreference
from accounts.signals import invitation_link_made, office_event_written
from accounts.user_agents import name_of_user_agent
from core.client_ip import address_of
from mailer.messages import Content, email_message
from mailer.models import OutgoingEmail
from mailer.outbox import enqueue

# These change who works for an office, so its other Admins get an e-mail.
PEOPLE_CHANGED = {
    OfficeEventKind.JOINED,
    OfficeEventKind.ROLE_CHANGED,
    OfficeEventKind.REMOVED,
    OfficeEventKind.LEFT,
}


def send_credential_changed(
    request: HttpRequest,
    person: User,
    what: str,
    mailbox: str = "",
    message: str = "credential_changed",
) -> None:
    """Tell a person what happened to their account, when, and from which address and browser."""
    enqueue(
        message,
        mailbox or person.email,
        person.language or translation.get_language() or "",
        person=person.pk,
        what=what,
        at=timezone.now().isoformat(),
        address=address_of(request),
        browser=request.headers.get("User-Agent", "")[:200],
    )


@email_message("credential_changed", "new_login")
def credential_changed(email: OutgoingEmail) -> Content:
    at = datetime.fromisoformat(email.context["at"])
    link = settings.PORTAL_URL + reverse("account_reset_password")
    browser = name_of_user_agent(email.context["browser"]) or gettext("an unknown browser")
    # An operator belongs to no office, so no Admin can help them.
    person = User.objects.filter(pk=email.context["person"]).first()
    is_operator = person is not None and person.is_staff
    more = {"at": at, "browser": browser, "link": link, "is_operator": is_operator}
    return Content({**email.context, **more})


def send_password_reset(
    person: User | None, language: str, next_path: str = "", press: str = ""
) -> None:
    """Let a worker send the link to choose a new password, and then to go on to `next_path`.

    Without a person the row names nobody, and the worker sends nothing. A second press of the
    same button (core.presses) sends nothing more.
    """
    to, pk = ("", None) if person is None else (person.email, person.pk)
    enqueue("password_reset", to, language, dedupe_key=press, person=pk, next=next_path)


def password_reset_path(person: User) -> str:
    """Sign the path of the page on which this person chooses a new password; valid for an hour."""
    key = {"uidb36": user_pk_to_url_str(person), "key": default_token_generator.make_token(person)}
    return reverse("account_reset_password_from_key", kwargs=key)


@email_message("password_reset")
def password_reset(email: OutgoingEmail) -> Content | None:
    """Sign the link now; an account that was closed meanwhile gets none."""
    person = User.objects.filter(pk=email.context["person"], is_active=True).first()
    if person is None:
        return None
    path = password_reset_path(person)
    if onwards := email.context.get("next"):
        path += "?" + urlencode({"next": onwards})
    return Content({"link": settings.PORTAL_URL + path})


@receiver(invitation_link_made)
def send_invitation(
    invitation: Invitation, event: OfficeEvent, seed: str, next_path: str = "", **kwargs: Any
) -> None:
    """Let a worker send the link whose key follows from the seed."""
    person = User.objects.filter(email__iexact=invitation.email).first()
    enqueue(
        "invitation",
        invitation.email,
        (person and person.language) or invitation.language,
        dedupe_key=str(event.uuid),
        invitation=invitation.pk,
        seed=seed,
        next=next_path,
    )


@email_message("invitation")
def invitation_link(email: OutgoingEmail) -> Content | None:
    """Make the link now; an invitation that was sent again, used or withdrawn has none."""
    invitation = Invitation.objects.select_related("office", "invited_by").get(
        pk=email.context["invitation"]
    )
    key = invitation.key_of(email.context["seed"])
    if key is None:
        return None
    link = f"{settings.PORTAL_URL}/invitation/{token_of(key)}"
    if email.context["next"]:
        link += "?" + urlencode({"next": email.context["next"]})
    return Content({"invitation": invitation, "inviter": str(invitation.invited_by), "link": link})


@receiver(office_event_written)
def send_people_changed(event: OfficeEvent, **kwargs: Any) -> None:
    """Tell the other Admins who came, went or got another role, unless they switched that off."""
    if event.kind not in PEOPLE_CHANGED:
        return
    admins = event.office.memberships.admins().exclude(user=event.by).exclude(user=event.person)
    readers = User.objects.filter(pk__in=admins.values("user"), is_active=True)
    for reader in readers.exclude(
        muted_notifications__contains=[NotificationPreference.PEOPLE]
    ).order_by("pk"):
        enqueue(
            "people_changed",
            reader.email,
            reader.language or event.office.language,
            dedupe_key=f"{event.uuid}.{reader.pk}",
            person=reader.pk,
            event=event.pk,
        )


@email_message("people_changed")
def people_changed(email: OutgoingEmail) -> Content:
    event = OfficeEvent.objects.select_related("office").get(pk=email.context["event"])
    link = settings.PORTAL_URL + reverse("accounts:users", args=[event.office.slug])
    return Content({"event": event, "link": link})
