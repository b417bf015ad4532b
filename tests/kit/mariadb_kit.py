"""MariaDB: a server of our own, and databases on it.

It lives in memory: to commit is the slowest thing that one on a disk does. The
databases are emptied and used again, as those of PostgreSQL are.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from databases import Prepare
from own_servers import RUNS_AS_ROOT, be_patient, kept_for_all, mortal_process, own
from ports import free_port
from waiting import HANG, wait_until

MARIADB = os.environ.get("TEST_MARIADB_URL", "mysql://root@127.0.0.1:3306/")
NO_MARIADB = (
    "NO MARIADB: none is installed to start, and none answers at 127.0.0.1:3306"
)
FOLDERS = "/usr/sbin:/usr/bin:/usr/local/bin"
SERVER = shutil.which("mariadbd", path=FOLDERS)
INSTALL = shutil.which("mariadb-install-db", path=FOLDERS)

TABLES = (
    "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
    " ORDER BY table_name"
)
TRIGGERS = (
    "SELECT trigger_name FROM information_schema.triggers"
    " WHERE trigger_schema = DATABASE()"
)


def ask_mariadb(url: str, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Ask a MariaDB database; parameters are written as question marks."""
    import pymysql

    with _connected(url) as cursor:
        try:
            written = query.replace("%", "%%").replace("?", "%s") if values else query
            cursor.execute(written, values or None)
        except pymysql.MySQLError as error:
            error.add_note(query)
            raise
        return list(cursor.fetchall())


def answers_mariadb(url: str) -> bool:
    import pymysql

    try:
        ask_mariadb(url, "SELECT 1")
    except (OSError, pymysql.MySQLError):
        return False
    return True


def has_mariadb() -> bool:
    """Tell whether this machine has one, running or to be started."""
    return None not in (SERVER, INSTALL) or answers_mariadb(MARIADB)


@contextmanager
def _connected(url: str) -> Iterator[Any]:
    import pymysql
    from sqlalchemy import make_url

    parts = make_url(url)
    connection = pymysql.connect(
        host=parts.host or "127.0.0.1",
        port=parts.port or 3306,
        user=parts.username,
        password=parts.password or "",
        database=parts.database or None,
        autocommit=True,
        connect_timeout=int(HANG),
        charset="utf8mb4",
    )
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


class MariaDBServer:
    """A MariaDB of Debian's packages, in a folder that is thrown away."""

    def __init__(self, folder: Path) -> None:
        if SERVER is None or INSTALL is None:
            pytest.skip(NO_MARIADB)
        port = free_port()
        self.url = f"mysql://root@127.0.0.1:{port}/"
        data = folder / "data"
        user = "mysql" if RUNS_AS_ROOT else pwd.getpwuid(os.getuid()).pw_name
        if RUNS_AS_ROOT:
            account = pwd.getpwnam(user)
            os.chown(folder, account.pw_uid, account.pw_gid)
        command = [
            *(INSTALL, "--no-defaults", f"--datadir={data}", f"--user={user}"),
            *("--auth-root-authentication-method=normal", "--skip-test-db"),
        ]
        # A server that starts deletes the temporary tables it finds: also of others.
        temporary = {**os.environ, "TMPDIR": str(folder)}
        subprocess.run(command, check=True, capture_output=True, env=temporary)
        self._command = [
            *(SERVER, "--no-defaults", f"--datadir={data}", f"--tmpdir={folder}"),
            *("--bind-address=127.0.0.1", f"--port={port}"),
            *(f"--socket={folder}/socket", f"--pid-file={folder}/pid"),
            *("--innodb-log-file-size=8M", "--innodb-buffer-pool-size=64M"),
            "--innodb-flush-log-at-trx-commit=2",
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when it answers."""
        self._process = process = mortal_process(self._command, "mysql")
        wait_until(lambda: process.poll() is not None or answers_mariadb(self.url))
        assert process.poll() is None

    def kill(self) -> None:
        """Let it die as by a power cut."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    stop = kill


@cache
def mariadb() -> str:
    """Return the URL of the server for all tests; one that is named is taken."""
    be_patient()
    is_named = "TEST_MARIADB_URL" in os.environ or SERVER is None
    if is_named and answers_mariadb(MARIADB):
        return MARIADB
    return kept_for_all(own(MariaDBServer, in_memory=True))


class _Database:
    """One that has been prepared, and what it looked like then."""

    def __init__(self, prepare: Prepare | None) -> None:
        self.name = f"fastbearer_test_{token_hex(6)}"
        self.url = f"{mariadb()}{self.name}"
        self._prepare = prepare
        self._shape: list[Any] = []
        self._filled: dict[str, list[Any]] = {}

    def renew(self) -> None:
        """Make it as good as new, whatever has been done to it."""
        if self._shape and self._seen() == self._shape:
            self._clear()
            return
        ask_mariadb(mariadb(), f"DROP DATABASE IF EXISTS {self.name}")
        # The collation of a database is that of a server which nobody has set up.
        ask_mariadb(mariadb(), f"CREATE DATABASE {self.name} CHARACTER SET utf8mb4")
        if self._prepare is not None:
            self._prepare(self.url)
            self._filled = {table: self._rows(table) for table in self._tables()}
            self._shape = self._seen()

    def drop(self) -> None:
        ask_mariadb(mariadb(), f"DROP DATABASE IF EXISTS {self.name}")

    def _tables(self) -> list[str]:
        return [name for (name,) in ask_mariadb(self.url, TABLES)]

    def _rows(self, table: str) -> list[Any]:
        return ask_mariadb(self.url, f"SELECT * FROM {table}")

    def _seen(self) -> list[Any]:
        with _connected(self.url) as cursor:
            cursor.execute(TRIGGERS)
            seen = [cursor.fetchall()]
            cursor.execute(TABLES)
            for (table,) in cursor.fetchall():
                cursor.execute(f"SHOW CREATE TABLE {table}")
                seen.append(cursor.fetchall())
        return seen

    def _clear(self) -> None:
        with _connected(self.url) as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SET foreign_key_checks = 0")
            for table, rows in self._filled.items():
                cursor.execute(f"DELETE FROM {table}")
                for row in rows:
                    places = ", ".join(["%s"] * len(row))
                    cursor.execute(f"INSERT INTO {table} VALUES ({places})", row)
            cursor.execute("COMMIT")


_free: dict[Prepare | None, list[_Database]] = defaultdict(list)


@contextmanager
def own_mariadb(prepare: Prepare | None = None) -> Iterator[str]:
    """Give a database that nobody else has; the value is its URL.

    Args:
        prepare: Makes the tables; without it, the database is empty.
    """
    free = _free[prepare]
    database = free.pop() if free else _Database(prepare)
    database.renew()
    try:
        yield database.url
    finally:
        free.append(database)


def drop_databases() -> None:
    """Drop what ``own_mariadb`` has made."""
    for databases in _free.values():
        while databases:
            databases.pop().drop()
