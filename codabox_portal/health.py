"""For load balancers and monitors: is this process alive, and may it get requests?"""

from __future__ import annotations

from functools import cache

import structlog
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from consents import ended

log = structlog.get_logger(__name__)


@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """This process answers; nothing else is asked, so that nobody restarts it for the others."""
    return HttpResponse("alive\n", content_type="text/plain")


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """The database answers, has every migration, and revived no consent; Redis may be away."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
        waiting = _migrations_that_wait()
        closed = not waiting and ended.reopens_what_ended()
    except Error as error:
        log.warning("not_ready", reason=type(error).__name__)
        return HttpResponse("database away\n", status=503, content_type="text/plain")
    if waiting:
        _migrations_that_wait.cache_clear()
        return HttpResponse("migrations wait\n", status=503, content_type="text/plain")
    if closed:
        return HttpResponse("manage.py end_again waits\n", status=503, content_type="text/plain")
    return HttpResponse("ready\n", content_type="text/plain")


@cache
def _migrations_that_wait() -> int:
    """Read once it is none: while this code runs none is added."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
