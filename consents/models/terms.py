"""The terms and conditions: one text per version and language."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import models
from django.db.models.functions import Now

from accounts.models import LANGUAGES
from consents.models.querysets import TermsQuerySet
from core.triggers import append_only


class Terms(models.Model):
    """One version of the terms in one language. A published text never changes."""

    version = models.PositiveIntegerField()
    language = models.CharField(max_length=2, choices=LANGUAGES)
    body = models.TextField()
    sha256 = models.CharField(max_length=64, editable=False)
    material = models.BooleanField(default=False, db_default=False)  # see consents.terms_acceptance
    published_at = models.DateTimeField(db_default=Now())
    effective_at = models.DateTimeField(db_default=Now())

    objects = TermsQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "terms"
        constraints = [
            models.UniqueConstraint(
                fields=["version", "language"], name="consents_terms_one_per_language"
            ),
        ]
        triggers = append_only("terms")

    def __str__(self) -> str:
        return f"{self.version} ({self.language})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.sha256 = hashlib.sha256(self.body.encode()).hexdigest()
        super().save(*args, **kwargs)

    @property
    def summary(self) -> list[str]:
        """The lines at the top of the text that begin with a bullet: what it says in short."""
        lines = self.body.partition("\n\n")[0].splitlines()
        return [line[1:].strip() for line in lines if line.startswith("•")]
