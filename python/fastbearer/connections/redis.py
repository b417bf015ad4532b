"""Clients of Redis: whose they are, their time-outs, and what their errors say."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager, contextmanager
from hashlib import sha1
from typing import TYPE_CHECKING, Any

from redis.asyncio import ConnectionPool, Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as LostConnectionError
from redis.exceptions import (
    NoScriptError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    ResponseError,
)

from fastbearer.connections.redis_cluster import ClusterClient
from fastbearer.connections.redis_urls import RedisURL, read_redis_url
from fastbearer.connections.shared_attempt import SharedAttempt
from fastbearer.errors import ConfigurationError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from redis.asyncio.client import PubSub

__all__ = [
    "OUTAGES",
    "RedisAccess",
    "RedisClient",
    "RedisScript",
    "RedisSource",
    "bytes_of",
    "redis_outages",
    "refused_by_redis",
]

RedisClient = Redis | RedisCluster
"""One server (or the master of Sentinels), or a Redis Cluster."""

AnyClient = RedisClient | ClusterClient

RedisSource = str | RedisClient
"""A URL, or a client of the application's own, which closes it."""

TIMEOUT_SECONDS = 2.0
READY_SECONDS = 300.0
"""For a client of somebody's own to get ready: what it has asked may be lost for good,
and it may have no time-outs. It is more than a system takes to give up two nodes."""

REFUSED_COMMAND = re.compile(r"the '([a-z|]{1,40})' command")
REFUSED_KEY = re.compile(r"(?s)(?=.*permission).*key")
"""Redis says it in a sentence alone; one that a script meets has not even a type."""

UNKNOWN = "{} has a parameter, or a value of one, that redis-py does not take"
NO_CLIENT = (
    "{} must be a URL, or a client of redis.asyncio: Redis, RedisCluster, or what"
    " Sentinel.master_for returns"
)

# uvloop has a RuntimeError for a connection that has just been lost; the client of a
# cluster whose nodes change has errors of all kinds.
OUTAGES = (
    RedisError,
    RedisClusterException,
    OSError,
    RuntimeError,
    ValueError,
    AttributeError,
    LookupError,
)
"""What a client raises where Redis cannot be reached."""


class RedisAccess:
    """The one door to Redis: a client of ours for a URL, or one of somebody's own.

    Args:
        source: Like ``redis://localhost:6379/0``, ``redis+cluster://...`` or
            ``redis+sentinel://...``; or a client of redis.asyncio.
        name: What an error calls it.

    Raises:
        ConfigurationError: It is neither. The message shows no part of a URL.
    """

    def __init__(self, source: RedisSource, name: str = "REDIS_URL") -> None:
        self._url: RedisURL | None = None
        self._name = name
        self._sentinel: Sentinel | None = None
        self._client: AnyClient | None = None
        self._readying = SharedAttempt()
        if isinstance(source, (Redis, RedisCluster)):
            self._client = source
        elif isinstance(source, str):
            self._url = read_redis_url(source, name)
            _ = self.client  # a mistake stops the start
        else:
            raise ConfigurationError(NO_CLIENT.format(name))

    @property
    def client(self) -> AnyClient:
        """The client; what was closed is made anew, for an event loop of its own.

        Raises:
            ConfigurationError: A parameter of the URL, or its value, is not one that
                redis-py takes.
        """
        if self._client is None:
            assert self._url is not None  # noqa: S101 - ours alone is ever closed
            try:
                self._client = self._opened(self._url)
            except (*OUTAGES, TypeError):
                raise ConfigurationError(UNKNOWN.format(self._name)) from None
        return self._client

    async def ready(self) -> AnyClient:
        """Return the client, which knows the nodes of its cluster.

        Up to redis-py 7 its client of a cluster would send commands to any node
        before, which say where else they belong: a storm, when many come at once.

        Raises:
            Exception: One of `OUTAGES`.
        """
        client = self.client
        if isinstance(client, RedisCluster):
            # By itself it would let each who waits try in turn.
            await self._readying.join(lambda: _initialized(client))
        return client

    def script(self, text: str) -> RedisScript:
        """Return a Lua script."""
        return RedisScript(self, text)

    @asynccontextmanager
    async def subscriber(self) -> AsyncIterator[PubSub]:
        """Give what can subscribe to channels, with a connection of its own.

        In a cluster any node will do: each tells all others what is published.
        """
        client = await self.ready()
        if isinstance(client, ClusterClient):
            client = await client.any_node()
        if isinstance(client, Redis):
            async with client.pubsub() as channel:
                yield channel
            return
        node: ClusterNode = client.get_random_node()
        pool = ConnectionPool(node.connection_class, **node.connection_kwargs)
        async with Redis.from_pool(pool) as single, single.pubsub() as channel:
            yield channel

    async def aclose(self) -> None:
        """Close the connections of a client of ours; they open again when needed."""
        await self._readying.aclose()
        while self._url is not None and self._client is not None:  # or again meanwhile
            client, self._client = self._client, None
            sentinel, self._sentinel = self._sentinel, None
            await client.aclose()
            for one in () if sentinel is None else sentinel.sentinels:
                await one.aclose()

    def _opened(self, url: RedisURL) -> AnyClient:
        """Return a client that does not wait long for a Redis that is away.

        A connection that was lost, or leads to a server that became a replica, is made
        anew at once; that may be another server's.
        """
        options = _patience(url.options)
        if url.kind == "cluster":
            return ClusterClient(url.hosts, options)
        if url.kind == "sentinel":
            return self._watched(url, options)
        return _checked(Redis.from_pool(ConnectionPool(**options)))

    def _watched(self, url: RedisURL, options: dict[str, Any]) -> Redis:
        make: Any = Sentinel
        sentinel = make(url.hosts, sentinel_kwargs=_patience(url.sentinels))
        self._sentinel = sentinel
        return _checked(sentinel.master_for(url.master, **options))


