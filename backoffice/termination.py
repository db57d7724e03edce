"""Carry out the four-eyes approvals that end consents.

These are: end access, close an office, change its number, retire accounting software.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from django.db import transaction

from accounts.models import Office, User
from accounts.models.office_event import OfficeEventKind
from backoffice.emails import email_approval
from backoffice.models.four_eyes import FourEyesApproval, NeedsSecondOperator
from consents.actors import Actor
from consents.models import ClosedReason, Consent, Status
from consents.models.querysets import ConsentQuerySet
from core.locks import Lock, hold
from partners.models import Partner, PartnerStatus


def end_all(live: ConsentQuerySet, by: Actor, reason: str, closed: ClosedReason) -> None:
    """Cancel the allowed consents and close the open requests, each with its event.

    All are locked first: a decision that is being made now is finished, then its consent ends too.
    """
    rows = live.select_related("office", "partner").order_by("pk")
    for consent in rows.select_for_update(no_key=True, of=("self",)):
        if consent.status == Status.ALLOWED:
            consent.cancel(by, reason)
        elif closed == ClosedReason.WITHDRAWN:
            consent.withdraw(by, reason)
        else:
            consent.lapse(by, reason)


def end_access(act: FourEyesApproval, by: User) -> None:
    """End one consent for both operators. Raises NeedsSecondOperator, DecisionConflict."""
    with transaction.atomic():
        act.confirm(by)
        cast(Consent, act.consent).cancel(Actor.operators(act.requested_by, by), act.reason)


@contextmanager
def _for_an_office(act: FourEyesApproval, by: User) -> Iterator[Office]:
    """Confirm, lock the office, end its consents and email everybody concerned.

    The row of the office is locked, so that nobody can request a consent meanwhile.
    """
    with transaction.atomic():
        act.confirm(by)
        hold(Office, cast(int, act.office_id), lock=Lock.END)
        office = Office.objects.get(pk=cast(int, act.office_id))
        if office.closed_at:
            raise NeedsSecondOperator
        operators = Actor.operators(act.requested_by, by)
        end_all(office.consents.live(), operators, act.reason, ClosedReason.LAPSED)
        yield office
        email_approval(act)


def close_office(act: FourEyesApproval, by: User) -> None:
    """End every consent of the office and close it permanently. Raises NeedsSecondOperator."""
    with _for_an_office(act, by) as office:
        office.close(by, act.names)


def change_number(act: FourEyesApproval, by: User) -> None:
    """Give the office another number. Consents for the old number end.

    Raises NeedsSecondOperator, and IntegrityError where another office has the number.
    """
    with _for_an_office(act, by) as office:
        Office.objects.filter(pk=office.pk).update(company_number=act.detail)
        office.write(OfficeEventKind.RENUMBERED, by, act.names)


def retire_partner(act: FourEyesApproval, by: User) -> None:
    """End every consent of the software and retire it permanently. Raises NeedsSecondOperator."""
    with transaction.atomic():
        act.confirm(by)
        hold(Partner, cast(int, act.partner_id), lock=Lock.END)
        partner = Partner.objects.get(pk=cast(int, act.partner_id))
        hold(Office, *partner.consents.live().values_list("office", flat=True))
        operators = Actor.operators(act.requested_by, by)
        end_all(partner.consents.live(), operators, act.reason, ClosedReason.WITHDRAWN)
        partner.move(PartnerStatus.RETIRED)
