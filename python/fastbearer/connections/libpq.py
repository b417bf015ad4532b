"""URLs of PostgreSQL as libpq reads them, and in asyncpg's terms.

Hosting services hand out URLs with libpq's parameters (PostgreSQL, 34.1.2), and
SQLAlchemy would give each to asyncpg as an argument that it does not have. Most of
them asyncpg knows in a URL of its own, so they are put into one.
"""

from __future__ import annotations

import logging
import os
import re
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import unquote, urlencode

from fastbearer.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from sqlalchemy.engine import URL

__all__ = [
    "asyncpg_arguments",
    "given_parameters",
    "is_pooled",
    "refuse_unknown",
    "take_pooler",
    "with_files",
    "with_hosts_apart",
    "with_sslmode",
]

HOSTS = re.compile(
    r"(?P<head>postgres(?:ql)?(?:\+(?:asyncpg|psycopg(?:_async)?))?://"
    r"(?:[^:/@]*(?::[^@]*)?@)?+)"
    r"(?P<hosts>[^/?@,]*,[^/?@]*)(?P<path>/[^?]*)?(?:\?(?P<query>.*))?",
    re.DOTALL,
)
"""What stands before an "@" is never a host: a password may have commas in it, and as
SQLAlchemy reads it, slashes and question marks as well."""

SHOWABLE = re.compile(r"[A-Za-z_-]{1,40}")

MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile")
SYSTEM = "system"  # of sslrootcert: whom the operating system trusts

ASKED_OF_ASYNCPG = frozenset(
    (
        *("host", "port", "user", "password", "dbname", "passfile", "service"),
        *("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "sslpassword"),
        *("sslnegotiation", "ssl_min_protocol_version", "ssl_max_protocol_version"),
        *("target_session_attrs", "krbsrvname", "gsslib"),
        # The server's own; asyncpg sends on what it does not know.
        *("application_name", "options"),
    )
)
TRUE_ANYWAY: Mapping[str, frozenset[str]] = {
    "channel_binding": frozenset(("disable", "prefer", "require")),
    "client_encoding": frozenset(("auto", "utf8", "UTF8", "utf-8", "UTF-8")),
    "gssencmode": frozenset(("disable", "prefer")),
    "load_balance_hosts": frozenset(("disable",)),
    "replication": frozenset(("false", "off", "no", "0")),
    "sslcompression": frozenset(("0",)),
    "sslsni": frozenset(("1",)),
}
"""Values that ask for what asyncpg does in any case."""


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise ValueError("not a number of seconds to wait")
    return seconds


OWN: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "connect_timeout": ("timeout", lambda text: float(text) if int(text) > 0 else None),
    "timeout": ("timeout", _seconds),
    "command_timeout": ("command_timeout", _seconds),
    "statement_cache_size": ("statement_cache_size", int),
    "prepared_statement_cache_size": ("prepared_statement_cache_size", int),
}
"""Arguments of asyncpg and SQLAlchemy: parameter -> argument, and what reads it."""

POOLER = "pgbouncer"
"""A parameter that Prisma and some hosting services know, too: PgBouncer gives each
transaction another session (``pool_mode = transaction``)."""

UNKNOWN = "{}: the database's driver {} knows no parameter {!r} that can be honoured"
WITH_PSYCOPG = "; psycopg does: write postgresql+psycopg://"
OF_PSYCOPG = frozenset(
    (
        *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"),
        *("tcp_user_timeout", "hostaddr", "require_auth"),
    )
)
"""Parameters of libpq that ask asyncpg for what it cannot do."""

UNREADABLE = (
    "{}: there is a parameter that nobody knows; characters like ? & # @ in a password"
    " must be percent-encoded"
)
WRONG_VALUE = "{}: the value of {!r} is not one that the driver can honour"
NO_FILE = "{}: the file that {!r} names cannot be read"
NO_ROOT = (
    "{}: with sslmode={} it must be said whose certificates are trusted: sslrootcert"
    " names a file, or is 'system' for those whom the operating system trusts"
)
NO_BINDING = (
    "channel_binding=require: asyncpg cannot bind the channel; TLS is required, and"
    " with sslmode=verify-full nobody can stand in between either"
)

