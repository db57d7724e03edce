"""Wiring only: settings, table of contents, processes. No room imports it."""

from codabox_portal.celery import app as celery_app
from core.malloc import give_memory_back

__all__ = ["celery_app"]

# In every process, before it has threads.
give_memory_back()
