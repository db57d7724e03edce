"""What a person has to do in an office: one list, what is due first on top."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Invitation, Office
from clients.models import Transfer
from consents import deadlines
from consents.deadlines import Deadline
from consents.models import Consent
from core.dates import day_in_words, moment_in_words
from core.email_address import readable_email
from documents.models import QuarantinedFile
from partners.models import Partner

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Task:
    """Something to do: what, why, until when, and the one act that does it.

    `about` tells a screen reader which of several equal acts this is.
    """

    what: str
    url: str
    act: str
    about: str
    office: Office
    why: list[str] = field(default_factory=list)
    deadline: Deadline | None = None
    partner: Partner | None = None
    icon: str = "info"

    @property
    def due(self) -> datetime:
        return self.deadline.at if self.deadline else NEVER


def by_deadline(*groups: Iterable[Task]) -> list[Task]:
    """All of them, what is due first on top; what has no deadline as it comes."""
    return sorted((task for group in groups for task in group), key=lambda task: task.due)


def requests(waiting: Iterable[Any], now: datetime, *, decides: bool) -> Iterator[Task]:
    """The requests for access that wait; each with `asks`: the colleagues who want a decision."""
    for consent in waiting:
        url = reverse("consents:manage", args=[consent.uuid])
        at = moment_in_words(consent.requested_at)
        yield Task(
            _("%(software)s asks for access") % {"software": consent.partner.name},
            f"{url}?via=overview" if decides else url,
            _("Review request") if decides else _("Open the request"),
            consent.partner.name,
            consent.office,
            [_("Requested on %(at)s") % {"at": at}, *_asks(consent, decides=decides)],
            deadlines.lapse(consent.lapses_at, now),
            consent.partner,
        )


def _asks(consent: Any, *, decides: bool) -> Iterator[str]:
    for ask in consent.asks:
        at = moment_in_words(ask.at)
        sentence = (
            _("%(person)s asks you to decide (%(at)s)")
            if decides
            else _("%(person)s asked the Admins to decide (%(at)s)")
        )
        yield sentence % {"person": ask.actor_name, "at": at}
        if ask.reason:
            yield f"“{ask.reason}”"


def whose_giver_left(consents: Iterable[Any], now: datetime) -> Iterator[Task]:
    """Consents whose `giver` has left the office: somebody has to agree anew."""
    for consent in consents:
        names = {"person": consent.giver, "name": consent.partner.name}
        changed = [_about_the_terms(consent, now)] if consent.accept_terms_by else []
        yield _of_a_consent(
            consent,
            _(
                "%(person)s, who gave the consent for %(name)s, has left the office."
                " Do you want to keep it?"
            )
            % names,
            "consents:reaffirm",
            _("Keep or cancel"),
            now,
            changed,
        )


def whose_terms_changed(consents: Iterable[Consent], now: datetime) -> Iterator[Task]:
    """Consents of which only the terms changed."""
    for consent in consents:
        what = _about_the_terms(consent, now)
        yield _of_a_consent(consent, what, "consents:terms", _("Read the changed terms"), now, [])


def _of_a_consent(
    consent: Consent, what: str, page: str, act: str, now: datetime, why: list[str]
) -> Task:
    until = consent.accept_terms_by
    deadline = deadlines.other(until, now) if until and not consent.terms_overdue(now) else None
    url = reverse(page, args=[consent.office.slug, consent.uuid])
    name = consent.partner.name
    return Task(what, url, act, name, consent.office, why, deadline, consent.partner)


def _about_the_terms(consent: Consent, now: datetime) -> str:
    sentence = (
        _(
            "Access by %(name)s has been paused since %(until)s because nobody accepted"
            " the changed terms."
        )
        if consent.terms_overdue(now)
        else _(
            "The terms for %(name)s have changed. If nobody accepts them, access is paused"
            " on %(until)s."
        )
    )
    until = day_in_words(consent.accept_terms_by)
    return sentence % {"name": consent.partner.name, "until": until}


def transfers(arriving: Iterable[Transfer], *, decides: bool) -> Iterator[Task]:
    """Companies that another office wants to give to this one."""
    for transfer in arriving:
        at = moment_in_words(transfer.asked_at)
        names = {"giver": transfer.from_office.name, "company": transfer.client.name}
        yield Task(
            _("%(giver)s asks you to take over %(company)s") % names,
            reverse("clients:answer", args=[transfer.to_office.slug, transfer.uuid])
            if decides
            else reverse("clients:companies", args=[transfer.to_office.slug]),
            _("Accept or decline") if decides else _("Open"),
            transfer.client.name,
            transfer.to_office,
            [_("Requested on %(at)s") % {"at": at}],
            icon="companies",
        )


def invitations(ending: Iterable[Invitation], office: Office, now: datetime) -> Iterator[Task]:
    """Invitations that nobody accepted and that end soon, or have ended."""
    for invitation in ending:
        email = readable_email(invitation.email)
        at = moment_in_words(invitation.expires_at)
        sentence = (
            _("The invitation for %(email)s has expired.")
            if invitation.is_expired
            else _("The invitation for %(email)s expires on %(at)s.")
        )
        yield Task(
            sentence % {"email": email, "at": at},
            reverse("accounts:users", args=[office.slug]),
            _("Manage users"),
            email,
            office,
            deadline=None if invitation.is_expired else deadlines.other(invitation.expires_at, now),
            icon="mail",
        )


def only_admin(office: Office) -> Task:
    """There is nobody else who can decide."""
    return Task(
        _("You are the only Admin. When you are away, nobody can answer requests or stop access."),
        reverse("accounts:users", args=[office.slug]),
        _("Manage users"),
        "",
        office,
        icon="alert",
    )


def waiting_files(office: Office) -> Iterator[Task]:
    """Files that came for a company of the office and could not be filed."""
    count = QuarantinedFile.objects.concerning(office).count()
    if count:
        sentence = ngettext(
            "%(n)s file for your companies cannot be used as it is.",
            "%(n)s files for your companies cannot be used as they are.",
            count,
        )
        yield Task(
            sentence % {"n": count},
            reverse("documents:waiting_files", args=[office.slug]),
            _("Files that wait"),
            "",
            office,
            icon="alert",
        )
