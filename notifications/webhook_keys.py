"""The keys that sign webhooks: RSA 3072, two published, one that signs."""

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
from django.db import connection, models, transaction
from django.db.models.functions import Now
from jwcrypto.jwk import JWK

# A receiver may keep the key set that long: a new key is published before it signs.
PUBLISHED_BEFORE = timedelta(hours=1)
# A widespread client fails on 2048 and 4096.
BITS = 3072


def _locks() -> MultiFernet:
    """Keys that follow from the secret key, the newest first."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    keys = [hashlib.sha256(f"webhook key:{secret!s}".encode()).digest() for secret in secrets]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])


@lru_cache(maxsize=4)
def _private(secret: str) -> JWK:
    """Kept in the process: checking the numbers of an RSA key costs more than signing with it."""
    return JWK.from_json(_locks().decrypt(secret.encode()).decode())


class WebhookKeyManager(models.Manager["WebhookKey"]):
    def published(self) -> list[WebhookKey]:
        """The two newest keys, oldest first; none before the first webhook."""
        return list(reversed(self.order_by("-pk")[:2]))

    def signing(self) -> WebhookKey:
        """The newest key that was published for an hour, or the oldest; the first is made here."""
        ripe = self.filter(made_at__lte=Now() - PUBLISHED_BEFORE).order_by("-pk").first()
        return ripe or self.order_by("pk").first() or self.rotate()

    def rotate(self) -> WebhookKey:
        """Publish a new key; it signs after an hour, and the oldest of three is gone at once."""
        key = JWK.generate(kty="RSA", size=BITS)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("lock table notifications_webhookkey in exclusive mode")
            made = self.create(
                kid=str(uuid.uuid4()),
                public=json.loads(key.export_public()),
                secret=_locks().encrypt(key.export_private().encode()).decode(),
            )
            kept = self.order_by("-pk").values_list("pk", flat=True)[:2]
            self.exclude(pk__in=list(kept)).delete()
        return made


class WebhookKey(models.Model):
    """One key; its private half lies encrypted, as a copy of the database must sign nothing."""

    kid = models.CharField(max_length=36, unique=True)
    public = models.JSONField()
    secret = models.TextField()
    made_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = WebhookKeyManager()

    def __str__(self) -> str:
        return self.kid

    def as_jwk(self) -> dict[str, Any]:
        """The public half as connect-api section 9 has it."""
        members = {name: self.public[name] for name in ("kty", "n", "e")}
        more = {"kid": self.kid, "use": "sig", "alg": "RS512", "status": "ACTIVE"}
        return members | more

    def private(self) -> JWK:
        return _private(self.secret)
