"""What a software is told, signed as connect-api section 9 says, and how it is sent."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import time
import uuid
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, NamedTuple

import httpcore
from django.conf import settings
from jwcrypto.jwt import JWT

from consents.models import ConsentEvent
from notifications.guarded import Guard
from notifications.webhook_endpoints import NAMES, Delivery, WebhookEndpoint
from notifications.webhook_keys import WebhookKey
from partners.models import Application, Partner

TRY_FOR = 15.0  # seconds, from the look-up of the name to the end of the answer
READ_AT_MOST = 64 * 1024  # bytes of an answer
SIGNATURE_VALID_FOR = 300  # seconds


def resource_of(event: ConsentEvent) -> dict[str, Any]:
    """The event as webhook and feed tell it: identifiers only; the rest is read by GET."""
    at = event.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    consent = {"type": "accountingOfficeConsent", "id": str(event.consent.uuid)}
    return {
        "type": f"codaboxConnect.accountingOfficeConsent.{NAMES[event.kind]}",
        "id": str(event.uuid),
        "attributes": {"createdAt": at},
        "relationships": {"accountingOfficeConsent": {"data": consent}},
    }


def body_of(event: ConsentEvent) -> bytes:
    return json.dumps({"data": resource_of(event)}, separators=(",", ":")).encode()


def signature_of(body: bytes, partner: Partner) -> str:
    """A JWT over the digest of the body, for this partner, from now on for five minutes."""
    key = WebhookKey.objects.signing()
    application = Application.objects.filter(partner=partner).order_by("pk").first()
    now = int(time.time())
    claims = {
        "iss": f"{settings.PORTAL_URL}/codabox-connect",
        "aud": application.client_id if application else str(partner.uuid),
        "iat": now,
        "exp": now + SIGNATURE_VALID_FOR,
        "jti": str(uuid.uuid4()),
        "digest": base64.b64encode(hashlib.sha512(body).digest()).decode(),
    }
    token = JWT(header={"alg": "RS512", "kid": key.kid, "typ": "JWT"}, claims=claims)
    token.make_signed_token(key.private())
    return str(token.serialize())


class Answer(NamedTuple):
    """What came of a try: a status, or 0 and why there was none."""

    status: int
    why: str = ""
    retry_after: timedelta | None = None

    def __str__(self) -> str:
        return str(self.status or self.why)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=settings.PORTAL_WEBHOOKS_CA or None)


def send(delivery: Delivery, endpoint: WebhookEndpoint) -> Answer:
    """Send the event of a delivery; never raises for what the other side does."""
    body = body_of(delivery.event)
    headers = [
        ("Content-Type", "application/vnd.api+json"),
        ("Signature", signature_of(body, endpoint.partner)),
        ("User-Agent", "CodaBox-Connect"),
    ]
    pool = httpcore.ConnectionPool(ssl_context=_tls(), network_backend=Guard(TRY_FOR))
    wait = dict.fromkeys(("connect", "read", "write", "pool"), TRY_FOR)
    try:
        with (
            pool,
            pool.stream(
                "POST", endpoint.url, headers=headers, content=body, extensions={"timeout": wait}
            ) as response,
        ):
            _read(response)
            told = {name.lower(): value.decode("latin-1") for name, value in response.headers}
    except (httpcore.TimeoutException, TimeoutError):
        return Answer(0, "no answer in time")
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        return Answer(0, f"{type(error).__name__}: {error}")
    except (httpcore.UnsupportedProtocol, ValueError) as error:
        return Answer(0, f"{type(error).__name__}: {error}")
    return Answer(response.status, retry_after=_retry_after(told.get(b"retry-after", "")))


def _read(response: httpcore.Response) -> None:
    """Take an answer in, but no more of it than anybody needs."""
    size = 0
    for part in response.iter_stream():
        size += len(part)
        if size > READ_AT_MOST:
            return


def _retry_after(text: str) -> timedelta | None:
    """Seconds or a date (RFC 9110, section 10.2.3); None for anything else."""
    if text.isdecimal() and len(text) < 9:
        return timedelta(seconds=int(text))
    try:
        return parsedate_to_datetime(text) - datetime.now(tz=UTC)
    except (TypeError, ValueError):
        return None
