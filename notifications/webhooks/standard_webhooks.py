"""Headers of the Standard Webhooks specification, which ready-made libraries verify.

They go beside the JWT of `notifications.webhooks.sign`. See https://www.standardwebhooks.com.
"""

from __future__ import annotations

import base64
import hmac
import time

from django.conf import settings
from django.utils.crypto import salted_hmac

from notifications.models.webhook_endpoint import WebhookEndpoint

SALT = "notifications.webhook_secret"


def secret_of(endpoint: WebhookEndpoint) -> str:
    """Return the secret of an endpoint in the form that libraries take: `whsec_` and base64.

    It follows from the secret key of the portal, so no row holds it.
    """
    return "whsec_" + base64.b64encode(_keys(endpoint)[0]).decode()


def headers(endpoint: WebhookEndpoint, message_id: str, body: bytes) -> list[tuple[str, str]]:
    """Return the identifier, the time and the signatures (HMAC-SHA256) of one request.

    While the secret key of the portal has fallbacks there is a signature for each of them, so that
    a receiver that keeps the former secret is still right.
    """
    sent_at = str(int(time.time()))
    signed = f"{message_id}.{sent_at}.".encode() + body
    signatures = [
        "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
        for key in _keys(endpoint)
    ]
    return [
        ("webhook-id", message_id),
        ("webhook-timestamp", sent_at),
        ("webhook-signature", " ".join(signatures)),
    ]


def _keys(endpoint: WebhookEndpoint) -> list[bytes]:
    """Return the key of the endpoint under each secret key of the portal, the newest first."""
    name = f"{endpoint.uuid}:{endpoint.secret_version}"
    return [
        salted_hmac(SALT, name, secret=secret, algorithm="sha256").digest()
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    ]
