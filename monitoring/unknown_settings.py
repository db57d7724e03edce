"""A setting whose name is mistyped does nothing: web processes and workers say so in their logs."""

from __future__ import annotations

import structlog
from django.conf import settings

log = structlog.get_logger(__name__)


def log_unknown_settings() -> None:
    for name, meant in settings.UNKNOWN_ENVIRONMENT.items():
        log.warning("unknown_setting", name=name, meant=meant)
