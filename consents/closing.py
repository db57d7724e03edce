"""Two operators end one access, or close an office, renumber it, retire a software: all it had."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from django.db import transaction

from accounts.events import MembershipEventKind
from accounts.joint import JointAct
from accounts.models import Office, User
from accounts.told_of_acts import tell_of_act
from consents.actors import Actor
from consents.models import ClosedReason, Consent, Status
from consents.querysets import ConsentQuerySet
from partners.models import Partner, PartnerStatus


def end_all(live: ConsentQuerySet, by: Actor, reason: str, closed: ClosedReason) -> None:
    """Cancel what is allowed and close what waits for an answer, each with its event."""
    for consent in live.select_related("office", "partner").order_by("pk"):
        if consent.status == Status.ALLOWED:
            consent.cancel(by, reason)
        elif closed == ClosedReason.WITHDRAWN:
            consent.withdraw(by, reason)
        else:
            consent.lapse(by, reason)


def end_access(act: JointAct, by: User) -> None:
    """End one consent for both operators. Raises NeedsAnother, DecisionConflict."""
    with transaction.atomic():
        act.confirm(by)
        cast(Consent, act.consent).cancel(Actor.operators(act.asked_by, by), act.reason)


@contextmanager
def _for_an_office(act: JointAct, by: User) -> Iterator[Office]:
    """Its row is held, so that no new consent begins meanwhile; everybody is told afterwards."""
    with transaction.atomic():
        act.confirm(by)
        office = Office.objects.select_for_update().get(pk=cast(int, act.office_id))
        operators = Actor.operators(act.asked_by, by)
        end_all(office.consents.live(), operators, act.reason, ClosedReason.LAPSED)
        yield office
        tell_of_act(act)


def close_office(act: JointAct, by: User) -> None:
    """End every consent of the office, then the office itself, for good. Raises NeedsAnother."""
    with _for_an_office(act, by) as office:
        office.close(by, act.names)


def change_number(act: JointAct, by: User) -> None:
    """Give the office another number. What was allowed for the old one does not move: it ends.

    Raises NeedsAnother, and IntegrityError where another office has the number.
    """
    with _for_an_office(act, by) as office:
        Office.objects.filter(pk=office.pk).update(company_number=act.detail)
        office.write(MembershipEventKind.RENUMBERED, by, act.names)


def retire_partner(act: JointAct, by: User) -> None:
    """End every consent of the software, then retire it, for good. Raises NeedsAnother."""
    with transaction.atomic():
        act.confirm(by)
        partner = Partner.objects.select_for_update().get(pk=cast(int, act.partner_id))
        operators = Actor.operators(act.asked_by, by)
        end_all(partner.consents.live(), operators, act.reason, ClosedReason.WITHDRAWN)
        partner.move(PartnerStatus.RETIRED)
