"""Periodic jobs: they only carry out what the clock has decided already."""

from __future__ import annotations

from celery import shared_task

from clients.models.transfer import Transfer


@shared_task
def move_companies() -> None:
    """Have every company whose agreed moment has come moved, each by itself."""
    for pk in Transfer.objects.due().order_by("effective_at").values_list("pk", flat=True):
        move_company.delay(pk)


@shared_task
def move_company(transfer_id: int) -> None:
    """Give one company to its new office; harmless when that was done already."""
    Transfer.objects.get(pk=transfer_id).move()
