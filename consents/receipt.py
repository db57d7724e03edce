"""Receipt and evidence pack: what an office can show to an auditor, years later, without us.

The receipt has the members of ISO/IEC TS 27560:2023 (consent record and receipt) that apply to a
consent between organisations, signed with Ed25519 (RFC 8032). The public key is at /receipt-keys.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils import translation

from consents.models import ConsentEvent
from consents.paper import printed

CHECKER = Path(__file__).parent / "check.html"


@cache
def _key() -> Ed25519PrivateKey:
    """PORTAL_RECEIPT_KEY (base64 of 32 bytes), or a key derived from the portal's secret."""
    if settings.PORTAL_RECEIPT_KEY:
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(settings.PORTAL_RECEIPT_KEY))
    derive = HKDF(SHA256(), length=32, salt=None, info=b"consents.receipt")
    return Ed25519PrivateKey.from_private_bytes(derive.derive(settings.SECRET_KEY.encode()))


def public_key() -> dict[str, str]:
    """The public key as a JSON Web Key (RFC 8037)."""
    raw = (
        _key().public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    )
    kid = hashlib.sha256(raw).hexdigest()[:16]
    return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": kid, "x": _base64url(raw)}


def signed_receipt(event: ConsentEvent) -> bytes:
    """The receipt of an allow: `record` is the text that is signed, byte by byte."""
    record = json.dumps(_record(event), ensure_ascii=False, indent=1)
    signature = _base64url(_key().sign(record.encode()))
    receipt = {
        "record": record,
        "signature": {"alg": "EdDSA", "kid": public_key()["kid"], "value": signature},
        "key": public_key(),
        "keys": f"{settings.PORTAL_URL}/receipt-keys",
    }
    return json.dumps(receipt, ensure_ascii=False, indent=1).encode()


def evidence_pack(event: ConsentEvent) -> bytes:
    """A ZIP: the receipt, the terms as shown, all events, a paper to read, an offline checker."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("receipt.json", signed_receipt(event))
        pack.writestr("terms.txt", event.evidence.terms.body)
        pack.writestr("events.json", json.dumps(_story(event), ensure_ascii=False, indent=1))
        with translation.override(event.office.language):
            pack.writestr("evidence.pdf", printed(event))
        pack.writestr("check.html", CHECKER.read_text(encoding="utf-8"))
    return packed.getvalue()


def _record(event: ConsentEvent) -> dict[str, Any]:
    consent, evidence = event.consent, event.evidence
    return {
        "schema_version": "ISO/IEC TS 27560:2023",
        "record_id": str(event.uuid),
        "pii_principal_id": event.office.company_number,
        "office": {"name": event.office.name, "id": str(event.office.uuid)},
        "consent": {
            "id": str(consent.uuid),
            "requested_at": _time(consent.requested_at),
            "given_at": _time(event.at),
            "method": "switch, button and confirmation in the browser",
        },
        "controller": {
            "name": evidence.partner_name,
            "legal_number": consent.partner.legal_number,
            "vendor": consent.partner.vendor,
        },
        "purpose": "bookkeeping of the companies of the office",
        "document_kinds": evidence.document_kinds,
        "companies_in_scope": evidence.companies,
        "history": "two years before the consent, and all that comes until it ends",
        "given_by": {
            "name": evidence.person_name,
            "email": evidence.person_email,
            "role": evidence.role,
            "authentication": evidence.authentication,
            "address": evidence.address,
            "browser": evidence.browser,
        },
        "notice": {
            "terms_version": evidence.terms_version,
            "language": evidence.terms_language,
            "sha256": evidence.terms_sha256,
        },
        "withdrawal": f"{settings.PORTAL_URL}/offices/{event.office.slug}/consents",
        "ledger": {"number": event.number, "before": event.before, "seal": event.seal},
    }


def _story(event: ConsentEvent) -> list[dict[str, Any]]:
    events = event.consent.events.order_by("number")
    return [
        {
            "number": one.number,
            "id": str(one.uuid),
            "kind": one.kind,
            "at": _time(one.at),
            "actor": one.actor_kind,
            "name": one.actor_name,
            "reason": one.reason,
            "before": one.before,
            "seal": one.seal,
        }
        for one in events
    ]


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
