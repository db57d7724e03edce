"""How many jobs are waiting in Redis for a worker."""

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError


def jobs_waiting() -> int | None:
    """Return the length of the queue of the portal, or None while Redis does not answer."""
    try:
        with Redis.from_url(
            settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1
        ) as redis:
            return int(redis.llen(settings.CELERY_TASK_DEFAULT_QUEUE))
    except RedisError:
        return None
