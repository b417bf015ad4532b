"""What Prisma writes into URLs, and hosting services with it: pools, and a schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastbearer.connections.libpq import WRONG_VALUE
from fastbearer.errors import ConfigurationError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

__all__ = ["take_pool"]

LIMIT = "connection_limit"
TIMEOUT = "pool_timeout"
SCHEMA = "schema"

DEFAULT_SCHEMA = "public"
MOST = 9999


def take_pool(url: URL, name: str) -> tuple[URL, dict[str, int | None]]:
    """Return a URL without Prisma's parameters, and the options of a pool they mean.

    Args:
        url: SQLAlchemy's, of a server.
        name: What an error calls it.

    Raises:
        ConfigurationError: One has a value that cannot be honoured. The message names
            the parameter, and shows no value.
    """
    query = dict(url.query)
    options: dict[str, int | None] = {}
    if LIMIT in query:
        size = _whole(LIMIT, query.pop(LIMIT), name)
        if size == 0:
            raise ConfigurationError(WRONG_VALUE.format(name, LIMIT))
        options |= {"pool_size": size, "max_overflow": 0}
    if TIMEOUT in query:
        seconds = _whole(TIMEOUT, query.pop(TIMEOUT), name)
        options["pool_timeout"] = seconds or None  # 0 is for ever
    has_schema = SCHEMA in query and url.get_backend_name() == "postgresql"
    if has_schema and query.pop(SCHEMA) != DEFAULT_SCHEMA:
        raise ConfigurationError(WRONG_VALUE.format(name, SCHEMA))
    return url.set(query=query), options


def _whole(key: str, value: str | tuple[str, ...], name: str) -> int:
    is_number = isinstance(value, str) and value.isascii() and value.isdecimal()
    number = int(str(value)) if is_number and len(value) <= len(str(MOST)) else -1
    if not 0 <= number <= MOST:
        raise ConfigurationError(WRONG_VALUE.format(name, key))
    return number
