"""The stop probe: measure how fast a suspension takes effect on the running portal.

`manage.py create_probe` creates accounting software, an office and a request for consent. An Admin
of that office allows it, as in any office. From then on, every minute, the probe suspends this
software, calls the API until a call is refused, and makes the software active again. Nothing here
gives access: the probe writes to no consent and ends only suspensions of its own.
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

from consents.access import DenialReason
from consents.models import Consent
from monitoring.models import StopMeasurement
from partners.models import Application, Partner, PartnerStatus

LIMIT = 10.0  # seconds; a suspension that takes longer counts as this
ABANDONED_AFTER = timedelta(seconds=60)
log = structlog.get_logger(__name__)


class NotServed(Exception):
    """The API refuses the call for a reason that is not the suspension by the probe."""


class ProbeCall(NamedTuple):
    """The call that the probe repeats: a search for documents of one company."""

    url: str
    body: Mapping[str, object]
    token: str

    def refusal(self) -> str:
        """Call on a new connection, so that any process may answer; return the error code or ""."""
        bearer = {"Authorization": f"Bearer {self.token}"}
        answer = httpx.post(self.url, json=self.body, headers=bearer, timeout=LIMIT)
        if answer.status_code == 201:
            return ""
        try:
            return str(answer.json()["errors"][0]["code"])
        except (ValueError, LookupError, TypeError):
            return str(answer.status_code)


def measure(limit: float = LIMIT) -> StopMeasurement | None:
    """Suspend the software of the probe until it is refused; return None if another worker does."""
    software = Application.objects.get(client_id=settings.PORTAL_PROBE_CLIENT)
    _end_abandoned(software.partner)
    if StopMeasurement.objects.filter(released_at=None).exists():
        return None
    try:
        call = _prepare_call(software)
        measurement = _suspend(software.partner)
    except (NotServed, httpx.HTTPError) as error:
        return StopMeasurement.objects.create(fault=_reason(error), released_at=Now())
    except IntegrityError:
        return None
    measurement.fault = "interrupted"
    try:
        measurement.seconds, measurement.served = _until_refused(call, limit)
        measurement.fault = ""
    except (NotServed, httpx.HTTPError) as error:
        measurement.fault = _reason(error)
    finally:
        _reactivate(software.partner, measurement)
    return measurement


def _reason(error: Exception) -> str:
    """Return why nothing was measured, without addresses or tokens, and log it."""
    reason = str(error) if isinstance(error, NotServed) else type(error).__name__
    log.warning("suspension_not_measured", reason=reason)
    return reason[:100]


def _prepare_call(software: Application) -> ProbeCall:
    """Get a token and call once, to be sure that access works. Raises NotServed."""
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
    call = ProbeCall(url, body, str(answer.json()["access_token"]))
    if refusal := call.refusal():
        raise NotServed(refusal)
    return call


def _suspend(partner: Partner) -> StopMeasurement:
    """Suspend the software and record that it was the probe. Raises NotServed, IntegrityError."""
    with transaction.atomic():
        measurement = StopMeasurement.objects.create()
        if not partner.move(PartnerStatus.SUSPENDED):
            raise NotServed(f"partner {partner.status}")
    return measurement


def _until_refused(call: ProbeCall, limit: float) -> tuple[float, int]:
    """Return the seconds until the first refusal, and how many calls were served until then.

    Raises NotServed where the API refuses for another reason than the suspension.
    """
    stopped, served = time.perf_counter(), 0
    while (seconds := time.perf_counter() - stopped) < limit:
        refusal = call.refusal()
        if refusal == DenialReason.PARTNER_SUSPENDED:
            return time.perf_counter() - stopped, served
        if refusal:
            raise NotServed(refusal)
        served += 1
    log.error("suspension_has_no_effect", seconds=seconds, served=served)
    return seconds, served


def _reactivate(partner: Partner, measurement: StopMeasurement) -> None:
    with transaction.atomic():
        partner.move(PartnerStatus.ACTIVE)
        measurement.released_at = Now()
        measurement.save()
    measurement.refresh_from_db()


def _end_abandoned(partner: Partner) -> None:
    """End suspensions that a killed worker left behind."""
    open_ones = StopMeasurement.objects.filter(released_at=None)
    for measurement in open_ones.filter(started_at__lte=Now() - ABANDONED_AFTER):
        measurement.fault = "abandoned"
        _reactivate(partner, measurement)
