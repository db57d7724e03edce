"""The mails about a consent: to whom, and in which words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts import mails
from accounts.models import Role, User
from accounts.topics import Topic
from consents.actors import ActorKind
from consents.models import ConsentEvent, EventKind
from consents.receipt import signed_receipt
from notifications.models import CompanyMail, Mail

# Which switch of a person rules which mail. None: it protects the office and always goes out.
TOPICS: dict[str, Topic | None] = {
    EventKind.REQUESTED: Topic.REQUESTS,
    EventKind.REMINDED: Topic.REQUESTS,
    EventKind.ASKED: Topic.ASKED,
    EventKind.ALLOWED: None,
    EventKind.DENIED: Topic.DECISIONS,
    EventKind.CANCELLED: Topic.DECISIONS,
    EventKind.PAUSED: Topic.DECISIONS,
    EventKind.RESUMED: Topic.DECISIONS,
    EventKind.FIRST_FETCHED: Topic.USE,
    EventKind.UNUSED: Topic.USE,
    EventKind.UNUSUAL: None,
    EventKind.TERMS_CHANGED: None,
    EventKind.TERMS_REMINDED: None,
    EventKind.REAFFIRMED: Topic.DECISIONS,
    EventKind.SUSPENDED: None,
    EventKind.REINSTATED: None,
}


def topic_of(event: ConsentEvent) -> Topic | None:
    """What an operator does always goes out."""
    return None if event.actor_kind == ActorKind.OPERATOR else TOPICS[event.kind]


def receivers(event: ConsentEvent) -> list[User]:
    """The Admins of the office, but for who did it; the receipt of an allow goes to her as well."""
    if event.kind not in TOPICS:
        return []
    # Also where the office was closed a moment ago, and its consents with it.
    admins = event.office.memberships.told().filter(role=Role.ADMIN)
    if event.kind == EventKind.ASKED and event.asked:
        admins = admins.filter(user__in=event.asked)
    people = User.objects.filter(pk__in=admins.values("user"))
    topic = topic_of(event)
    everybody = topic == Topic.DECISIONS and event.office.decisions_to_all
    if topic is not None and not everybody:
        people = people.exclude(muted__contains=[topic])
    if event.kind != EventKind.ALLOWED and event.person_id:
        people = people.exclude(pk=event.person_id)
    return list(people.order_by("pk"))


class Words(NamedTuple):
    """What a mail says, in the language of the moment; `button` leads to `path`."""

    subject: str
    sentence: str
    button: str
    path: str


def words_of(event: ConsentEvent) -> Words:
    consent = event.consent
    told = {
        "software": consent.partner.name,
        "office": event.office.name,
        "person": event.actor_name,
        "until": event.until and date_format(timezone.localtime(event.until), "DATE_FORMAT"),
    }
    subject, sentence = (text % told for text in _texts()[event.kind])
    if event.kind in (EventKind.REQUESTED, EventKind.REMINDED, EventKind.ASKED):
        path = reverse("consents:manage", args=[consent.uuid]) + "?via=overview"
        return Words(subject, sentence, _("Open the request"), path)
    if event.kind in (EventKind.TERMS_CHANGED, EventKind.TERMS_REMINDED):
        path = reverse("consents:terms", args=[event.office.slug, consent.uuid])
        return Words(subject, sentence, _("Read the changed terms"), path)
    path = reverse("consents:detail", args=[event.office.slug, consent.uuid])
    return Words(subject, sentence, _("See the consent"), path)


def _texts() -> dict[str, tuple[str, str]]:
    """Subject and sentence by kind of event."""
    return {
        EventKind.REQUESTED: (
            _("%(software)s asks for access to %(office)s"),
            _(
                "%(software)s asks to read the documents of %(office)s. Nothing is shared before "
                "an Admin allows it."
            ),
        ),
        EventKind.REMINDED: (
            _("%(software)s still waits for your answer"),
            _(
                "%(software)s asked to read the documents of %(office)s and nobody has answered "
                "yet."
            ),
        ),
        EventKind.ASKED: (
            _("%(person)s asks you to decide about %(software)s"),
            _("%(person)s of %(office)s asks you to allow or deny the request of %(software)s."),
        ),
        EventKind.ALLOWED: (
            _("%(software)s may read the documents of %(office)s"),
            _(
                "%(person)s allowed %(software)s to read the documents of %(office)s. The receipt "
                "is attached."
            ),
        ),
        EventKind.DENIED: (
            _("%(software)s has no access to %(office)s"),
            _("%(person)s denied the request of %(software)s to read the documents of %(office)s."),
        ),
        EventKind.CANCELLED: (
            _("%(software)s can no longer read the documents of %(office)s"),
            _("%(person)s cancelled the consent for %(software)s. Its next request is refused."),
        ),
        EventKind.PAUSED: (
            _("Access of %(software)s to %(office)s is paused"),
            _("%(person)s paused the access of %(software)s to the documents of %(office)s."),
        ),
        EventKind.RESUMED: (
            _("%(software)s reads the documents of %(office)s again"),
            _(
                "%(person)s ended the pause: %(software)s may read the documents of %(office)s "
                "again."
            ),
        ),
        EventKind.FIRST_FETCHED: (
            _("%(software)s fetched documents of %(office)s for the first time"),
            _(
                "The connection works: %(software)s fetched documents of %(office)s for the first "
                "time."
            ),
        ),
        EventKind.UNUSED: (
            _("%(software)s has not fetched anything for 60 days"),
            _(
                "%(software)s may read the documents of %(office)s but has not done so for 60 "
                "days. If you no longer use it, cancel the consent."
            ),
        ),
        EventKind.TERMS_CHANGED: (
            _("The terms for %(software)s have changed"),
            _(
                "The terms under which %(software)s reads the documents of %(office)s have "
                "changed. Read what is different and accept them before %(until)s: on that day "
                "access pauses. Until then the old terms hold."
            ),
        ),
        EventKind.TERMS_REMINDED: (
            _("Access of %(software)s pauses on %(until)s"),
            _(
                "Nobody of %(office)s has accepted the changed terms for %(software)s yet. Without "
                "that its access pauses on %(until)s."
            ),
        ),
        EventKind.REAFFIRMED: (
            _("The consent of %(office)s for %(software)s goes on"),
            _(
                "Who agreed to it before has left. %(person)s confirmed that %(software)s may go "
                "on reading the documents of %(office)s."
            ),
        ),
        EventKind.SUSPENDED: (
            _("%(software)s cannot read the documents of %(office)s for now"),
            _(
                "We suspended %(software)s: each of its requests is refused until it is active "
                "again. The consent of %(office)s stays. You need not do anything."
            ),
        ),
        EventKind.REINSTATED: (
            _("%(software)s can read the documents of %(office)s again"),
            _(
                "%(software)s is active again, so the consent of %(office)s serves as before. If "
                "you no longer want that, cancel it."
            ),
        ),
        EventKind.UNUSUAL: (
            _("%(software)s fetches far more than usual from %(office)s"),
            _(
                "%(software)s fetches far more documents of %(office)s than usual. If you do not "
                "expect that, pause its access."
            ),
        ),
    }


def send(mail: Mail) -> bool:
    """Send a mail about a consent; tell whether the mail server took it."""
    event = mail.event
    by_operators = event.actor_kind == ActorKind.OPERATOR
    attachments = []
    if event.kind == EventKind.ALLOWED:
        attachments.append(("receipt.json", signed_receipt(event), "application/json"))
    return post(
        mail,
        words_of,
        attachments=attachments,
        note=event.reason if event.kind == EventKind.ASKED or by_operators else "",
        can_be_switched_off=topic_of(event) is not None,
    )


def post(mail: Mail | CompanyMail, words_of: Callable[[Any], Words], **more: Any) -> bool:
    """Send a mail in the language of its reader; tell whether the mail server took it."""
    event, person = mail.event, mail.person
    language = person.language or event.office.language
    with translation.override(language):
        words = words_of(event)
    # A mail server that took it twice shows it once: the same event, the same person.
    message_id = f"<{event.uuid}.{person.pk}@{settings.PORTAL_HOST}>"
    about = {"words": words, "at": event.at, **more}
    return mails.send("consent", person.email, language, message_id=message_id, **about)
