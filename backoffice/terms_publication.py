"""Publish the terms that one operator compared and asked for, and a second one confirmed."""

from __future__ import annotations

from typing import cast

from django.contrib.admin.models import ADDITION, LogEntry
from django.db import IntegrityError, transaction

from accounts.models import User
from backoffice.models.four_eyes import ActRefused, FourEyesApproval
from backoffice.models.terms_proposal import CHANGED, TermsProposal
from consents.models import Terms


def publish_terms(act: FourEyesApproval, by: User) -> None:
    """Publish exactly what was asked for, in one transaction with the approval.

    The history of each text names both operators. Raises NeedsSecondOperator, and ActRefused where
    other terms came in between or the moment has passed.
    """
    with transaction.atomic():
        act.confirm(by)
        proposal = cast(TermsProposal, act.terms)
        if why := proposal.why_outdated():
            raise ActRefused(why)
        try:
            texts = Terms.objects.publish(
                proposal.bodies, material=proposal.material, effective_at=proposal.effective_at
            )
        except IntegrityError as error:
            raise ActRefused(CHANGED) from error
        entry = f"Published by {act.names}: {act.reason}\n{act.detail}"
        LogEntry.objects.log_actions(by.pk, texts, ADDITION, entry)
