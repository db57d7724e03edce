"""The worker process: periodic jobs and whatever leaves a request after its commit."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_init

from monitoring.database_role import refuse_wrong_role
from monitoring.switch_on import switch_on
from monitoring.unknown_settings import log_unknown_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "codabox_portal.settings")
app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Added to the niceness of a worker. On a busy machine it then has a tenth of the share of others.
NICE = 10


@worker_init.connect
@beat_init.connect
def refuse_to_start(**kwargs: Any) -> None:
    refuse_wrong_role()
    log_unknown_settings()


@worker_init.connect
def tell_others(**kwargs: Any) -> None:
    switch_on()


@worker_init.connect
def give_way(**kwargs: Any) -> None:
    """Let the processes go first for whose answer somebody waits."""
    os.nice(NICE)
