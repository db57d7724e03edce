"""The first page of the admin: what waits for an operator, and how things stand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode

from django.db.models import Count, Exists, Min, OuterRef, Sum, Value
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership, Office, User
from backoffice.models.claims import AccountClaim, CompanyClaim
from backoffice.models.four_eyes import FourEyesApproval
from backoffice.second_operator import page_of, right_to_confirm
from consents.models import Consent, ConsentActivity
from core.sandbox import World
from documents.models import QuarantinedFile
from documents.models.quarantined_file import QuarantineState
from mailer.models import OutgoingEmail
from notifications.models import WebhookEndpoint
from partners.models import Partner, PartnerStatus

# Of each kind, the oldest ones are named; the list behind the link has all.
NAMED = 20
CLAIMS: dict[str, type[CompanyClaim | AccountClaim]] = {
    "company": CompanyClaim,
    "bank account": AccountClaim,
}


class Task(NamedTuple):
    """One thing that an operator can do now."""

    what: str
    url: str
    since: datetime | None = None
    note: str = ""


class Figure(NamedTuple):
    """One number with what it counts."""

    what: str
    number: int


def waiting_tasks(operator: User) -> list[Task]:
    """What waits, the most urgent kind first; only what the operator may see."""
    kinds = {
        "documents.view_quarantinedfile": _files(),
        "notifications.view_webhookendpoint": _flagged_endpoints(),
        "partners.view_partner": _drafts(),
        "accounts.view_office": _offices_without_admin(operator),
    }
    others = [task for right, tasks in kinds.items() if operator.has_perm(right) for task in tasks]
    return [*_approvals(operator), *_contested(operator), *others]


def _approvals(operator: User) -> Iterator[Task]:
    waiting = FourEyesApproval.objects.waiting().select_related(
        *("office", "partner", "consent__office", "consent__partner"),
        *("person", "terms", "requested_by"),
    )
    for approval in waiting.order_by("requested_at")[:NAMED]:
        if not operator.has_perm(right_to_confirm(approval)):
            continue
        mine = operator.pk in (approval.requested_by_id, approval.person_id)
        note = "Another operator must confirm it." if mine else "It needs your confirmation."
        what = f"{approval.get_kind_display()}: {approval.subject}"
        by = f"Asked by {approval.requested_by}: “{approval.reason}” {note}"
        yield Task(what, page_of(approval), approval.requested_at, by)


def _files() -> Iterator[Task]:
    waiting = QuarantinedFile.objects.filter(state=QuarantineState.WAITING)
    found = waiting.aggregate(count=Count("pk"), oldest=Min("received_at"))
    if count := found["count"]:
        page = reverse("admin:documents_quarantinedfile_changelist")
        url = f"{page}?{urlencode({'state__exact': QuarantineState.WAITING})}"
        yield Task(f"{count} file{'s' * (count != 1)} in quarantine", url, found["oldest"])


def _contested(operator: User) -> Iterator[Task]:
    """Claims that no file confirms: somebody else had or claimed the same before."""
    counts = [
        claims.objects.filter(contested=True)
        .values(what=Value(what))
        .annotate(count=Count("pk"), oldest=Min("created_at"))
        for what, claims in CLAIMS.items()
        if operator.has_perm(f"backoffice.view_{claims._meta.model_name}")
    ]
    for found in counts[0].union(*counts[1:]) if counts else ():
        if not found["count"]:
            continue
        page = reverse(f"admin:backoffice_{CLAIMS[found['what']]._meta.model_name}_changelist")
        words = f"{found['count']} contested {found['what']} claim{'s' * (found['count'] != 1)}"
        yield Task(words, f"{page}?contested__exact=1", found["oldest"])


def _flagged_endpoints() -> Iterator[Task]:
    flagged = WebhookEndpoint.objects.exclude(flagged_at=None).select_related("partner")
    for endpoint in flagged.order_by("flagged_at")[:NAMED]:
        url = reverse("admin:partners_partner_change", args=[endpoint.partner_id])
        what = f"{endpoint.partner}: its webhook endpoint does not answer"
        yield Task(what, url, endpoint.flagged_at)


def _drafts() -> Iterator[Task]:
    drafts = Partner.objects.filter(status=PartnerStatus.DRAFT)
    for partner in drafts.order_by("created_at")[:NAMED]:
        url = reverse("admin:partner_guide", args=[partner.pk])
        yield Task(f"{partner} is a draft", url, partner.created_at, "Finish its entry.")


def _offices_without_admin(operator: User) -> Iterator[Task]:
    """They lead to the page that invites, or to the office where the operator may not invite."""
    may_invite = operator.has_perm("backoffice.invite_first_admin")
    page = "admin:office_state" if may_invite else "admin:accounts_office_change"
    note = "See the invitation, or invite somebody." if may_invite else ""
    admins = Membership.objects.admins().filter(office=OuterRef("pk"))
    open_ones = Office.objects.filter(~Exists(admins), closed_at=None)
    for office in open_ones.order_by("pk")[:NAMED]:
        yield Task(f"{office} has no Admin", reverse(page, args=[office.pk]), note=note)


def figures() -> list[Figure]:
    """How things stand now, and what happened today in Belgium."""
    real = Consent.objects.filter(office__kind=World.REAL)
    by_status = dict(real.values_list("status").annotate(Count("pk")))
    today = ConsentActivity.objects.filter(
        day=timezone.localdate(), consent__office__kind=World.REAL
    )
    calls = today.aggregate(served=Sum("served"), refused=Sum("refused"))
    return [
        Figure("allowed consents", by_status.get("allowed", 0)),
        Figure("requests to be determined", by_status.get("to_be_determined", 0)),
        Figure("active software", Partner.objects.active().filter(kind=World.REAL).count()),
        Figure("open offices", Office.objects.real().filter(closed_at=None).count()),
        Figure("calls for documents served today", calls["served"] or 0),
        Figure("calls for documents refused today", calls["refused"] or 0),
        Figure("e-mails that wait", OutgoingEmail.objects.open().count()),
    ]
