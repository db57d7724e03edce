"""Wiring only: settings, table of contents, processes. No room imports it."""

from codabox_portal.celery import app as celery_app

__all__ = ["celery_app"]
