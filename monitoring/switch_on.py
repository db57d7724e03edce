"""Switch on what a process tells others of itself, as the settings want it."""

from __future__ import annotations

from django.conf import settings
from django.utils.module_loading import import_string

from monitoring import timings


def switch_on() -> None:
    """Begin to count, to trace and to report crashes; the two last need their extras."""
    timings.write_regularly()
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        import_string("monitoring.traces.start")()
    if settings.PORTAL_SENTRY_DSN:
        import_string("monitoring.error_reports.start")()
