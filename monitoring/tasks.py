"""Periodic jobs: record the heartbeat, and measure how fast access stops."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.db.models.functions import Now

from monitoring import probe
from monitoring.models import Heartbeat, StopMeasurement

KEPT_FOR = timedelta(days=30)


@shared_task
def heartbeat() -> None:
    """Record that beat and a worker are running."""
    Heartbeat.objects.record()


@shared_task
def measure_stop() -> None:
    """Measure how fast a suspension takes effect, where the portal has a probe."""
    if settings.PORTAL_PROBE_SECRET:
        probe.measure()
        StopMeasurement.objects.filter(started_at__lt=Now() - KEPT_FOR).delete()
