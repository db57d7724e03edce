"""What beat asks for, to know that it is heard and that a stop stops."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.db.models.functions import Now

from operation import probe
from operation.models import Pulse, StopMeasurement

KEPT_FOR = timedelta(days=30)


@shared_task
def pulse() -> None:
    """Leave a sign of life of beat and of a worker."""
    Pulse.objects.felt()


@shared_task
def measure_a_stop() -> None:
    """Measure how fast a stop takes effect, where the portal has a probe."""
    if settings.PORTAL_PROBE_SECRET:
        probe.measure()
        StopMeasurement.objects.filter(begun_at__lt=Now() - KEPT_FOR).delete()