logger: logging.Logger = logging.getLogger("fastbearer")


def with_hosts_apart(url: str) -> str:
    """Return a URL whose list of hosts, if it has one, is in its query.

    ``postgresql://a:5432,b:5433/db``: SQLAlchemy reads no such list.
    """
    found = HOSTS.fullmatch(url)
    if found is None:
        return url
    query = urlencode({"host": unquote(found["hosts"])})
    more = f"&{found['query']}" if found["query"] else ""
    return f"{found['head']}{found['path'] or '/'}?{query}{more}"


def asyncpg_arguments(url: URL, name: str) -> tuple[URL, dict[str, Any]]:
    """Return a URL without its parameters, and what asyncpg is told in their place.

    Args:
        url: SQLAlchemy's, of PostgreSQL.
        name: What an error calls it.

    Raises:
        ConfigurationError: A parameter is unknown, or asks for what asyncpg cannot
            do. The message names it, and shows no value.
    """
    known = {*ASKED_OF_ASYNCPG, *TRUE_ANYWAY, *OWN}
    given = given_parameters(url, known, name)
    is_pooled = take_pooler(given, name)
    given = _with_channel(with_sslmode(given, name), name)
    arguments, asked = _sorted_out(given, name)
    if is_pooled:
        _prepare_nothing(arguments, name)
    asked = with_files(asked, name)
    if asked.get("sslrootcert") == SYSTEM:
        arguments["ssl"] = _system_context(asked, name)
    asked = {key: value for key, value in asked.items() if value}
    if asked:
        arguments["dsn"] = f"postgresql://?{urlencode(asked)}"
    # Of a unix socket the folder is written like this: %2Fvar%2Frun%2Fpostgresql.
    host = None if url.host is None else unquote(url.host)
    return url.set(host=host, query={}), arguments


def is_pooled(url: URL) -> bool:
    """Tell whether a URL says that the database is reached through PgBouncer."""
    return url.query.get(POOLER) == "true"


def take_pooler(given: dict[str, str], name: str) -> bool:
    """Take the parameter ``pgbouncer`` out of others; return what it says.

    Raises:
        ConfigurationError: It says neither yes nor no.
    """
    value = given.pop(POOLER, "false")
    if value not in ("true", "false"):
        raise ConfigurationError(WRONG_VALUE.format(name, POOLER))
    return value == "true"


def given_parameters(url: URL, known: Collection[str], name: str) -> dict[str, str]:
    """Return the parameters of a URL.

    Args:
        url: SQLAlchemy's.
        known: Those of the driver, beside ``ssl`` and ``pgbouncer``.
        name: What an error calls the URL.

    Raises:
        ConfigurationError: They may be the rest of a password. None is named.
    """
    given = {key: _single(value) for key, value in url.query.items()}
    is_odd = any("@" in key + value for key, value in given.items() if key != "user")
    if is_odd and not given.keys() <= {*known, "ssl", POOLER}:
        raise ConfigurationError(UNREADABLE.format(name))
    return given


def refuse_unknown(key: str, driver: str, name: str) -> NoReturn:
    """Refuse a parameter, and name it if it is surely no part of a password.

    Args:
        key: The parameter.
        driver: Who does not know it.
        name: What an error calls the URL.

    Raises:
        ConfigurationError: In any case.
    """
    if SHOWABLE.fullmatch(key) is None:
        raise ConfigurationError(UNREADABLE.format(name))
    more = WITH_PSYCOPG if driver == "asyncpg" and key in OF_PSYCOPG else ""
    raise ConfigurationError(UNKNOWN.format(name, driver, key) + more)


