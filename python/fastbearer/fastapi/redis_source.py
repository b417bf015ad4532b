"""Where Redis is, for whatever a configuration keeps there."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from fastbearer.errors import ConfigurationError

if TYPE_CHECKING:
    from fastbearer.connections.redis import RedisClient, RedisSource
    from fastbearer.fastapi.settings import Settings

__all__ = ["needed", "redis_source"]

NO_EXTRA = 'REDIS_URL needs another package: pip install "fastbearer[redis]"'
NO_REDIS = "REDIS_URL environment variable is required for Redis, or Auth(redis=...)"
TWO_SOURCES = "REDIS_URL beside Auth(redis=...): one of them would be ignored"


def redis_source(settings: Settings, given: RedisClient | None) -> RedisSource | None:
    """Return a client that was given, else the URL of the settings, else None.

    Raises:
        ConfigurationError: There are both, or neither where one is needed; or the
            extra for Redis is missing.
    """
    if given is None and settings.redis_url is None and settings.needs_redis:
        raise ConfigurationError(NO_REDIS)
    if given is not None and settings.redis_url is not None:
        raise ConfigurationError(TWO_SOURCES)
    if settings.redis_url is not None and find_spec("redis") is None:
        raise ConfigurationError(NO_EXTRA)
    return settings.redis_url if given is None else given


def needed(source: RedisSource | None) -> RedisSource:
    """Return where Redis is.

    Raises:
        ConfigurationError: There is none.
    """
    if source is None:
        raise ConfigurationError(NO_REDIS)
    return source
