"""What beat asks for, to know that it is heard."""

from celery import shared_task

from operation.models import Pulse


@shared_task
def pulse() -> None:
    """Leave a sign of life of beat and of a worker."""
    Pulse.objects.felt()