def _single(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ",".join(value)


def _prepare_nothing(arguments: dict[str, Any], name: str) -> None:
    """Let no statement have a name: it would be another client's, or nobody's.

    Without its cache asyncpg sends each statement and its values together, so that they
    go to one session whether or not there is a transaction. Names that are unique, as
    SQLAlchemy's documents have them, would be left behind in each session.
    """
    for key in ("statement_cache_size", "prepared_statement_cache_size"):
        if arguments.setdefault(key, 0) != 0:
            raise ConfigurationError(WRONG_VALUE.format(name, key))


def with_sslmode(given: Mapping[str, str], name: str) -> dict[str, str]:
    """Return the parameters with one ``sslmode``, whoever's word was used for it.

    Raises:
        ConfigurationError: It is not one of libpq's.
    """
    result = dict(given)
    if "ssl" in result:  # JDBC's, which libpq takes, and asyncpg's own
        word = result.pop("ssl")
        result.setdefault("sslmode", "require" if word == "true" else word)
    mode = result.get("sslmode")
    if mode is not None and mode not in MODES:
        raise ConfigurationError(WRONG_VALUE.format(name, "sslmode"))
    if result.get("sslrootcert") == SYSTEM:
        if mode not in (None, "verify-full"):  # as libpq: anybody can get one of those
            raise ConfigurationError(WRONG_VALUE.format(name, "sslrootcert"))
        result["sslmode"] = "verify-full"
    return result


def _with_channel(given: Mapping[str, str], name: str) -> dict[str, str]:
    """Return the parameters with TLS where the channel should be bound."""
    result = dict(given)
    mode = result.get("sslmode")
    if result.get("channel_binding") == "require":
        if mode == "disable":
            raise ConfigurationError(WRONG_VALUE.format(name, "channel_binding"))
        if mode in (None, "allow", "prefer"):
            result["sslmode"] = "require"
        if mode != "verify-full":
            logger.warning("%s: %s", name, NO_BINDING)
    return result


def _sorted_out(
    given: Mapping[str, str], name: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the arguments of our own, and the parameters that asyncpg reads."""
    arguments: dict[str, Any] = {}
    asked: dict[str, str] = {}
    for key, value in given.items():
        if key in ASKED_OF_ASYNCPG:
            asked[key] = value
        elif key in OWN:
            argument, read = OWN[key]
            try:
                arguments[argument] = read(value)
            except ValueError:
                raise ConfigurationError(WRONG_VALUE.format(name, key)) from None
        elif key == "fallback_application_name":
            asked.setdefault("application_name", given.get("application_name", value))
        elif key not in TRUE_ANYWAY:
            refuse_unknown(key, "asyncpg", name)
        elif value not in TRUE_ANYWAY[key]:
            raise ConfigurationError(WRONG_VALUE.format(name, key))
    return arguments, asked


def with_files(asked: dict[str, str], name: str) -> dict[str, str]:
    """Return the parameters; the files that they name can be read.

    Raises:
        ConfigurationError: One cannot, or certificates should be verified, and nobody
            says whose are trusted.
    """
    mode = asked.get("sslmode", "")
    if mode.startswith("verify") and not (asked.get("sslrootcert") or _has_root()):
        raise ConfigurationError(NO_ROOT.format(name, mode))
    for key in FILES:
        path = asked.get(key)
        if not path or (key == "sslrootcert" and path == SYSTEM):
            continue
        try:
            with Path(path).open("rb"):
                pass
        except (OSError, ValueError):
            raise ConfigurationError(NO_FILE.format(name, key)) from None
    return asked


def _has_root() -> bool:
    """Tell whether there is the file that libpq and asyncpg take unasked."""
    if os.environ.get("PGSSLROOTCERT"):
        return True
    try:
        return (Path.home() / ".postgresql" / "root.crt").exists()
    except (OSError, RuntimeError):
        return False


def _system_context(asked: dict[str, str], name: str) -> ssl.SSLContext:
    """Return TLS that trusts whom the operating system trusts."""
    context = ssl.create_default_context()
    del asked["sslrootcert"]
    certificate = asked.pop("sslcert", "")
    key, password = asked.pop("sslkey", ""), asked.pop("sslpassword", "")
    if certificate:
        try:
            context.load_cert_chain(certificate, key or None, lambda: password)
        except (OSError, ValueError):
            raise ConfigurationError(NO_FILE.format(name, "sslcert")) from None
    return context
