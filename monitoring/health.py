"""Health checks for load balancers: is this process alive, and is it ready for requests?"""

from __future__ import annotations

from functools import cache

import structlog
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from consents import restore_guard

log = structlog.get_logger(__name__)


@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Answer that this process is alive.

    Nothing else is checked, so that no process is restarted because the database is away.
    """
    return HttpResponse("alive\n", content_type="text/plain")


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Answer whether this process can take requests.

    The database must answer and have every migration, and after a restore the ended consents must
    be cancelled again. Redis may be away.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
        waiting = migrations_that_wait()
        closed = None if waiting else restore_guard.why_closed()
    except Error as error:
        log.warning("not_ready", reason=type(error).__name__)
        return HttpResponse("database away\n", status=503, content_type="text/plain")
    if waiting:
        migrations_that_wait.cache_clear()
        return HttpResponse("migrations wait\n", status=503, content_type="text/plain")
    if closed:
        return HttpResponse(f"{closed}\n", status=503, content_type="text/plain")
    return HttpResponse("ready\n", content_type="text/plain")


@cache
def migrations_that_wait() -> int:
    """Return how many migrations are missing. Zero is cached: running code adds none."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
