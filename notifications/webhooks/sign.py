"""The body of a webhook and its signature, as section 9 of the API specification describes them."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from jwcrypto.jwt import JWT

from consents.models import ConsentEvent
from notifications.models.documents_notice import DocumentsNotice
from notifications.models.webhook_endpoint import EVENT_NAMES
from notifications.webhooks import signing_keys
from partners.models import Partner

SIGNATURE_VALID_FOR = 300  # seconds


def in_milliseconds(moment: datetime) -> str:
    """Return a moment as it stands in the body of a webhook: UTC, cut to milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event_resource(event: ConsentEvent) -> dict[str, Any]:
    """Return the event as webhooks and the event feed show it.

    It holds identifiers only. Software reads the rest with a GET request.
    """
    consent = {"type": "accountingOfficeConsent", "id": str(event.consent.uuid)}
    return {
        "type": f"codaboxConnect.accountingOfficeConsent.{EVENT_NAMES[event.kind]}",
        "id": str(event.uuid),
        "attributes": {"createdAt": in_milliseconds(event.at)},
        "relationships": {"accountingOfficeConsent": {"data": consent}},
    }


def notice_resource(notice: DocumentsNotice) -> dict[str, Any]:
    """Return the notice as webhooks show it: how many documents of each kind, and no company."""
    office = {"type": "accountingOffice", "id": str(notice.office.uuid)}
    return {
        "type": "codaboxConnect.accountingOffice.documentsAvailable",
        "id": str(notice.uuid),
        "attributes": {"createdAt": in_milliseconds(notice.at), "counts": notice.counts},
        "relationships": {"accountingOffice": {"data": office}},
    }


def resource_of(message: ConsentEvent | DocumentsNotice) -> dict[str, Any]:
    """Return what stands in the body of the webhook that sends this."""
    if isinstance(message, DocumentsNotice):
        return notice_resource(message)
    return event_resource(message)


def event_body(message: ConsentEvent | DocumentsNotice) -> bytes:
    """Return the bytes of the request that sends this."""
    return json.dumps({"data": resource_of(message)}, separators=(",", ":")).encode()


def issuer() -> str:
    """Return the host root, such as `https://connect.example`.

    Typed clients compare `iss` with the address that they are configured with, letter for letter.
    """
    portal = urlsplit(settings.PORTAL_URL)
    return f"{portal.scheme}://{portal.netloc}"


def signature(body: bytes, partner: Partner) -> str:
    """Return a JWT over the digest of the body, for this partner. It is valid for five minutes."""
    key = signing_keys.current()
    now = int(time.time())
    claims = {
        "iss": issuer(),
        "aud": partner.audience,
        "iat": now,
        "exp": now + SIGNATURE_VALID_FOR,
        "jti": str(uuid.uuid4()),
        "digest": base64.b64encode(hashlib.sha512(body).digest()).decode(),
    }
    token = JWT(header={"alg": "RS512", "kid": key.kid, "typ": "JWT"}, claims=claims)
    token.make_signed_token(signing_keys.private_half(key))
    return str(token.serialize())
