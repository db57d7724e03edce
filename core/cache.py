"""The cache in Redis, which counts how often somebody tried. Without Redis nothing is counted."""

from __future__ import annotations

from typing import Any

import structlog
from django.core.cache.backends import redis
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)


class Client(redis.RedisCacheClient):
    """Django's Redis client, which forgets instead of failing while Redis is away.

    A limit protects against guessing. It must not stop an Admin who logs in to end access.
    """

    def get(self, key: Any, default: Any) -> Any:
        return self._or(default, "get", key, default)

    def set(self, key: Any, value: Any, timeout: Any) -> Any:
        return self._or(None, "set", key, value, timeout)

    def add(self, key: Any, value: Any, timeout: Any) -> Any:
        return self._or(True, "add", key, value, timeout)

    def incr(self, key: Any, delta: Any) -> Any:
        return self._or(delta, "incr", key, delta)

    def delete(self, key: Any) -> Any:
        return self._or(False, "delete", key)

    def _or(self, instead: Any, verb: str, *arguments: Any) -> Any:
        try:
            return getattr(super(), verb)(*arguments)
        except RedisError as error:
            log.warning("limits_off", reason=type(error).__name__)
            return instead


class RedisCache(redis.RedisCache):
    def __init__(self, server: Any, params: Any) -> None:
        super().__init__(server, params)
        self._class = Client
