"""URLs of MariaDB and MySQL, and what a connection to one is like."""

from __future__ import annotations

import asyncio
import os
import pwd
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import exc, text
from sqlalchemy.ext.asyncio import AsyncEngine

from fastbearer.accounts import BetterAuthUserStore
from fastbearer.better_auth.sql import SQLSessions
from fastbearer.connections.engine import (
    is_passing,
    open_engine,
    parsed_url,
    sql_outages,
)
from fastbearer.connections.mysql import TIMEOUTS, mysql_arguments
from fastbearer.errors import ConfigurationError, StoreUnavailableError
from mariadb_kit import MariaDBServer, ask_mariadb, mariadb, own_mariadb
from own_servers import RUNS_AS_ROOT, own

NAME = "DATABASE_URL"


def arguments(query: str, user: str = "me:a-password") -> dict[str, Any]:
    url = parsed_url(f"mysql://{user}@h.example/db?{query}", NAME)
    bare, found = mysql_arguments(url, NAME)
    assert not bare.query
    return found


@pytest.mark.parametrize(
    "scheme", ["mysql", "mariadb", "mysql+asyncmy", "mariadb+asyncmy"]
)
def test_a_url_need_not_name_the_driver(scheme: str) -> None:
    assert parsed_url(f"{scheme}://h/db", NAME).drivername == "mysql+asyncmy"


@pytest.mark.parametrize(
    "driver", ["aiomysql", "pymysql", "mysqldb", "mariadbconnector", "pyodbc"]
)
@pytest.mark.parametrize("kind", ["mysql", "mariadb"])
def test_another_driver_is_refused(kind: str, driver: str) -> None:
    with pytest.raises(ConfigurationError, match="driver asyncmy"):
        parsed_url(f"{kind}+{driver}://me:a-password@h/db", NAME)


def test_a_driver_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "asyncmy", None)
    with pytest.raises(ConfigurationError, match=r"fastbearer\[mysql\]"):
        open_engine(parsed_url("mysql://h/db", NAME), NAME, ())


@pytest.mark.parametrize(
    ("query", "mode", "checks_name"),
    [
        *(
            (f"{name}=REQUIRED", ssl.CERT_NONE, False)
            for name in ("ssl-mode", "ssl_mode")
        ),
        ("sslmode=required", ssl.CERT_NONE, False),
        ("ssl-mode=VERIFY_CA", ssl.CERT_REQUIRED, False),
        ("ssl-mode=VERIFY_IDENTITY", ssl.CERT_REQUIRED, True),
        ("ssl=true", ssl.CERT_REQUIRED, True),
    ],
)
def test_tls(query: str, mode: ssl.VerifyMode, checks_name: bool) -> None:
    context = arguments(query)["ssl"]
    assert (context.verify_mode, context.check_hostname) == (mode, checks_name)


@pytest.mark.parametrize("query", ["", "ssl-mode=DISABLED", "ssl=false"])
def test_without_a_word_of_tls_there_is_none(query: str) -> None:
    assert "ssl" not in arguments(query)


def test_other_parameters() -> None:
    assert arguments("socket=/run/x")["unix_socket"] == "/run/x"
    found = arguments("connect_timeout=7&read_timeout=90&charset=utf8mb4")
    assert (found["connect_timeout"], found["read_timeout"]) == (7, 90)
    assert arguments("")["read_timeout"] == TIMEOUTS["read_timeout"]


