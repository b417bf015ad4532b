"""URLs of PostgreSQL for psycopg, which has libpq read their parameters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from fastbearer.connections.libpq import (
    TRUE_ANYWAY,
    WRONG_VALUE,
    given_parameters,
    refuse_unknown,
    take_pooler,
    with_files,
    with_sslmode,
)
from fastbearer.errors import ConfigurationError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

__all__ = ["DRIVERS", "NoDriverError", "psycopg_arguments"]

DRIVERS = ("postgresql+psycopg", "postgresql+psycopg_async")

TIMEOUTS = {"connect_timeout": 5, "command_timeout": 30}  # seconds
NUMBERS = (
    *("connect_timeout", "tcp_user_timeout", "prepare_threshold"),
    *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"),
)
OF_THE_DRIVER = ("prepare_threshold",)
HOST = re.compile(r"(?:\[(?P<v6>[^]]*)\]|(?P<name>[^:]*))(?::(?P<port>[0-9]*))?")

TRUE_FOR_LIBPQ = ("client_encoding", "replication")
"""Those of `TRUE_ANYWAY` of which libpq takes more values than we can live with."""


class NoDriverError(ImportError):
    """psycopg is not installed."""


def psycopg_arguments(url: URL, name: str) -> tuple[URL, dict[str, Any]]:
    """Return a URL without its parameters, and what psycopg is told in their place.

    Args:
        url: SQLAlchemy's, of PostgreSQL with psycopg.
        name: What an error calls it.

    Raises:
        ConfigurationError: A parameter is unknown to libpq, or cannot be honoured. The
            message names it, and shows no value.
        NoDriverError: psycopg is not installed.
    """
    known = {*_of_libpq(), *OF_THE_DRIVER}
    given = given_parameters(url, known, name)
    is_pooled = take_pooler(given, name)
    given = with_files(with_sslmode(given, name), name)
    arguments: dict[str, Any] = {}
    for key, value in given.items():
        if key not in known:
            refuse_unknown(key, "psycopg", name)
        if key in TRUE_FOR_LIBPQ and value not in TRUE_ANYWAY[key]:
            raise ConfigurationError(WRONG_VALUE.format(name, key))
        arguments[key] = _number(key, value, name) if key in NUMBERS else value
    if is_pooled:
        if arguments.get("prepare_threshold") is not None:
            raise ConfigurationError(WRONG_VALUE.format(name, "prepare_threshold"))
        arguments["prepare_threshold"] = None
    if "host" in arguments:
        arguments |= _with_ports(arguments["host"], arguments.get("port", ""))
    host = None if url.host is None else unquote(url.host)
    return url.set(host=host, query={}), _limited(arguments, is_pooled)


def _with_ports(hosts: str, ports: str) -> dict[str, str]:
    """Return a list of hosts and one of ports; a URL may have them together."""
    found = [HOST.fullmatch(host) for host in hosts.split(",")]
    if ports or not all(found):
        return {"host": hosts}
    parts = [one.groupdict() for one in found if one is not None]
    return {
        "host": ",".join(part["v6"] or part["name"] or "" for part in parts),
        "port": ",".join(part["port"] or "" for part in parts),
    }


def _limited(arguments: dict[str, Any], is_pooled: bool) -> dict[str, Any]:
    """Return arguments with how long it is waited, where nobody has said so.

    PgBouncer takes no options for a session; it has limits of its own.
    """
    milliseconds = int(TIMEOUTS["command_timeout"] * 1000)
    limited: dict[str, Any] = {
        "connect_timeout": int(TIMEOUTS["connect_timeout"]),
        "tcp_user_timeout": milliseconds,
        **arguments,
    }
    if not is_pooled:
        first = f"-c statement_timeout={milliseconds}"
        limited["options"] = f"{first} {arguments.get('options', '')}".strip()
    return limited


def _number(key: str, value: str, name: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise ConfigurationError(WRONG_VALUE.format(name, key)) from None


def _of_libpq() -> set[str]:
    """Return the parameters of the libpq that psycopg has loaded."""
    try:
        from psycopg.pq import Conninfo
    except ImportError as error:
        raise NoDriverError(str(error)) from None
    return {option.keyword.decode() for option in Conninfo.get_defaults()}
