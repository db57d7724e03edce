"""The RSA keys that sign webhooks: two are published, one of them signs."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from datetime import timedelta
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now
from jwcrypto.jwk import JWK

from notifications.models.webhook_key import WebhookKey

# A receiver may cache the key set for this long, so a new key is published before it signs.
PUBLISHED_BEFORE = timedelta(hours=1)
# A widely used client library fails on 2048 and on 4096 bits.
BITS = 3072


def published() -> list[WebhookKey]:
    """Return the two newest keys, the oldest first.

    A migration makes the first one, so software can fetch it before it has an endpoint.
    """
    return list(reversed(WebhookKey.objects.order_by("-pk")[:2]))


def current() -> WebhookKey:
    """Return the key that signs now; create the first key where there is none.

    It is the newest key that was published an hour ago, or else the oldest key.
    """
    old_enough = WebhookKey.objects.filter(created_at__lte=Now() - PUBLISHED_BEFORE)
    key = old_enough.order_by("-pk").first() or WebhookKey.objects.order_by("pk").first()
    return key or create_first()


def create_first() -> WebhookKey:
    """Create the first key; of several callers at the same moment one creates it for all."""
    return _publish(keep_existing=True)


def rotate() -> WebhookKey:
    """Publish a new key, which signs after an hour. Only the two newest keys are kept."""
    return _publish(keep_existing=False)


def _publish(*, keep_existing: bool) -> WebhookKey:
    fields = new_key()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("lock table notifications_webhookkey in exclusive mode")
        existing = WebhookKey.objects.order_by("pk").first() if keep_existing else None
        if existing is not None:
            return existing
        created = WebhookKey.objects.create(**fields)
        kept = WebhookKey.objects.order_by("-pk").values_list("pk", flat=True)[:2]
        WebhookKey.objects.exclude(pk__in=list(kept)).delete()
    return created


def new_key() -> dict[str, Any]:
    """The fields of a new key: its identifier, its public half, and the private one encrypted."""
    key = JWK.generate(kty="RSA", size=BITS)
    return {
        "kid": str(uuid.uuid4()),
        "public": json.loads(key.export_public()),
        "secret": _encryption().encrypt(key.export_private().encode()).decode(),
    }


def private_half(key: WebhookKey) -> JWK:
    """Return the decrypted key, with which webhooks are signed."""
    return _decrypted(key.secret)


@lru_cache(maxsize=4)
def _decrypted(secret: str) -> JWK:
    # Cached in the process: checking the numbers of an RSA key costs more than signing with it.
    return JWK.from_json(_encryption().decrypt(secret.encode()).decode())


def _encryption() -> MultiFernet:
    """Return encryption keys derived from the secret key and its fallbacks, the newest first."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    keys = [hashlib.sha256(f"webhook key:{secret!s}".encode()).digest() for secret in secrets]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])
