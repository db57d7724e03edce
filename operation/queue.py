"""How many jobs wait in Redis for a worker."""

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError


def jobs_waiting() -> int | None:
    """The length of the portal's queue; None while Redis is away."""
    try:
        with Redis.from_url(
            settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1
        ) as redis:
            return int(redis.llen(settings.CELERY_TASK_DEFAULT_QUEUE))
    except RedisError:
        return None
