"""The keys that sign webhooks."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.functions import Now


class WebhookKey(models.Model):
    """A key that signs webhooks, see `notifications.webhooks.signing_keys`.

    The private half is encrypted, so that nobody can sign with a copy of the database.
    """

    kid = models.CharField(max_length=36, unique=True)
    public = models.JSONField()
    secret = models.TextField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return self.kid

    def as_jwk(self) -> dict[str, Any]:
        """Return the public half in the form of section 9 of the API specification."""
        members = {name: self.public[name] for name in ("kty", "n", "e")}
        more = {"kid": self.kid, "use": "sig", "alg": "RS512", "status": "ACTIVE"}
        return members | more
