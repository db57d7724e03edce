"""The receipt: what an office can show to an auditor, years later, without us.

It has the sections of ISO/IEC TS 27560:2023 (consent record and receipt) that apply to a consent
between organisations, signed with Ed25519 (RFC 8032). The public key is at /receipt-keys.
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from consents.models import ConsentEvent


@cache
def signing_key() -> Ed25519PrivateKey:
    """PORTAL_RECEIPT_KEY (base64 of 32 bytes), or a key derived from the portal's secret."""
    if settings.PORTAL_RECEIPT_KEY:
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(settings.PORTAL_RECEIPT_KEY))
    derive = HKDF(SHA256(), length=32, salt=None, info=b"consents.evidence.receipt")
    return Ed25519PrivateKey.from_private_bytes(derive.derive(settings.SECRET_KEY.encode()))


def public_key() -> dict[str, str]:
    """The public key as a JSON Web Key (RFC 8037)."""
    raw = signing_key().public_key().public_bytes_raw()
    kid = hashlib.sha256(raw).hexdigest()[:16]
    return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": kid, "x": _base64url(raw)}


def signed_receipt(event: ConsentEvent) -> bytes:
    """The receipt of an allow."""
    return signed(_record(event))


def signed(record: dict[str, Any]) -> bytes:
    """A record with our signature; its member `record` is the text that is signed, to the byte."""
    text = json.dumps(record, ensure_ascii=False, indent=1)
    signature = _base64url(signing_key().sign(text.encode()))
    whole = {
        "record": text,
        "signature": {"alg": "EdDSA", "kid": public_key()["kid"], "value": signature},
        "key": public_key(),
        "keys": f"{settings.PORTAL_URL}/receipt-keys",
    }
    return json.dumps(whole, ensure_ascii=False, indent=1).encode()


def _record(event: ConsentEvent) -> dict[str, Any]:
    """The sections of TS 27560, 6.3.3 to 6.3.7, and below them what only we know."""
    consent, evidence, office = event.consent, event.evidence, event.office
    return {
        "schema_version": "ISO/IEC TS 27560:2023",
        "record_id": str(event.uuid),
        "pii_principal_id": office.company_number,
        "pii_processing": _processing(event),
        "party_identification": _parties(event),
        "event": [
            {
                "event_time": time_of(event.at),
                "event_type": "explicit consent",
                "event_state": "given",
                "validity_duration": "until it is withdrawn",
                "entity_id": office.company_number,
            }
        ],
        "office": {"name": office.name, "id": str(office.uuid)},
        "consent": {
            "id": str(consent.uuid),
            "requested_at": time_of(consent.requested_at),
            "given_at": time_of(event.at),
            "companies_in_scope": evidence.companies,
        },
        "given_by": {
            "name": evidence.person_name,
            "email": evidence.person_email,
            "role": evidence.role,
            "authentication": evidence.authentication,
            "address": evidence.address,
            "browser": evidence.browser,
        },
        "ledger": {"number": event.number, "before": event.previous_hash, "seal": event.event_hash},
    }


def _processing(event: ConsentEvent) -> dict[str, Any]:
    evidence = event.evidence
    return {
        "privacy_notice": {
            "terms_version": evidence.terms_version,
            "sha256": evidence.terms_sha256,
        },
        "language": evidence.terms_language,
        "purposes": [
            {
                "purpose": "bookkeeping of the companies of the office",
                "lawful_basis": "consent",
                "pii_information": [{"pii_type": kind} for kind in evidence.document_kinds],
                "pii_controllers": [event.consent.partner.legal_number],
                "collection_method": "switch, button and confirmation in the browser",
                "processing_method": "documents of the two years before, and all later ones",
                "jurisdiction": "BE",
                "withdrawal_method": f"{settings.PORTAL_URL}/offices/{event.office.slug}/consents",
            }
        ],
    }


def _parties(event: ConsentEvent) -> list[dict[str, str]]:
    partner, office = event.consent.partner, event.office
    return [
        {
            "party_id": partner.legal_number,
            "party_name": event.evidence.partner_name,
            "party_logo_sha256": event.evidence.partner_logo,
            "party_contact": partner.vendor,
            "party_role": "controller",
        },
        {"party_id": office.company_number, "party_name": office.name, "party_role": "principal"},
    ]


def time_of(moment: datetime) -> str:
    """A time in UTC, to the microsecond, as RFC 3339 writes it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
