"""The e-mails about consents and transfers: to whom they go, and what their texts need."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse

from accounts.models import Membership, Role, User
from accounts.notification_preferences import NotificationPreference
from clients.models import ClientEvent
from clients.models.event import ANNOUNCED_KINDS, ClientEventKind
from consents.actors import ActorKind
from consents.evidence.receipt import signed_receipt
from consents.models import ConsentEvent, EventKind
from core.dates import day_in_words, moment_in_words
from core.sandbox import World
from mailer.messages import Content, email_message
from mailer.models import OutgoingEmail
from mailer.outbox import enqueue
from notifications.models import WebhookEndpoint

# Which switch of a person rules which mail. None: it protects the office and always goes out.
PREFERENCE_BY_KIND: dict[str, NotificationPreference | None] = {
    EventKind.REQUESTED: NotificationPreference.REQUESTS,
    EventKind.REMINDED: NotificationPreference.REQUESTS,
    EventKind.ASKED: NotificationPreference.ASKED,
    EventKind.ALLOWED: None,
    EventKind.DENIED: NotificationPreference.DECISIONS,
    EventKind.CANCELLED: NotificationPreference.DECISIONS,
    EventKind.PAUSED: NotificationPreference.DECISIONS,
    EventKind.RESUMED: NotificationPreference.DECISIONS,
    EventKind.FIRST_FETCHED: NotificationPreference.USE,
    EventKind.UNUSED: NotificationPreference.USE,
    EventKind.UNUSUAL: None,
    EventKind.TERMS_CHANGED: None,
    EventKind.TERMS_REMINDED: None,
    EventKind.REAFFIRMED: NotificationPreference.DECISIONS,
    EventKind.SUSPENDED: None,
    EventKind.REINSTATED: None,
}


# E-mails of a day to one person about what one partner did; the portal shows the rest.
EMAILS_A_DAY = 3


def preference_of(event: ConsentEvent) -> NotificationPreference | None:
    """What an operator does always goes out."""
    return None if event.actor_kind == ActorKind.OPERATOR else PREFERENCE_BY_KIND[event.kind]


def readers(event: ConsentEvent) -> list[User]:
    """The Admins of the office, except the one who acted; after an allow they too get a receipt.

    In the sandbox there is nobody to tell.
    """
    if event.kind not in PREFERENCE_BY_KIND or event.office.kind == World.SANDBOX:
        return []
    # Also where the office was closed a moment ago, and its consents with it.
    admins = event.office.memberships.reachable().filter(role=Role.ADMIN)
    if event.kind == EventKind.ASKED and event.asked:
        admins = admins.filter(user__in=event.asked)
    people = User.objects.filter(pk__in=admins.values("user"))
    preference = preference_of(event)
    everybody = preference == NotificationPreference.DECISIONS and event.office.decisions_to_all
    if preference is not None and not everybody:
        people = people.exclude(muted_notifications__contains=[preference])
    if event.kind != EventKind.ALLOWED and event.person_id:
        people = people.exclude(pk=event.person_id)
    return list(people.order_by("pk"))


def send_consent_emails(event: ConsentEvent) -> None:
    """Write one e-mail to everybody who must be told of this event of a consent."""
    for reader in readers(event):
        if event.actor_kind != ActorKind.PARTNER or not _has_heard_enough(reader, event):
            _enqueue(f"consent_{event.kind}", reader, event)


def _has_heard_enough(reader: User, event: ConsentEvent) -> bool:
    """Whether the person got all e-mails of a day about what this partner did, at any office."""
    done = ConsentEvent.objects.filter(
        consent__partner=event.consent.partner_id,
        actor_kind=ActorKind.PARTNER,
        office__in=Membership.objects.filter(user=reader).values("office"),
        at__gt=event.at - timedelta(days=1),
    ).exclude(pk=event.pk)
    keys = [f"{uuid}.{reader.pk}" for uuid in done.values_list("uuid", flat=True)]
    return OutgoingEmail.objects.filter(dedupe_key__in=keys).count() >= EMAILS_A_DAY


@email_message(*(f"consent_{kind}" for kind in PREFERENCE_BY_KIND))
def consent_event(email: OutgoingEmail) -> Content:
    """The receipt goes with an allow; the words that somebody wrote go with what they are about."""
    events = ConsentEvent.objects.select_related("consent__partner", "office")
    event = events.get(pk=email.context["event"])
    by_operators = event.actor_kind == ActorKind.OPERATOR
    context = {
        "event": event,
        "software": event.consent.partner.name,
        "office": event.office.name,
        "person": event.actor_name,
        "until": day_in_words(_last_day(event.until)),
        "lapses": day_in_words(event.consent.lapses_at),
        "note": event.reason if event.kind == EventKind.ASKED or by_operators else "",
        "can_be_switched_off": preference_of(event) is not None,
        "link": settings.PORTAL_URL + _path_of(event),
    }
    if event.kind == EventKind.ALLOWED:
        receipt = ("receipt.json", signed_receipt(event), "application/json")
        return Content(context, (receipt,))
    return Content(context)


def _path_of(event: ConsentEvent) -> str:
    consent = event.consent
    if event.kind in (EventKind.REQUESTED, EventKind.REMINDED, EventKind.ASKED):
        return reverse("consents:manage", args=[consent.uuid]) + "?via=overview"
    if event.kind in (EventKind.TERMS_CHANGED, EventKind.TERMS_REMINDED):
        return reverse("consents:terms", args=[event.office.slug, consent.uuid])
    return reverse("consents:detail", args=[event.office.slug, consent.uuid])


def send_transfer_emails(event: ClientEvent) -> None:
    """Write one e-mail to each Admin of the office, except the one who acted; none has a switch."""
    side = "giver" if event.details["leaving"] else "receiver"
    admins = event.office.memberships.admins().exclude(user=event.by)
    for reader in User.objects.filter(pk__in=admins.values("user")).order_by("pk"):
        _enqueue(f"{event.kind}_{side}", reader, event)


@email_message(*(f"{kind}_{side}" for kind in ANNOUNCED_KINDS for side in ("giver", "receiver")))
def transfer_event(email: OutgoingEmail) -> Content:
    event = ClientEvent.objects.select_related("office").get(pk=email.context["event"])
    path = reverse("clients:companies", args=[event.office.slug])
    if event.kind == ClientEventKind.TRANSFER_ASKED and not event.details["leaving"]:
        path = reverse("clients:answer", args=[event.office.slug, event.details["transfer"]])
    context = {
        "event": event,
        "company": event.client_name,
        "office": event.office.name,
        "other": event.details["other"],
        "person": event.by_name,
        "moment": moment_in_words(event.moment),
        "can_be_switched_off": False,
        "link": settings.PORTAL_URL + path,
    }
    return Content(context)


def _enqueue(message: str, reader: User, event: ConsentEvent | ClientEvent) -> None:
    enqueue(
        message,
        reader.email,
        reader.language or event.office.language,
        dedupe_key=f"{event.uuid}.{reader.pk}",
        person=reader.pk,
        event=event.pk,
    )


def _last_day(until: datetime | None) -> datetime | None:
    """A pause ends at midnight; people name the day before."""
    return until - timedelta(seconds=1) if until else None


def send_webhook_trouble(endpoint: WebhookEndpoint) -> None:
    """Tell the partner and the operators that an endpoint is off, or could not be reached."""
    since = endpoint.off_at or endpoint.flagged_at
    mailboxes = sorted({endpoint.partner.email, settings.PORTAL_SUPPORT_EMAIL})
    for number, mailbox in enumerate(mailboxes):
        enqueue(
            "webhook_trouble",
            mailbox,
            "",
            dedupe_key=f"webhook.{endpoint.pk}.{since and since.timestamp()}.{number}",
            software=endpoint.partner.name,
            url=endpoint.url,
            is_off=endpoint.off_at is not None,
        )


@email_message("webhook_trouble")
def webhook_trouble(email: OutgoingEmail) -> Content:
    link = settings.PORTAL_URL + reverse("partner_api:developers")
    return Content({**email.context, "link": link})
