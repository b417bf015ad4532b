"""API keys, looked up in Better Auth's secondary storage: Redis."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fastbearer._core import json_object
from fastbearer.awaited import awaited
from fastbearer.better_auth.api_keys.key import (
    DEFAULT,
    UNKNOWN,
    WRONG_OWNER,
    APIKey,
    KeyRules,
    Owner,
    check_allowed,
    is_key,
    refused,
    stored_form,
    unreadable,
)
from fastbearer.errors import (
    ConfigurationError,
    MalformedTokenError,
)
from fastbearer.extras import needs_extra

with needs_extra("redis"):
    from fastbearer.connections.redis import RedisAccess, bytes_of, redis_outages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fastbearer.connections.redis import RedisSource

__all__ = ["RedisAPIKeys"]

NAME = "the URL of Better Auth's Redis"
VALUE_MAX = 65_536
LAST_BYTE = VALUE_MAX - 1  # a longer value is cut off: its JSON breaks


class RedisAPIKeys:
    """An `APIKeyStore` over the ``secondaryStorage`` of a Better Auth server.

    For a server with ``storage: "secondary-storage"``. It sends one command for each
    key and writes nothing, so that it refuses keys whose requests have to be counted:
    the server itself cannot count them in this storage without losing some. There are
    no users in it: keys of users who are banned or gone stay good until they are
    deleted.

    Args:
        source: Like ``redis://localhost:6379/0``, also of a cluster or Sentinels; or
            a client of redis.asyncio, which you close.
        prefix: What the names of the keys begin with: the ``keyPrefix`` of
            @better-auth/redis-storage, or ``""`` for storages that have no prefix.
        config_id: The configuration of the plugin whose keys are taken.
        references: Whom its keys belong to.
        hashed: Whether keys are stored as their hash; False for a server with
            ``disableKeyHashing``.
        rate_limit: Whether the rate limit is on; False for a server with
            ``rateLimit: { enabled: false }``.

    Raises:
        ConfigurationError: The URL is malformed, it is no such client, or
            ``references`` is neither.
    """

    def __init__(
        self,
        source: RedisSource,
        *,
        prefix: str = "better-auth:",
        config_id: str = DEFAULT,
        references: Owner = "user",
        hashed: bool = True,
        rate_limit: bool = True,
    ) -> None:
        if references not in ("user", "organization"):
            raise ConfigurationError(WRONG_OWNER)
        self._redis = RedisAccess(source, NAME)
        self._prefix = prefix
        self._rules = KeyRules(config_id, references, rate_limit)
        self._is_hashed = hashed

    @awaited
    async def verify(
        self,
        key: str,
        *,
        permissions: Mapping[str, Iterable[str]] | None = None,
        now: float | None = None,
    ) -> APIKey:
        """As in `APIKeyStore`."""
        if not is_key(key):
            raise refused(UNKNOWN, "api_key_unknown")
        stored = stored_form(key, hashed=self._is_hashed)
        with redis_outages():
            name = f"{self._prefix}api-key:{stored}"
            client = await self._redis.ready()
            value = bytes_of(await client.getrange(name, 0, LAST_BYTE))
        if not value:
            raise refused(UNKNOWN, "api_key_unknown")
        try:
            row = json_object(value)
        except MalformedTokenError as error:
            raise unreadable(error) from None
        moment = time.time() if now is None else now
        found = self._rules.judge(row, stored, moment)
        check_allowed(found, permissions)
        return found

    async def aclose(self) -> None:
        """Close the connections; they open again when needed."""
        await self._redis.aclose()
