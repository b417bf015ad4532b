"""Better Auth's sessions, looked up in its secondary storage: Redis."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from fastbearer._core import json_object
from fastbearer.awaited import awaited
from fastbearer.better_auth.cookies import DATA_BYTES_MAX
from fastbearer.better_auth.fields import Shown, milliseconds
from fastbearer.better_auth.session import is_token
from fastbearer.errors import MalformedTokenError
from fastbearer.extras import needs_extra

with needs_extra("redis"):
    from fastbearer.connections.redis import RedisAccess, bytes_of, redis_outages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastbearer.better_auth.session import Session
    from fastbearer.connections.redis import RedisSource

__all__ = ["RedisSessions"]

NAME = "the URL of Better Auth's Redis"
LAST_BYTE = DATA_BYTES_MAX - 1  # a longer value is cut off: its JSON breaks
DIGITS_MAX = 16  # milliseconds up to the year 9999 and beyond
NO_OBJECTS = "session and user are not objects"

logger: logging.Logger = logging.getLogger("fastbearer")


class RedisSessions:
    """A `SessionStore` over the ``secondaryStorage`` of a Better Auth server.

    It sends two commands for each token, ``GETRANGE`` and ``GET``, and writes nothing.
    A session that is not there has ended, even if it is still in the database.

    Args:
        source: Like ``redis://localhost:6379/0``, also of a cluster or Sentinels; or
            a client of redis.asyncio, which you close.
        prefix: What the names of the keys begin with: the ``keyPrefix`` of
            @better-auth/redis-storage, or ``""`` for storages that have no prefix.
        user_fields: Fields of the user to show beside Better Auth's own, like
            ``role``.
        session_fields: The same of the session, like ``impersonatedBy``.

    Raises:
        ConfigurationError: The URL is malformed, or it is no such client.
    """

    def __init__(
        self,
        source: RedisSource,
        *,
        prefix: str = "better-auth:",
        user_fields: Iterable[str] = (),
        session_fields: Iterable[str] = (),
    ) -> None:
        self._redis = RedisAccess(source, NAME)
        self._prefix = prefix
        self._shown = Shown(user_fields, session_fields)

    @awaited
    async def find(self, token: str, now: float) -> Session | None:
        """As in `SessionStore`.

        A value that is not strict JSON, or has another shape, gives None; that is
        logged, without a byte of the value.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        if not is_token(token):
            return None
        with redis_outages():
            client = await self._redis.ready()
            value = bytes_of(await client.getrange(self._key(token), 0, LAST_BYTE))
        if not value:
            return None
        try:
            session, user = _parts(value)
        except MalformedTokenError as error:
            logger.error("a stored session cannot be read: %s", error)
            return None
        found = self._shown.session_of(session, user, token, now)
        if found is None or await self._is_revoked(found):
            return None
        return found

    async def aclose(self) -> None:
        """Close the connections; they open again when needed."""
        await self._redis.aclose()

    async def _is_revoked(self, session: Session) -> bool:
        """Tell whether all sessions of the user were ended after this one began.

        Better Auth has written that time since 1.7.20 (``isRevokedSession`` of its
        db/internal-adapter): a session that is stored again in between stays ended.
        """
        with redis_outages():
            name = self._key(f"revoked-sessions-before-{session.user_id}")
            client = await self._redis.ready()
            value = bytes_of(await client.get(name))
        if value is None:
            return False
        created = session.session.get("createdAt")
        value = value.removeprefix(b'"').removesuffix(b'"')
        is_time = value.isascii() and value.isdigit() and len(value) <= DIGITS_MAX
        if created is None or not is_time:
            logger.error("the time before which sessions ended cannot be read")
            return True
        return milliseconds(created) < int(value)

    def _key(self, name: str) -> str:
        return self._prefix + name


def _parts(value: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the session and the user of a stored value.

    Raises:
        MalformedTokenError: The value does not have both.
    """
    stored = json_object(_unwrapped(value))
    session, user = stored.get("session"), stored.get("user")
    if not (isinstance(session, dict) and isinstance(user, dict)):
        raise MalformedTokenError(NO_OBJECTS)
    return session, user


def _unwrapped(value: bytes) -> str | bytes:
    """Return a stored value whose text was written as JSON twice, read once.

    Storages of one's own do so, whose ``set`` calls ``JSON.stringify``.

    Raises:
        MalformedTokenError: The value is not JSON.
    """
    if not value.startswith(b'"'):
        return value
    members = json_object(b'{"":%s}' % value)
    text = members.pop("", None)
    if members or not isinstance(text, str):
        raise MalformedTokenError(NO_OBJECTS)
    return text
