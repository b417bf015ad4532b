"""Engines: their drivers, pools and time-outs, and what their errors say."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, exc
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from fastbearer.connections import mysql, psycopg
from fastbearer.connections.connecting import is_of_connecting
from fastbearer.connections.libpq import asyncpg_arguments, with_hosts_apart
from fastbearer.connections.mysql import mysql_arguments
from fastbearer.connections.pooler import MISTAKEN, is_mistaken
from fastbearer.connections.prisma import take_pool
from fastbearer.connections.psycopg import NoDriverError, psycopg_arguments
from fastbearer.connections.unfit import is_unfit
from fastbearer.connections.values import hide_values
from fastbearer.errors import ConfigurationError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncEngine

__all__ = [
    "is_in_memory",
    "is_passing",
    "open_engine",
    "parsed_url",
    "sql_outages",
]

EXAMPLE_URL = "sqlite+aiosqlite:///./fastbearer.db"
BAD_URL = f"{{}} must be an SQLAlchemy URL with an async driver, like {EXAMPLE_URL}"
NO_DRIVER = "the database driver that {} names is not installed: pip install {}"
PACKAGES = {
    "sqlite": '"fastbearer[sql]"',
    "postgresql": '"fastbearer[postgres]"',
    "mysql": '"fastbearer[mysql]"',
}
PSYCOPG = '"psycopg[binary]"'
OTHER_DATABASE = (
    "{} names a database, or a driver, that is not supported: write sqlite://,"
    " postgresql://, or mysql:// for MariaDB and MySQL"
)
OTHER_POSTGRESQL = (
    "{}: PostgreSQL is reached with the driver asyncpg, or psycopg; write postgresql://"
    " without a driver, or postgresql+psycopg://"
)
OTHER_DRIVER = (
    "{}: MariaDB and MySQL are reached with the driver asyncmy; write mysql:// without"
    " a driver"
)

BAD_PARAMETER = "{}: asyncpg refuses a parameter of the URL, or a host or port in it"

POSTGRESQL_DRIVER = "postgresql+asyncpg"
SQLITE_DRIVER = "sqlite+aiosqlite"
DRIVERS: Mapping[str, str] = {
    "sqlite": SQLITE_DRIVER,
    "sqlite+pysqlite": SQLITE_DRIVER,
    "postgres": POSTGRESQL_DRIVER,
    "postgresql": POSTGRESQL_DRIVER,
    "mysql": mysql.DRIVER,
    "mariadb": mysql.DRIVER,
    "mariadb+asyncmy": mysql.DRIVER,
}
"""What a URL may begin with -> the driver that is meant, in SQLAlchemy's words."""

SERVER_POOL: dict[str, Any] = {
    "pool_size": 10,
    "max_overflow": 10,
    "pool_timeout": 5,  # seconds to wait for a connection
    "pool_pre_ping": True,  # after a restart of the server, none is stale
}
POSTGRESQL_TIMEOUTS = {"timeout": 5, "command_timeout": 30}  # seconds
READ_ONLY_STATE = "25006"
"""The SQLSTATE of a server that takes no writes, as a replica does."""

UNAVAILABLE_STATES = ("08", "40", "53", "57", READ_ONLY_STATE)
"""SQLSTATE classes of what another try may not meet: lost connections, lost
races, too few resources, a server that stops or starts, and that state."""

SQLITE_UNAVAILABLE = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
)


class RefusedError(ConnectionError):
    """A server has answered, and does not let us in."""


def parsed_url(url: str, name: str) -> URL:
    """Return a URL, with the driver for its server if it names none.

    Args:
        url: SQLAlchemy's, or libpq's: ``postgres:`` and its parameters are taken
            too. ``mysql:`` and ``mariadb:`` are the same, as are ``sqlite:`` and
            ``sqlite+pysqlite:``, which others use without asyncio.
        name: What an error calls it.

    Raises:
        ConfigurationError: It is not one, or names a database or a driver that is not
            supported, or has a parameter that is unknown, or its driver is not
            installed. The message shows no more of it than the
            parameter's name.
    """
    try:
        parsed = make_url(with_hosts_apart(url))
    except (exc.ArgumentError, ValueError):
        raise ConfigurationError(BAD_URL.format(name)) from None
    driver = DRIVERS.get(parsed.drivername, parsed.drivername)
    refusal = _refusal(driver)
    if refusal is not None:
        raise ConfigurationError(refusal.format(name))
    parsed = parsed.set(drivername=driver)
    _with_options(parsed, name)  # what is wrong with its parameters is said here
    return parsed


def _refusal(driver: str) -> str | None:
    """Return why a driver is not taken, or None for one that may be."""
    backend = driver.partition("+")[0]
    if backend in ("mysql", "mariadb"):
        return None if driver == mysql.DRIVER else OTHER_DRIVER
    if backend in ("postgresql", "postgres"):
        is_known = driver in (POSTGRESQL_DRIVER, *psycopg.DRIVERS)
        return None if is_known else OTHER_POSTGRESQL
    return None if driver == SQLITE_DRIVER else OTHER_DATABASE


