"""What operators tell people about a consent: why access is refused now, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from accounts.models import Office
from consents.access import AccessContext, DenialReason
from consents.models import Consent, Evidence, Status
from consents.presenters import Proof, Scope
from core.dates import moment_in_words
from mailer.models import OutgoingEmail

# An office rarely has so many consents, and a consent so many events.
MOST = 50


def access_in_words(consent: Consent, access: AccessContext) -> str:
    """Whether software reads documents at this moment; if not, why, and who can change that."""
    reason = access.denial_reason()
    if reason is None:
        return "Granted"
    if reason == DenialReason.NOT_CONFIRMED:
        why = {
            Status.TO_BE_DETERMINED: "the office has not decided on the request.",
            Status.DENIED: "the office denied it. The software may ask again.",
            Status.CANCELLED: "the consent was cancelled. The software may ask again.",
        }[Status(consent.status)]
    else:
        until = consent.paused_until
        end = f"until {moment_in_words(until)}" if until else "until an Admin resumes it"
        why = {
            DenialReason.PARTNER_SUSPENDED: "the software is not active. Operators activate it.",
            DenialReason.OFFICE_SUSPENDED: "the office is suspended. Operators reactivate it.",
            DenialReason.PAUSED: f"the office paused it, {end}.",
            DenialReason.TERMS_OVERDUE: "an Admin of the office has to accept the changed terms.",
        }[reason]
    return f"Refused ({reason}): {why}"


def last_download(consent: Consent) -> str:
    """When software last got a document, and how many calls were refused since the end."""
    proof = Proof.of(consent)
    last = moment_in_words(proof.last_served_at) if proof.last_served_at else "Never"
    refused = proof.refused_since
    return f"{last}; {refused} refused since the end" if refused else last


def scope_in_words(consent: Consent) -> str:
    """How much the office shares: names of kinds, and numbers of companies without their names."""
    scope = Scope.of(consent)
    parts = [f"{', '.join(scope.kinds) or 'No kinds'}; {scope.companies} companies"]
    if scope.kinds_left_out or scope.left_out:
        kinds = ", ".join(scope.kinds_left_out) or "no kinds"
        parts.append(f"Left out: {kinds}; {scope.left_out} companies")
    return ". ".join(parts) + "."


def terms_in_words(consent: Consent) -> str:
    """Which terms an Admin of the office accepted last for this consent."""
    accepted = Evidence.objects.filter(event__consent=consent).order_by("-event__number")
    version = accepted.values_list("terms_version", "terms_language").first()
    return "None accepted" if version is None else f"Version {version[0]}, read in {version[1]}"


def mails_about(consent: Consent) -> str:
    """Return the e-mails of the last 30 days about the events of this consent, the newest first."""
    events = consent.events.order_by("-number").values_list("uuid", flat=True)[:MOST]
    about = Q(pk__in=[])
    for event in events:
        about |= Q(dedupe_key__startswith=f"{event}.")
    mails = OutgoingEmail.objects.filter(about).order_by("-pk")[:MOST]
    return as_list((mail.message, mail.recipient, _outcome(mail)) for mail in mails)


def _outcome(mail: OutgoingEmail) -> str:
    if mail.sent_at:
        return f"sent {moment_in_words(mail.sent_at)}"
    return "given up" if mail.given_up_at else f"waits, tried {mail.attempts} times"


def consents_of(office: Office) -> str:
    """The newest consents of the office with their access now, each with its link."""
    consents = office.consents.select_related("partner").order_by("-pk")[:MOST]
    accesses = AccessContext.of_consents(consent.pk for consent in consents)
    rows = format_html_join(
        "",
        '<li><a href="{}">{}</a> · {} · {}</li>',
        (
            (
                reverse("admin:consents_consent_change", args=[consent.pk]),
                consent.partner,
                consent.get_status_display(),
                access_in_words(consent, accesses[consent.pk]),
            )
            for consent in consents
        ),
    )
    return format_html("<ul>{}</ul>", rows) if rows else "None"


def as_list(rows: Iterable[tuple[Any, Any, Any]]) -> str:
    """Three texts in each line of a list; the word None where there is no line."""
    lines = format_html_join("", "<li>{} · {} · {}</li>", rows)
    return format_html("<ul>{}</ul>", lines) if lines else "None"