async def _initialized(client: RedisCluster) -> None:
    async with asyncio.timeout(READY_SECONDS):
        await client.initialize()


def _checked(client: Redis) -> Redis:
    """Return a client whose connections know all of their arguments.

    Raises:
        TypeError: There is one that they do not know.
    """
    pool: Any = client.connection_pool
    pool.make_connection()
    return client


def _patience(options: dict[str, Any]) -> dict[str, Any]:
    """Return arguments with our time-outs, but for those that a URL has."""
    return {
        "socket_timeout": TIMEOUT_SECONDS,
        "socket_connect_timeout": TIMEOUT_SECONDS,
        "retry": Retry(NoBackoff(), 1, (LostConnectionError, ReadOnlyError)),
        **options,
    }


class RedisScript:
    """A Lua script, which Redis knows by its digest once it has run it.

    The keys of a call must be of one slot: a string in braces that all have.

    Args:
        access: Where it runs.
        text: In Lua.
    """

    def __init__(self, access: RedisAccess, text: str) -> None:
        self._access = access
        self._text = text
        self._digest = sha1(text.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, keys: Sequence[str], args: Sequence[object]) -> Any:
        """Run it.

        Raises:
            Exception: One of `OUTAGES`.
        """
        client: Any = await self._access.ready()
        given = (len(keys), *keys, *args)
        try:
            return await client.evalsha(self._digest, *given)
        except NoScriptError:
            # To the one server that needs it, not to all nodes of a cluster.
            return await client.eval(self._text, *given)


def bytes_of(value: bytes | str | None) -> bytes | None:
    """Return a value as it is stored; a client of one's own may decode it."""
    return value.encode() if isinstance(value, str) else value


def refused_by_redis(error: BaseException | None) -> str | None:
    """Return what Redis has refused, if that is the reason of an error.

    Access control lists (ACL) name commands and keys that a user may use. None of
    what was stored or asked for is in the text.
    """
    while error is not None:
        if isinstance(error, ResponseError):
            found = REFUSED_COMMAND.search(str(error))
            if found is not None:
                return f"Redis refuses the command {found[1]}"
            is_key = REFUSED_KEY.match(str(error)) is not None
            return "Redis refuses a key" if is_key else "Redis answers with an error"
        error = error.__cause__ or error.__context__
    return None


@contextmanager
def redis_outages() -> Iterator[None]:
    """Turn what Redis raises into our error.

    Raises:
        StoreUnavailableError: Redis cannot be reached.
    """
    try:
        yield
    except OUTAGES as error:
        raise StoreUnavailableError("Redis cannot be reached") from error
