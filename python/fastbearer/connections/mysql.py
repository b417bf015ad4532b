"""URLs of MariaDB and MySQL, and what a connection to one is told, for asyncmy."""

from __future__ import annotations

import ssl
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fastbearer.connections.libpq import (
    NO_FILE,
    WRONG_VALUE,
    given_parameters,
    refuse_unknown,
)
from fastbearer.errors import ConfigurationError
from fastbearer.utf8 import utf8_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import URL

__all__ = ["DRIVER", "ISOLATION", "UNAVAILABLE_CODES", "mysql_arguments"]

DRIVER = "mysql+asyncmy"

ISOLATION = "READ COMMITTED"
"""PostgreSQL's own. InnoDB's, REPEATABLE READ, would show rows that others have
changed meanwhile as they were, and lock the gaps between rows."""

TIMEOUTS = {"connect_timeout": 5, "read_timeout": 30}  # seconds
LOCKS = {"wait_timeout": 20}  # seconds that a statement waits for others; fewer

VARIABLES = {
    # Nothing is cut to fit. Strings are escaped with backslashes: the mode must not
    # be one in which those are characters like any other.
    "sql_mode": "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_ZERO_DATE'",
    "time_zone": "'+00:00'",
}

UNAVAILABLE_CODES = frozenset(
    (
        *(1020, 1205, 1213),  # lost races: snapshot, lock wait, deadlock
        1305,  # a savepoint that a deadlock has taken away with its transaction
        *(1021, 1037, 1040, 1041, 1114, 1203, 1226),  # too few resources
        *(1028, 1047, 1053, 1077, 1079),  # stops, or starts
        *(1290, 1792, 1836),  # takes no writes, as a replica does
        *(1158, 1159, 1160, 1161, 1184, 1927),  # lost connections, told by the server
        *(1317, 1969, 3024),  # interrupted, or took too long
        *(2002, 2003, 2005, 2006, 2013, 2014, 2055, 4031),  # told by the driver
    )
)
"""Error numbers of what another try may not meet."""

TLS = {
    "disabled": None,
    "required": (ssl.CERT_NONE, False),
    "verify_ca": (ssl.CERT_REQUIRED, False),
    "verify_identity": (ssl.CERT_REQUIRED, True),
    # As Drizzle, mysql2 and PyMySQL have it.
    "true": (ssl.CERT_REQUIRED, True),
    "false": None,
}
"""ssl-mode (MySQL 8.4, 6.3.1): whether certificates are verified, and their names."""

NAMES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("ssl-mode", "ssl_mode", "sslmode", "ssl"), "ssl-mode"),
        **{
            f"ssl{dash}{one}": f"ssl-{one}"
            for one in ("ca", "cert", "key")
            for dash in "-_"
        },
        **dict.fromkeys(("unix_socket", "socket"), "unix_socket"),
        **{name: name for name in ("charset", "connect_timeout", "read_timeout")},
    }
)
"""Parameter, as MySQL or a driver has it -> what we call it."""

CHARSETS = ("utf8mb4",)


def mysql_arguments(url: URL, name: str) -> tuple[URL, dict[str, Any]]:
    """Return a URL without its parameters, and what asyncmy is told in their place.

    Args:
        url: SQLAlchemy's, of MariaDB or MySQL.
        name: What an error calls it.

    Raises:
        ConfigurationError: A parameter is unknown, or asks for what asyncmy cannot do.
            The message names it, and shows no value.
    """
    arguments: dict[str, Any] = dict(TIMEOUTS)
    files: dict[str, str] = {}
    mode: str | None = None
    for key, value in given_parameters(url, NAMES, name).items():
        meaning = NAMES.get(key)
        if meaning is None:
            refuse_unknown(key, "asyncmy", name)
        if meaning == "ssl-mode":
            mode = value.lower()
            if mode not in TLS:
                raise ConfigurationError(WRONG_VALUE.format(name, key))
        elif meaning.startswith("ssl-"):
            files[meaning] = value
        elif meaning == "unix_socket":
            arguments[meaning] = value
        elif meaning == "charset":
            if value not in CHARSETS:
                raise ConfigurationError(WRONG_VALUE.format(name, key))
        else:
            arguments[meaning] = _seconds(key, value, name)
    context = _context(mode, files, name)
    if context is not None:
        arguments["ssl"] = context
    if url.password is not None:  # the driver would write it in Latin-1
        password = utf8_of(str(url.password))
        if password is None:
            raise ConfigurationError(WRONG_VALUE.format(name, "password"))
        arguments["password"] = password
    variables = VARIABLES | {
        "innodb_lock_wait_timeout": str(int(LOCKS["wait_timeout"]))
    }
    values = ", ".join(f"{key} = {value}" for key, value in variables.items())
    arguments["init_command"] = f"SET SESSION {values}"
    return url.set(query={}), arguments


def _seconds(key: str, value: str, name: str) -> int:
    try:
        seconds = int(value)
    except ValueError:
        seconds = 0
    if seconds <= 0:
        raise ConfigurationError(WRONG_VALUE.format(name, key))
    return seconds


def _context(
    mode: str | None, files: Mapping[str, str], name: str
) -> ssl.SSLContext | None:
    """Return what TLS has to be like; without any word of it, there is none."""
    if mode is None:
        mode = "verify_identity" if files else "disabled"
    wanted = TLS[mode]
    if wanted is None:
        return None
    verified, has_name = wanted
    try:
        context = ssl.create_default_context(cafile=files.get("ssl-ca"))
    except (OSError, ValueError):
        raise ConfigurationError(NO_FILE.format(name, "ssl-ca")) from None
    context.check_hostname = has_name
    context.verify_mode = verified
    if "ssl-cert" in files:
        try:
            context.load_cert_chain(files["ssl-cert"], files.get("ssl-key"))
        except (OSError, ValueError):
            raise ConfigurationError(NO_FILE.format(name, "ssl-cert")) from None
    return context