def open_engine(url: URL, name: str, pragmas: Sequence[str]) -> AsyncEngine:
    """Return an engine; nothing is connected yet.

    Args:
        url: As `parsed_url` gives it.
        name: What an error calls it.
        pragmas: What every connection to an SQLite file says first.

    Raises:
        ConfigurationError: The driver is not there, or is not for asyncio.
    """
    url, options = _with_options(url, name)
    try:
        # An error must not show its parameters: password hashes are among them.
        engine = create_async_engine(url, hide_parameters=True, **options)
    except (exc.ArgumentError, exc.InvalidRequestError, ValueError):
        raise ConfigurationError(BAD_URL.format(name)) from None
    except ImportError:
        package = PACKAGES[url.get_backend_name()]
        raise ConfigurationError(NO_DRIVER.format(name, package)) from None

    def set_pragmas(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", set_pragmas)
    return engine


async def _connect_to_postgresql(name: str, **arguments: Any) -> Any:
    """Connect; what asyncpg cannot make sense of is a mistake in the settings.

    Raises:
        OSError: There is no connection, or the server has refused it: SQLAlchemy
            before 2.1 makes no error of its own of that.
        ConfigurationError: A setting makes no sense.
    """
    import asyncpg  # type: ignore[import-untyped]

    try:
        return await asyncpg.connect(**arguments)
    except OSError:  # a certificate that is refused is a ValueError, too
        raise
    except ValueError:
        raise ConfigurationError(BAD_PARAMETER.format(name)) from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise RefusedError(str(error)) from error


def is_in_memory(url: URL) -> bool:
    """Tell whether a URL of SQLite names no file."""
    return url.database in (None, "", ":memory:")


def _with_options(url: URL, name: str) -> tuple[URL, dict[str, Any]]:
    """Return a URL as its driver wants it, and the options of an engine for it."""
    if url.get_backend_name() == "sqlite":
        if not is_in_memory(url):
            return url, {}
        # The database lives in its one connection.
        alone = {"pool_size": 1, "max_overflow": 0}
        return url, {"poolclass": AsyncAdaptedQueuePool, **alone}
    url, asked = take_pool(url, name)
    options: dict[str, Any] = {**SERVER_POOL, **asked}
    if url.drivername == mysql.DRIVER:
        url, arguments = mysql_arguments(url, name)
        options["isolation_level"] = mysql.ISOLATION
    elif url.drivername in psycopg.DRIVERS:
        try:
            url, arguments = psycopg_arguments(url, name)
        except NoDriverError:
            raise ConfigurationError(NO_DRIVER.format(name, PSYCOPG)) from None
    else:
        url, arguments = asyncpg_arguments(url, name)
        arguments["async_creator_fn"] = partial(_connect_to_postgresql, name)
        arguments = POSTGRESQL_TIMEOUTS | arguments
    return url, {**options, "connect_args": arguments}


def is_passing(error: Exception) -> bool:
    """Tell whether an error says something of the moment, not of the work.

    A server that lets nobody in, or takes no writes, will do so again one day; and it
    does not judge what was to be done.
    """
    if is_of_connecting(error):
        return True
    if is_unfit(error):
        return False
    if isinstance(error, (OSError, exc.InterfaceError, exc.TimeoutError)):
        return True
    if not isinstance(error, exc.DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.Error):
        return error.orig.sqlite_errorcode & 0xFF in SQLITE_UNAVAILABLE
    if error.connection_invalidated:
        return True
    number = error.orig.args[0] if error.orig is not None and error.orig.args else None
    if isinstance(number, int):
        return number in mysql.UNAVAILABLE_CODES
    state = getattr(error.orig, "sqlstate", "")
    if state is None:  # psycopg's, of a connection that was not made or is lost
        return isinstance(error, exc.OperationalError)
    return str(state).startswith(UNAVAILABLE_STATES)


def _refuses_writing(error: Exception) -> bool:
    told = getattr(error, "orig", None)
    if isinstance(told, sqlite3.Error):
        return told.sqlite_errorcode == sqlite3.SQLITE_READONLY
    return getattr(told, "sqlstate", None) == READ_ONLY_STATE


@contextmanager
def sql_outages(*, is_reading: bool = False) -> Iterator[None]:
    """Turn what says something of the moment into our error; the rest stays.

    Neither shows the values of a statement.

    Args:
        is_reading: Whether nothing is to be written. A server that refuses that is
            right then, and whoever has tried is wrong.

    Raises:
        StoreUnavailableError: The database cannot be reached, or is too busy.
        ConfigurationError: It is reached through a pooler that nobody told of.
    """
    try:
        yield
    except (exc.SQLAlchemyError, OSError) as error:
        is_mistake = is_reading and _refuses_writing(error)
        is_of_the_moment = is_passing(error) and not is_mistake
        is_misconfigured = is_mistaken(error)
        hide_values(error)
        if is_misconfigured:
            raise ConfigurationError(MISTAKEN) from error
        if not is_of_the_moment:
            raise
        raise StoreUnavailableError("the database cannot be reached") from error
