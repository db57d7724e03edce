"""Does everything still work? What the portal measures of itself."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class PulseManager(models.Manager["Pulse"]):
    def felt(self) -> None:
        """Note that a worker did just now what beat asked for."""
        self.update_or_create(pk=1, defaults={"at": Now()})


class Pulse(models.Model):
    """When a worker last did what beat asked for: one row, written every minute."""

    at = models.DateTimeField()

    objects: ClassVar[PulseManager] = PulseManager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="operation_pulse_one_row")
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S}"
