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


class StopMeasurement(models.Model):
    """One stop of the probe's software, as `operation.probe` measured it.

    The row is written in the transaction of the stop: while `released_at` is empty the stop is
    ours to undo, whoever dies in between.
    """

    begun_at = models.DateTimeField(db_default=Now(), editable=False)
    # From the commit of the stop to the first refused answer; empty where there was a fault.
    seconds = models.FloatField(null=True)
    # Answers with data whose question was asked after the commit.
    served = models.PositiveIntegerField(default=0)
    # Why nothing was measured: a code of the API, or what kept the portal from answering.
    fault = models.CharField(max_length=100, blank=True, default="")
    released_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["-begun_at"], name="operation_stop_newest")]
        constraints = [
            models.UniqueConstraint(
                models.Value(1),
                condition=models.Q(released_at=None),
                name="operation_stop_one_at_once",
            ),
            models.CheckConstraint(
                condition=models.Q(released_at=None)
                | models.Q(seconds__isnull=False, fault="")
                | (models.Q(seconds=None) & ~models.Q(fault="")),
                name="operation_stop_measured_or_why_not",
            ),
        ]

    def __str__(self) -> str:
        return self.fault or f"{self.seconds} s"