@pytest.mark.parametrize(
    "parameter",
    [
        *("sslmod", "pgbouncer", "init_command", "sql_mode", "local_infile"),
        *("autocommit", "useSSL", "parseTime", "SSLMODE"),
    ],
)
def test_an_unknown_parameter_is_named(parameter: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        arguments(f"ssl-mode=REQUIRED&{parameter}=a-value")
    assert repr(parameter) in str(caught.value)
    assert "a-value" not in str(caught.value)


@pytest.mark.parametrize(
    "query",
    [
        *("ssl-mode=PREFERRED", "ssl-mode=yes", "charset=latin1", "charset=utf8"),
        *("connect_timeout=soon", "connect_timeout=0", "read_timeout=-1"),
    ],
)
def test_what_cannot_be_honoured_is_named(query: str) -> None:
    with pytest.raises(ConfigurationError, match=r"the value of '[a-z_-]+' is not"):
        arguments(query)


@pytest.mark.parametrize("name", ["ssl-ca", "ssl_ca", "ssl-cert"])
def test_a_file_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(ConfigurationError, match="the file that 'ssl-"):
        arguments(f"{name}=/nowhere/at/all")


def test_what_may_be_a_password_is_not_shown() -> None:
    with pytest.raises(ConfigurationError, match="a parameter that nobody knows"):
        parsed_url("mysql://me:p@ss?word=x@h/db", NAME)


def test_better_auths_doors_say_that_they_are_not_for_it() -> None:
    for door in (SQLSessions, BetterAuthUserStore):
        with pytest.raises(ConfigurationError, match="PostgreSQL and SQLite"):
            door("mysql://h/db")


@pytest.mark.parametrize("passes", [True, False])
def test_which_errors_pass(passes: bool) -> None:
    for number in (1213, 1205, 1040, 2013) if passes else (1062, 1406, 1644, 1045):
        error = exc.DBAPIError("x", None, Exception(number, "said the server"))
        assert is_passing(error) is passes


# --- a real server


async def asked(url: str, *queries: str) -> list[Any]:
    engine = open_engine(parsed_url(url, NAME), NAME, ())
    try:
        async with engine.connect() as connection:
            return [(await connection.execute(text(one))).first() for one in queries]
    finally:
        await engine.dispose()
        await asyncio.sleep(0)  # what the driver has closed is closed by the loop


@pytest.mark.mariadb
def test_sessions_are_as_we_need_them_whatever_the_server_has() -> None:
    query = "SELECT @@tx_isolation, @@sql_mode, @@time_zone, @@autocommit, 'x' || 'y'"
    with own_mariadb() as url:
        (row,) = asyncio.run(asked(url, query))
        assert row[0] == "READ-COMMITTED" and row[2:4] == ("+00:00", 0)
        assert "STRICT_ALL_TABLES" in row[1]
        assert "NO_BACKSLASH_ESCAPES" not in row[1] and "ANSI_QUOTES" not in row[1]


@pytest.mark.mariadb
@pytest.mark.parametrize("password", ["plain", "p@s/s:w?rd#%", "пароль-密码-é"])
def test_a_password_of_any_text(password: str) -> None:
    from urllib.parse import quote

    with own_mariadb() as url:
        name = url.rpartition("/")[2]
        user = f"fb_{os.getpid()}"
        host = "'127.0.0.1'"
        ask_mariadb(url, f"CREATE USER {user}@{host} IDENTIFIED BY ?", password)
        try:
            ask_mariadb(url, f"GRANT ALL ON {name}.* TO {user}@{host}")
            place = url.rpartition("@")[2]
            theirs = f"mysql://{user}:{quote(password, safe='')}@{place}"
            assert asyncio.run(asked(theirs, "SELECT 1")) == [(1,)]
        finally:
            ask_mariadb(url, f"DROP USER {user}@{host}")


@pytest.mark.mariadb
def test_a_lost_connection_and_a_lost_race_are_outages() -> None:
    async def killed(engine: AsyncEngine) -> None:
        with sql_outages():
            async with engine.begin() as connection:
                query = text("SELECT CONNECTION_ID()")
                number = (await connection.execute(query)).scalar_one()
                await asyncio.to_thread(ask_mariadb, mariadb(), f"KILL {number}")
                await connection.execute(text("SELECT 1"))

    async def run(url: str) -> None:
        engine = open_engine(parsed_url(url, NAME), NAME, ())
        async with engine.begin() as connection:
            await connection.execute(text("CREATE TABLE t (id INT PRIMARY KEY, n INT)"))
            await connection.execute(text("INSERT INTO t VALUES (1, 0), (2, 0)"))
        with pytest.raises(StoreUnavailableError):
            await killed(engine)

        both = asyncio.Barrier(2)

        async def cross(first: int, second: int) -> str:
            try:
                with sql_outages():
                    async with engine.begin() as connection:
                        add = "UPDATE t SET n = n + 1 WHERE id = {}"
                        await connection.execute(text(add.format(first)))
                        await both.wait()
                        await connection.execute(text(add.format(second)))
            except StoreUnavailableError:
                return "outage"
            return "done"

        told = await asyncio.gather(cross(1, 2), cross(2, 1))
        assert sorted(told) == ["done", "outage"]
        async with engine.connect() as connection:
            rows = (await connection.execute(text("SELECT n FROM t"))).scalars().all()
            assert rows == [1, 1]  # one of both is not there at all
            await connection.execute(text("DROP TABLE t"))
        await engine.dispose()

    with own_mariadb() as url:
        asyncio.run(run(url))


class TLSMariaDB(MariaDBServer):
    """A MariaDB with a certificate that it has signed itself."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.certificate, key = folder / "server.crt", folder / "server.key"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"]
        command += ["-keyout", str(key), "-out", str(self.certificate), "-days", "2"]
        command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        subprocess.run(command, check=True, capture_output=True)
        if RUNS_AS_ROOT:
            account = pwd.getpwnam("mysql")
            for file in (key, self.certificate):
                os.chown(file, account.pw_uid, account.pw_gid)
        self._command += [f"--ssl-cert={self.certificate}", f"--ssl-key={key}"]


@pytest.fixture(scope="module")
def tls() -> Iterator[TLSMariaDB]:
    with ExitStack() as stack:
        yield stack.enter_context(own(TLSMariaDB, in_memory=True))


CIPHER = "SHOW STATUS LIKE 'Ssl_cipher'"


@pytest.mark.mariadb
@pytest.mark.parametrize(
    ("host", "query", "is_encrypted"),
    [
        ("127.0.0.1", "", False),
        ("127.0.0.1", "ssl-mode=REQUIRED", True),
        ("127.0.0.1", "ssl-mode=VERIFY_CA&ssl-ca={file}", True),
        ("localhost", "ssl-mode=VERIFY_IDENTITY&ssl-ca={file}", True),
        ("localhost", "ssl-ca={file}", True),
        ("127.0.0.1", "ssl-mode=VERIFY_IDENTITY&ssl-ca={file}", None),
        ("localhost", "ssl-mode=VERIFY_CA", None),
        ("localhost", "ssl=true", None),
    ],
)
def test_tls_is_as_it_is_asked_for(
    tls: TLSMariaDB, host: str, query: str, is_encrypted: bool | None
) -> None:
    url = tls.url.replace("127.0.0.1", host) + "mysql?"
    url += query.format(file=tls.certificate)
    if is_encrypted is None:
        with pytest.raises((OSError, exc.OperationalError), match=r"(?i)certificate"):
            asyncio.run(asked(url, CIPHER))
    else:
        (row,) = asyncio.run(asked(url, CIPHER))
        assert bool(row[1]) is is_encrypted


@pytest.mark.mariadb
def test_a_server_without_tls_is_not_told_anything() -> None:
    """Who stands in between could say that there is none: the password stays here."""
    with own_mariadb() as url, pytest.raises((OSError, exc.DBAPIError)):
        asyncio.run(asked(f"{url}?ssl-mode=REQUIRED", CIPHER))
