"""The tables of the API: what a POST with an idempotency key did, and what was refused."""

from django.db import models
from django.db.models.functions import Now

from partners.models import Partner


class IdempotencyRecord(models.Model):
    """The answer to one key, kept for 24 hours; see partner_api.idempotency."""

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="+")
    target = models.CharField(max_length=200, help_text="method and path")
    key = models.CharField(max_length=255)
    body_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    answer = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "target", "key"], name="partner_api_idempotencyrecord_once"
            )
        ]
        indexes = [models.Index(fields=["created_at"], name="partner_api_idempotency_age")]

    def __str__(self) -> str:
        return f"{self.target} {self.key}"


class RefusalCount(models.Model):
    """Calls of software that were refused, by day and code; refusal_counts.py adds them up."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="refusals")
    day = models.DateField()
    code = models.CharField(max_length=40)
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "day", "code"], name="partner_api_refusalcount_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.partner_id} · {self.day} · {self.code}"
