"""Put software into each situation of the contract, so that its developer sees the answers.

The sandbox is part of the demo only. It calls the verbs of the product where there are any.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.db.models.functions import Now

from accounts.models import Office, User
from consents.models import Consent
from core.document_kinds import CODA, Kind
from core.row_security import every_office
from demo.story import allowed, asked, by, in_the_past
from documents.models import Content, Document
from documents.storage.blobs import store
from partners.models import Partner, PartnerStatus

# Long enough to be cut while it runs.
SLOW_LINES = 250_000
# The partners that get a 500 at the moment; see demo.middleware.
BROKEN = "demo:broken:{}"


def normal(office: Office, partner: Partner) -> dict[str, Any]:
    """Allowed, active, without a limit: everything works."""
    cache.delete(BROKEN.format(partner.pk))
    Partner.objects.filter(pk=partner.pk).update(status=PartnerStatus.ACTIVE, calls_per_minute=None)
    mine = Consent.objects.filter(office=office, partner=partner)
    mine.filter(status="allowed").update(paused_at=None, paused_until=None)
    # The denial is old, so the software may ask again.
    mine.filter(status="denied").update(decided_at=Now() - timedelta(days=8))
    consent = mine.live().first()
    if consent is None or consent.status != "allowed":
        consent = allowed(office, partner, _admin(office))
    return {"consent": str(consent.uuid)}


def waiting(office: Office, partner: Partner) -> dict[str, Any]:
    """A request that the office has not answered."""
    normal(office, partner)
    _cancel(office, partner)
    return {"consent": str(asked(office, partner).uuid)}


def denied(office: Office, partner: Partner) -> dict[str, Any]:
    """The office denied; a new request at once is 429 with `Retry-After`."""
    told = waiting(office, partner)
    Consent.objects.get(uuid=told["consent"]).deny(by(_admin(office)))
    return told


def lapsed(office: Office, partner: Partner) -> dict[str, Any]:
    """Nobody answered for 30 days."""
    told = waiting(office, partner)
    consent = Consent.objects.get(uuid=told["consent"])
    in_the_past(consent, days=31)
    consent.lapse()
    return told


def cancelled(office: Office, partner: Partner) -> dict[str, Any]:
    """The office cancelled the consent."""
    told = normal(office, partner)
    _cancel(office, partner)
    return told


def long_download(office: Office, partner: Partner) -> dict[str, Any]:
    """Allowed, with one long file: cancel during its download, and the download breaks off."""
    told = normal(office, partner)
    client = office.clients.active().order_by("pk")[0]
    line = b"3" + b" " * 127 + b"\r\n"
    data = line * SLOW_LINES
    with every_office():
        document = Document.objects.create(
            office_id=office.pk,
            client=client,
            kind=Kind.BANK_ACCOUNT_STATEMENT,
            attributes={"iban": ""},
        )
        Content.objects.create(
            document=document, media_type=CODA, size=len(data), sha256=store(data)
        )
    return {**told, "client": client.company_number, "document": str(document.uuid)}


def paused(office: Office, partner: Partner) -> dict[str, Any]:
    """The office paused access."""
    told = normal(office, partner)
    Consent.objects.filter(uuid=told["consent"]).update(paused_at=Now())
    return told


def suspended(office: Office, partner: Partner) -> dict[str, Any]:
    """The portal suspended the software."""
    told = normal(office, partner)
    Partner.objects.filter(pk=partner.pk).update(status=PartnerStatus.SUSPENDED)
    return told


def throttled(office: Office, partner: Partner) -> dict[str, Any]:
    """A limit of one call a minute: the second call is 429."""
    told = normal(office, partner)
    Partner.objects.filter(pk=partner.pk).update(calls_per_minute=1)
    return told


def broken(office: Office, partner: Partner) -> dict[str, Any]:
    """The API answers 500 for ten minutes, or until the next situation."""
    told = normal(office, partner)
    cache.set(BROKEN.format(partner.pk), True, timeout=600)
    return told


SITUATIONS: dict[str, Callable[[Office, Partner], dict[str, Any]]] = {
    situation.__name__: situation
    for situation in (
        normal, waiting, denied, lapsed, cancelled, long_download, paused, suspended, throttled,
        broken,
    )
}  # fmt: skip


def _admin(office: Office) -> User:
    return office.memberships.admins().select_related("user").order_by("pk")[0].user


def _cancel(office: Office, partner: Partner) -> None:
    Consent.objects.get(office=office, partner=partner, status="allowed").cancel(by(_admin(office)))
