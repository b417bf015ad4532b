"""URLs of Redis: one server, a Redis Cluster, or the master that Sentinels name.

redis-py reads the first kind alone. For the others there are forms that many programs
share: ``redis+cluster://host:7000,host:7001`` and
``redis+sentinel://host:26379,host:26379/mymaster/0``; with ``rediss`` for TLS.
"""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from redis.asyncio.connection import SSLConnection, parse_url

from fastbearer.errors import ConfigurationError

__all__ = ["RedisURL", "read_redis_url"]

SEVERAL = re.compile(
    r"(?P<scheme>rediss?)\+(?P<kind>cluster|sentinel)://"
    r"(?P<user>[^/?#]*@)?(?P<hosts>[^/?#@]*)(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?",
    re.IGNORECASE,
)
ONE = re.compile(r"(?:rediss?|unix)://", re.IGNORECASE)
NUMBER = re.compile(r"/?(?:[0-9]{1,9}/?)?")
PORTS = {"cluster": 6379, "sentinel": 26379}

NOT_ONE = (
    "{} must be a redis:// URL: redis://host:6379/0, redis+cluster://host:7000,host:7001"
    " or redis+sentinel://host:26379,host:26379/mymaster/0; with rediss for TLS"
)
NO_NUMBER = "{}: what follows the host of a redis:// URL is the number of a database"
ONLY_ZERO = "{}: a Redis Cluster has no database but 0; leave the number out"
NO_MASTER = (
    "{}: a URL of Sentinels names the master that they watch:"
    " redis+sentinel://host:26379/mymaster"
)

Kind = Literal["one", "cluster", "sentinel"]


class RedisURL(NamedTuple):
    """What a URL says.

    Attributes:
        kind: What is at its hosts.
        hosts: Host and port of each; of one server, they are among the options.
        options: Arguments of redis-py for the connections to the data.
        master: The name of a master that Sentinels watch, or an empty string.
        sentinels: Arguments of redis-py for the connections to the Sentinels.
    """

    kind: Kind
    hosts: tuple[tuple[str, int], ...]
    options: dict[str, Any]
    master: str
    sentinels: dict[str, Any]


def read_redis_url(url: str, name: str) -> RedisURL:
    """Read a URL.

    Args:
        url: Of one of the three kinds.
        name: What an error calls it.

    Raises:
        ConfigurationError: It is not one. The message shows no part of it.
    """
    try:
        found = SEVERAL.fullmatch(url)
        if found is not None:
            return _several(found, name)
        if ONE.match(url) is None:
            raise ValueError("another scheme")
        return RedisURL("one", (), _one(url, name), "", {})
    except ConfigurationError:
        raise
    except (ValueError, AttributeError, TypeError):
        raise ConfigurationError(NOT_ONE.format(name)) from None


def _one(url: str, name: str) -> dict[str, Any]:
    """Return the arguments that a URL of one server stands for.

    redis-py takes a path that is no number for the database 0.
    """
    parts = urlsplit(url)
    if parts.scheme != "unix" and not NUMBER.fullmatch(unquote(parts.path)):
        raise ConfigurationError(NO_NUMBER.format(name))
    return dict(parse_url(url))


def _several(found: re.Match[str], name: str) -> RedisURL:
    kind: Kind = "cluster" if found["kind"].lower() == "cluster" else "sentinel"
    hosts = tuple(_host(text, PORTS[kind]) for text in found["hosts"].split(","))
    path = unquote(found["path"] or "")
    master, database = "", path
    if kind == "sentinel":
        master, _, database = path.removeprefix("/").partition("/")
        if not master:
            raise ConfigurationError(NO_MASTER.format(name))
    # As of one server, whose URL redis-py reads.
    user, query = found["user"] or "", found["query"] or ""
    single = f"{found['scheme'].lower()}://{user}host/{database.strip('/')}{query}"
    options = _one(single, name)
    del options["host"]
    if kind == "cluster" and options.pop("db", 0):
        raise ConfigurationError(ONLY_ZERO.format(name))
    if options.pop("connection_class", None) is SSLConnection:
        options["ssl"] = True
    watching = _of_sentinels(options) if kind == "sentinel" else {}
    return RedisURL(kind, hosts, options, master, watching)


def _of_sentinels(options: dict[str, Any]) -> dict[str, Any]:
    """Take what is for Sentinels out of the options, and return their arguments.

    Sentinels have users and passwords of their own; certificates they share.
    """
    own = {
        key: options.pop(f"sentinel_{key}")
        for key in ("username", "password")
        if f"sentinel_{key}" in options
    }
    shared = ("ssl", "socket_")
    return own | {
        key: value for key, value in options.items() if key.startswith(shared)
    }


def _host(text: str, default_port: int) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.netloc != text:
        raise ValueError("not a host")
    port = default_port if parts.port is None else parts.port
    if port < 1:
        raise ValueError("not a port")
    return parts.hostname, port
