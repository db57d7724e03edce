"""What the portal knows of itself: heartbeat, last backup, timings, and how fast access stops."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class HeartbeatManager(models.Manager["Heartbeat"]):
    def record(self) -> None:
        """Record that a worker has just run a job that beat queued."""
        self.update_or_create(pk=1, defaults={"at": Now()})


class Heartbeat(models.Model):
    """When a worker last ran a job that beat queued: one row, written every minute."""

    at = models.DateTimeField()

    objects: ClassVar[HeartbeatManager] = HeartbeatManager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="monitoring_heartbeat_one_row")
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S}"


class LastBackupManager(models.Manager["LastBackup"]):
    def record(self) -> None:
        """Record that a backup is whole."""
        self.update_or_create(pk=1, defaults={"at": Now()})


class LastBackup(models.Model):
    """When `manage.py backup` last made a whole backup: one row."""

    at = models.DateTimeField()

    objects: ClassVar[LastBackupManager] = LastBackupManager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="monitoring_lastbackup_one_row")
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S}"


class Timing(models.Model):
    """How many calls of a route, or runs of a task, fell into one bucket since the installation.

    `monitoring.timings` adds to the rows. A bucket that nothing fell into has no row.
    """

    kind = models.CharField(max_length=4, choices=[("call", "Call"), ("job", "Job")])
    # The name of the URL pattern, such as `consents:cancel`, or that of the task.
    name = models.CharField(max_length=200)
    method = models.CharField(max_length=7, blank=True, default="")
    # The class of the status, such as `2xx`, or how the task ended.
    outcome = models.CharField(max_length=10)
    bucket = models.PositiveSmallIntegerField()
    count = models.BigIntegerField()
    # All of them together.
    seconds = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "name", "method", "outcome", "bucket"],
                name="monitoring_timing_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name} {self.method} {self.outcome}: {self.count}"


class StopMeasurement(models.Model):
    """One suspension of the software of the probe, as `monitoring.probe` measured it.

    The row is written in the transaction of the suspension. While `released_at` is empty, the
    probe has to end the suspension, also where a worker was killed in between.
    """

    started_at = models.DateTimeField(db_default=Now(), editable=False)
    # From the commit of the suspension to the first refused call; empty where there was a fault.
    seconds = models.FloatField(null=True)
    # Calls that were sent after the commit and still answered with data.
    served = models.PositiveIntegerField(default=0)
    # Why nothing was measured: an error code of the API, or why the portal did not answer.
    fault = models.CharField(max_length=100, blank=True, default="")
    released_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["-started_at"], name="monitoring_stop_newest")]
        constraints = [
            models.UniqueConstraint(
                models.Value(1),
                condition=models.Q(released_at=None),
                name="monitoring_stop_one_at_once",
            ),
            models.CheckConstraint(
                condition=models.Q(released_at=None)
                | models.Q(seconds__isnull=False, fault="")
                | (models.Q(seconds=None) & ~models.Q(fault="")),
                name="monitoring_stop_measured_or_why_not",
            ),
        ]

    def __str__(self) -> str:
        return self.fault or f"{self.seconds} s"
