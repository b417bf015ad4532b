"""Why a database cannot be opened, in words for whoever set its URL."""

from __future__ import annotations

import re
import socket
import sqlite3
import ssl
from typing import TYPE_CHECKING

from fastbearer.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

__all__ = ["NO_FILE", "reason_of", "refuse_unopened"]

SEE = (
    "see that it is running, and that the URL has the right host, name, user and"
    " password (or a folder that exists); and that DATABASE_POOLER=pgbouncer is set,"
    " where that is what it names"
)

NOTHING_LISTENS = "nothing listens at its host and port: start it, or correct the URL"
UNKNOWN_HOST = "its host is not known: correct the URL"
NO_ANSWER = "it does not answer: see that its host and port can be reached from here"
REFUSED_USER = "it refuses the user or the password: correct the URL"
NO_DATABASE = "it has no database of that name: make it, or correct the URL"
NO_TLS = "it has no TLS, which the URL asks for (sslmode)"
REFUSED_TLS = "its TLS certificate is not accepted: see the URL's parameters of TLS"
TOO_MANY = "it has too many connections: try later, or allow it more"
NOT_STARTED = "it is starting or stopping: try later"
NO_FILE = (
    "its file cannot be made, read and written there: see that the folder exists, and"
    " whose it is, or correct the URL"
)
NOT_SQLITE = "its file is not one of SQLite's: name another, or move that one away"
BUSY = "another program holds it: end that one, or try later"
FULL = "there is no space left for it"

OF_SQLITE = {
    sqlite3.SQLITE_CANTOPEN: NO_FILE,
    sqlite3.SQLITE_READONLY: NO_FILE,
    sqlite3.SQLITE_PERM: NO_FILE,
    sqlite3.SQLITE_NOTADB: NOT_SQLITE,
    sqlite3.SQLITE_CORRUPT: NOT_SQLITE,
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_FULL: FULL,
}
OF_STATES = {
    "28000": REFUSED_USER,
    "28P01": REFUSED_USER,
    "3D000": NO_DATABASE,
    "53300": TOO_MANY,
    "57P03": NOT_STARTED,
}
"""SQLSTATE, as PostgreSQL has it."""

OF_NUMBERS = {
    1040: TOO_MANY,
    1044: REFUSED_USER,
    1045: REFUSED_USER,
    1049: NO_DATABASE,
    1698: REFUSED_USER,
    2002: NOTHING_LISTENS,
    2005: UNKNOWN_HOST,
}
"""The numbers of MariaDB and MySQL."""

OF_LIBPQ = (
    ("password authentication failed", REFUSED_USER),
    ("no password supplied", REFUSED_USER),
    (r'role ".*" does not exist', REFUSED_USER),
    ("no pg_hba.conf entry", REFUSED_USER),
    (r'database ".*" does not exist', NO_DATABASE),
    ("[Tt]oo many (clients|connections)", TOO_MANY),
    ("the database system is (starting|shutting)", NOT_STARTED),
    ("could not translate|resolve host|Name or service|No address", UNKNOWN_HOST),
    ("Connection refused|No such file or directory", NOTHING_LISTENS),
    ("server does not support SSL", NO_TLS),
    ("certificate|SSL error", REFUSED_TLS),
    ("timeout expired|timed out", NO_ANSWER),
)
"""What libpq says, which gives no SQLSTATE where no connection was made."""


def refuse_unopened(error: BaseException, subject: str) -> NoReturn:
    """Raise our error in place of a driver's.

    That one is shown only where the reason is not known: its traceback is long.

    Args:
        error: A driver's, or one that came of it.
        subject: "the database of DATABASE_URL"

    Raises:
        ConfigurationError: Always. It shows nothing of what a URL may have.
    """
    reason = reason_of(error)
    text = f"{subject} cannot be opened: {reason or SEE}"
    raise ConfigurationError(text) from (error if reason is None else None)


def reason_of(error: BaseException) -> str | None:
    """Return why, if that is known; none of what a URL may have is in the text.

    Args:
        error: A driver's, or one that came of it.
    """
    return next(filter(None, map(_reason, _chain(error))), None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield what an error came of, the first cause first."""
    found: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in found:
        found.append(one)
        one = getattr(one, "orig", None) or one.__cause__ or one.__context__
    yield from reversed(found)


def _reason(error: BaseException) -> str | None:
    if isinstance(error, sqlite3.Error):
        return OF_SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    if isinstance(error, OSError):
        return _of_system(error)
    state = getattr(error, "sqlstate", None)
    if state in OF_STATES:
        return OF_STATES[state]
    first = error.args[0] if error.args else None
    if isinstance(first, int):
        return OF_NUMBERS.get(first)
    if type(error).__module__.partition(".")[0] == "psycopg":
        return next(
            (told for text, told in OF_LIBPQ if re.search(text, str(first))), None
        )
    return None


def _of_system(error: OSError) -> str | None:
    if isinstance(error, ssl.SSLError):
        return REFUSED_TLS
    if isinstance(error, socket.gaierror):
        return UNKNOWN_HOST
    if isinstance(error, (ConnectionRefusedError, FileNotFoundError)):
        return NOTHING_LISTENS  # or there is no such socket
    if isinstance(error, TimeoutError):
        return NO_ANSWER
    # asyncpg's, where a server answers that it cannot.
    is_without_tls = type(error) is ConnectionError and "SSL" in str(error)
    return NO_TLS if is_without_tls else None
