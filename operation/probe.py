"""How fast does a stop take effect? Asked of the running portal by a software of its own.

`manage.py make_probe` makes that software, its office and a request; an Admin of the office allows
it, as anywhere. From then on every minute the software is suspended, which is what an operator may
do, asked until it is refused, and let go on. Nothing here gives access: the consent is never
written to, and only a stop that this module made is undone.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

import httpx
import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from consents.access import Refusal
from consents.models import Consent
from operation.models import StopMeasurement
from partners.models import Application, Partner, PartnerStatus

LIMIT = 10.0  # seconds; a stop that takes longer counts as this
ABANDONED_AFTER = timedelta(seconds=60)
log = structlog.get_logger(__name__)


class NotServed(Exception):
    """The software does not get what it asks for, for a reason that is not our stop."""


class Question(NamedTuple):
    """What the probe's software asks: the documents of one company, with its token."""

    url: str
    body: Mapping[str, object]
    token: str

    def refusal(self) -> str:
        """Ask on a connection of its own, so that any process may answer; empty when served."""
        bearer = {"Authorization": f"Bearer {self.token}"}
        answer = httpx.post(self.url, json=self.body, headers=bearer, timeout=LIMIT)
        if answer.status_code == 201:
            return ""
        try:
            return str(answer.json()["errors"][0]["code"])
        except (ValueError, LookupError, TypeError):
            return str(answer.status_code)


def measure(limit: float = LIMIT) -> StopMeasurement | None:
    """Stop the probe's software, see when it is refused, let it go on; None while another does."""
    software = Application.objects.get(client_id=settings.PORTAL_PROBE_CLIENT)
    _undo_abandoned(software.partner)
    if StopMeasurement.objects.filter(released_at=None).exists():
        return None
    try:
        question = _question(software)
        made = _stop(software.partner)
    except (NotServed, httpx.HTTPError) as error:
        return StopMeasurement.objects.create(fault=_reason(error), released_at=Now())
    except IntegrityError:
        return None
    made.fault = "interrupted"
    try:
        made.seconds, made.served = _until_refused(question, limit)
        made.fault = ""
    except (NotServed, httpx.HTTPError) as error:
        made.fault = _reason(error)
    finally:
        _let_go_on(software.partner, made)
    return made


def _reason(error: Exception) -> str:
    """Why nothing was measured, for the log and the row; an address or a token is no part of it."""
    reason = str(error) if isinstance(error, NotServed) else type(error).__name__
    log.warning("stop_not_measured", reason=reason)
    return reason[:100]


def _question(software: Application) -> Question:
    """Log in and ask once, to know that there is something to stop. Raises NotServed."""
    consents = Consent.objects.filter(partner=software.partner).select_related("office")
    consent = consents.order_by("-pk").first()
    client = consent and consent.office.clients.active().first()
    if consent is None or client is None:
        raise NotServed("no probe")
    api = f"{settings.PORTAL_PROBE_URL}/codabox-connect"
    answer = httpx.post(
        f"{api}/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(software.client_id, settings.PORTAL_PROBE_SECRET),
        timeout=LIMIT,
    )
    if answer.status_code != 200:
        raise NotServed(f"token {answer.status_code}")
    body = {
        "data": {
            "type": "documentSearch",
            "attributes": {"documentType": software.partner.document_kinds[0]},
            "relationships": {
                "clients": {"data": [{"type": "client", "id": client.company_number}]}
            },
        }
    }
    url = f"{api}/accounting-offices/{consent.office.uuid}/document-searches"
    question = Question(url, body, str(answer.json()["access_token"]))
    if refusal := question.refusal():
        raise NotServed(refusal)
    return question


def _stop(partner: Partner) -> StopMeasurement:
    """Suspend the software, with the row that says it was us. Raises NotServed, IntegrityError."""
    with transaction.atomic():
        made = StopMeasurement.objects.create()
        if not partner.move(PartnerStatus.SUSPENDED):
            raise NotServed(f"partner {partner.status}")
    return made


def _until_refused(question: Question, limit: float) -> tuple[float, int]:
    """Seconds from now, just after the commit, to the first refusal; answers with data until it.

    Raises NotServed where something else than the stop refuses.
    """
    stopped, served = time.perf_counter(), 0
    while (seconds := time.perf_counter() - stopped) < limit:
        refusal = question.refusal()
        if refusal == Refusal.PARTNER_SUSPENDED:
            return time.perf_counter() - stopped, served
        if refusal:
            raise NotServed(refusal)
        served += 1
    log.error("stop_does_not_stop", seconds=seconds, served=served)
    return seconds, served


def _let_go_on(partner: Partner, made: StopMeasurement) -> None:
    with transaction.atomic():
        partner.move(PartnerStatus.ACTIVE)
        made.released_at = Now()
        made.save()
    made.refresh_from_db()


def _undo_abandoned(partner: Partner) -> None:
    """A worker was killed between its stop and the end of it."""
    open_ones = StopMeasurement.objects.filter(released_at=None)
    for made in open_ones.filter(begun_at__lte=Now() - ABANDONED_AFTER):
        made.fault = "abandoned"
        _let_go_on(partner, made)
