"""libpq's URLs at every door that takes one, also against a server with TLS."""

from __future__ import annotations

import asyncio
import logging
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from accounts_kit import CHEAP, make_auth
from fastbearer.accounts import Accounts, BetterAuthUserStore, Database
from fastbearer.better_auth.sql import SQLSessions
from fastbearer.connections.engine import SERVER_POOL, open_engine, parsed_url
from fastbearer.connections.libpq import asyncpg_arguments
from fastbearer.errors import ConfigurationError, StoreUnavailableError
from own_servers import own
from ports import free_port
from project import SECRET
from servers import PostgresServer

NEON = "postgresql://me:a-password@h.example/db?sslmode=require&channel_binding=require"


UNNAMED = {"statement_cache_size": 0, "prepared_statement_cache_size": 0}


def arguments(query: str, host: str = "h.example") -> dict[str, Any]:
    url = parsed_url(f"postgresql://me:a-password@{host}/db?{query}", "DATABASE_URL")
    bare, found = asyncpg_arguments(url, "DATABASE_URL")
    assert not bare.query
    return found


def dsn(query: str, host: str = "h.example") -> str:
    return str(arguments(query, host)["dsn"])


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require"])
def test_sslmode_goes_to_asyncpg(mode: str) -> None:
    assert dsn(f"sslmode={mode}") == f"postgresql://?sslmode={mode}"
    assert dsn(f"ssl={mode}") == f"postgresql://?sslmode={mode}"


def test_what_hosting_services_hand_out(caplog: pytest.LogCaptureFixture) -> None:
    url = parsed_url(NEON, "DATABASE_URL")
    with caplog.at_level(logging.WARNING):
        _, found = asyncpg_arguments(url, "DATABASE_URL")
    assert found == {"dsn": "postgresql://?sslmode=require"}
    assert "channel_binding=require" in caplog.text
    assert "a-password" not in caplog.text
    # It asks for TLS, whatever sslmode says.
    assert dsn("channel_binding=require") == "postgresql://?sslmode=require"
    with pytest.raises(ConfigurationError, match="'channel_binding'"):
        arguments("channel_binding=require&sslmode=disable")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("application_name=my%20app", {"dsn": "postgresql://?application_name=my+app"}),
        (
            "fallback_application_name=x",
            {"dsn": "postgresql://?application_name=x"},
        ),
        (
            "fallback_application_name=x&application_name=y",
            {"dsn": "postgresql://?application_name=y"},
        ),
        ("options=-c%20a%3Db", {"dsn": "postgresql://?options=-c+a%3Db"}),
        ("connect_timeout=10", {"timeout": 10.0}),
        ("connect_timeout=0", {"timeout": None}),
        ("command_timeout=2.5", {"command_timeout": 2.5}),
        ("prepared_statement_cache_size=0", {"prepared_statement_cache_size": 0}),
        ("target_session_attrs=primary&gssencmode=prefer&channel_binding=prefer", None),
        ("ssl=true", {"dsn": "postgresql://?sslmode=require"}),
        ("client_encoding=utf8&sslcompression=0", {}),
        ("pgbouncer=true", UNNAMED),
        ("pgbouncer=true&statement_cache_size=0", UNNAMED),
        ("pgbouncer=false", {}),
        ("", {}),
    ],
)
def test_other_parameters(query: str, expected: dict[str, Any] | None) -> None:
    if expected is None:
        expected = {"dsn": "postgresql://?target_session_attrs=primary"}
    assert arguments(query) == expected


@pytest.mark.parametrize(
    ("host", "query", "hosts"),
    [
        ("a:1,b:2", "", "a%3A1%2Cb%3A2"),
        ("a,b", "sslmode=disable", "a%2Cb"),
        ("[::1]:5432,b", "", "%5B%3A%3A1%5D%3A5432%2Cb"),
        ("", "host=a,b&port=1,2", "a%2Cb&port=1%2C2"),
        ("", "host=a:1&host=b:2", "a%3A1%2Cb%3A2"),
        ("", "host=/run/postgresql", "%2Frun%2Fpostgresql"),
        ("%2Frun%2Fa,%2Frun%2Fb", "", "%2Frun%2Fa%2C%2Frun%2Fb"),
    ],
)
def test_lists_of_hosts(host: str, query: str, hosts: str) -> None:
    assert f"host={hosts}" in dsn(query, host)


@pytest.mark.parametrize("password", ["p,x/y", "12,x/y", "p,x?y", "p,x", "p/x,y"])
def test_no_part_of_a_password_is_a_host(password: str) -> None:
    url = parsed_url(f"postgresql://me:{password}@h.example/db", "DATABASE_URL")
    bare, found = asyncpg_arguments(url, "DATABASE_URL")
    assert (bare.host, bare.password, found) == ("h.example", password, {})


@pytest.mark.parametrize("user", ["", "me@", "me:a-password@"])
def test_a_unix_socket_is_named_as_libpq_has_it(user: str) -> None:
    """PostgreSQL, 34.1.1.2: its folder, percent-encoded, in place of a host."""
    address = f"postgresql://{user}%2Frun%2Fpostgresql/db"
    bare, _ = asyncpg_arguments(parsed_url(address, "DATABASE_URL"), "DATABASE_URL")
    assert bare.host == "/run/postgresql"


@pytest.mark.parametrize(
    "parameter",
    [
        *("sslmod", "connection_limit", "keepalives", "hostaddr"),
        *("search_path", "server_settings", "dsn", "loop", "require_auth", "schema"),
        *("useSSL", "SSLMODE", "ssl-mode", "parseTime", "tcp_user_timeout"),
    ],
)
def test_an_unknown_parameter_is_named(parameter: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        arguments(f"sslmode=require&{parameter}=a-value")
    assert str(caught.value).startswith("DATABASE_URL: ")
    assert repr(parameter) in str(caught.value)
    assert "a-value" not in str(caught.value)


@pytest.mark.parametrize("parameter", ["keepalives", "hostaddr", "require_auth"])
def test_what_psycopg_can_do_says_so(parameter: str) -> None:
    with pytest.raises(ConfigurationError, match=r"write postgresql\+psycopg://"):
        arguments(f"{parameter}=1")


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "mysql"])
@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("", {"pool_size": 10, "max_overflow": 10, "pool_timeout": 5}),
        ("connection_limit=1", {"pool_size": 1, "max_overflow": 0, "pool_timeout": 5}),
        (
            "connection_limit=7&pool_timeout=20",
            {"pool_size": 7, "max_overflow": 0, "pool_timeout": 20},
        ),
        ("pool_timeout=0", {"pool_size": 10, "pool_timeout": None}),
    ],
)
def test_the_pool_is_as_prisma_says(
    scheme: str, query: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: dict[str, Any] = {}
    if options["pool_timeout"] == 5:  # unless the tests have lengthened it
        usual = SERVER_POOL["pool_timeout"]
        options = {**options, "pool_timeout": usual}
    with monkeypatch.context() as patch:
        name = "fastbearer.connections.engine.create_async_engine"
        patch.setattr(name, lambda _, **given: made.update(given) or MagicMock())
        open_engine(parsed_url(f"{scheme}://h/db?{query}", "DATABASE_URL"), "X", ())
    assert made == made | options


@pytest.mark.parametrize("driver", ["", "+psycopg"])
def test_what_prisma_writes_for_a_pooler(driver: str) -> None:
    query = "pgbouncer=true&connection_limit=1&schema=public"
    url = parsed_url(f"postgresql{driver}://me@h/db?{query}", "DATABASE_URL")
    open_engine(url, "DATABASE_URL", ())


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "mysql"])
@pytest.mark.parametrize(
    "query",
    [
        *("connection_limit=0", "connection_limit=-1", "connection_limit=many"),
        *("connection_limit=1&connection_limit=2", "pool_timeout=1.5", "schema=other"),
        "connection_limit=99999",
    ],
)
def test_a_pool_that_cannot_be_is_refused(scheme: str, query: str) -> None:
    with pytest.raises(ConfigurationError, match=f"'{query.partition('=')[0]}'"):
        parsed_url(f"{scheme}://h/db?{query}", "DATABASE_URL")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql+psycopg2://h/db", "write postgresql:// without a driver"),
        ("postgresql+pg8000://h/db", "write postgresql:// without a driver"),
        ("postgresql+psycopg2cffi://h/db", "write postgresql:// without a driver"),
        ("mssql+pyodbc://h/db", "a database, or a driver, that is not"),
        ("oracle://h/db", "a database, or a driver, that is not"),
        ("sqlite+pysqlcipher:///app.db", "a database, or a driver, that is not"),
        ("nosuch://h/db", "a database, or a driver, that is not"),
    ],
)
def test_another_driver_or_database_is_refused(url: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parsed_url(url, "DATABASE_URL")


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+pysqlite", "sqlite+aiosqlite"])
def test_sqlite_need_not_name_its_driver(scheme: str) -> None:
    url = parsed_url(f"{scheme}:///./app.db", "DATABASE_URL")
    assert str(url) == "sqlite+aiosqlite:///./app.db"
    open_engine(url, "DATABASE_URL", ())


@pytest.mark.parametrize(
    "query",
    [
        *("sslmode=no-verify", "channel_binding=sometimes"),
        *("connect_timeout=soon", "gssencmode=require", "replication=database"),
        *("load_balance_hosts=random", "sslcompression=1", "ssl=maybe"),
        *("sslrootcert=system&sslmode=require", "command_timeout=x"),
        *("timeout=nan", "timeout=0", "command_timeout=-1", "command_timeout=inf"),
        *("pgbouncer=1", "pgbouncer=true&statement_cache_size=100"),
    ],
)
def test_what_asyncpg_cannot_do_is_named(query: str) -> None:
    with pytest.raises(ConfigurationError, match=r"the value of '[a-z_]+' is not"):
        arguments(query)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://h.example/db?sslmode=require&Pass-Word!=1",
        "postgresql://me:p@ss?word=x@h/db",
        "postgresql://h/db?pass=word&password=x@y",
    ],
)
def test_what_may_be_a_password_is_not_shown(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parsed_url(url, "DATABASE_URL")
    told = str(caught.value)
    assert told.startswith("DATABASE_URL: there is a parameter that nobody knows")


@pytest.mark.parametrize("name", ["sslrootcert", "sslcert", "sslkey", "sslcrl"])
def test_a_file_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"the file that '{name}' names"):
        arguments(f"sslmode=require&{name}=/nowhere/at/all")


def test_whose_certificates_are_trusted_must_be_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PGSSLROOTCERT", raising=False)
    with pytest.raises(ConfigurationError, match="sslrootcert"):
        arguments("sslmode=verify-full")
    assert arguments("sslmode=verify-full&sslrootcert=system")["ssl"].check_hostname
    assert "ssl" in arguments("sslrootcert=system")


# --- the doors


BAD = "postgresql://postgres@127.0.0.1:1/nothing?sslmode=require&bogus=1"


def test_every_door_names_what_is_unknown(tmp_path: Path) -> None:
    def database() -> None:
        asyncio.run(Database(lambda: BAD).migrate())

    def start(**settings: Any) -> None:
        async def run() -> None:
            auth = make_auth(tmp_path / "a.db", **settings)
            async with Accounts(auth, hasher=CHEAP).lifespan(None):
                pass

        asyncio.run(run())

    for door in (
        database,
        lambda: SQLSessions(BAD),
        lambda: BetterAuthUserStore(BAD),
        lambda: start(better_auth_database_url=BAD),
    ):
        with pytest.raises(ConfigurationError, match="'bogus'"):
            door()


def test_the_command_names_what_is_unknown() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "fastbearer", "migrate"],
        env={**os.environ, "DATABASE_URL": BAD, "BETTER_AUTH_SECRET": SECRET},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1 and "'bogus'" in result.stderr
    assert result.stderr.count("\n") == 1


# --- a real server with TLS


class TLSPostgres(PostgresServer):
    """A PostgreSQL with a certificate that it has signed itself."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.certificate = self._folder / "server.crt"
        key = self._folder / "server.key"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"]
        command += ["-keyout", str(key), "-out", str(self.certificate), "-days", "2"]
        command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        subprocess.run(command, check=True, capture_output=True)
        key.chmod(0o600)
        if os.getuid() == 0:
            account = pwd.getpwnam("postgres")
            for file in (key, self.certificate):
                os.chown(file, account.pw_uid, account.pw_gid)
        settings = "ssl = on\nlisten_addresses = 'localhost'\n"
        settings += f"unix_socket_directories = '{self._folder}'\n"
        with (self._folder / "postgresql.conf").open("a") as file:
            file.write(settings)


@pytest.fixture(scope="module")
def tls() -> Iterator[TLSPostgres]:
    if shutil.which("openssl") is None:
        pytest.skip("NO OPENSSL: the program makes the certificate")
    with ExitStack() as stack:
        yield stack.enter_context(own(TLSPostgres))


def is_encrypted(url: str) -> tuple[bool, str]:
    """Connect as the doors do; return whether there is TLS, and the application."""

    async def run() -> tuple[bool, str]:
        engine = open_engine(parsed_url(url, "DATABASE_URL"), "DATABASE_URL", ())
        query = (
            "SELECT ssl, current_setting('application_name') FROM pg_stat_ssl"
            " WHERE pid = pg_backend_pid()"
        )
        try:
            async with engine.connect() as connection:
                row = (await connection.execute(text(query))).one()
                return bool(row[0]), str(row[1])
        finally:
            await engine.dispose()

    return asyncio.run(run())


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sslmode=disable", False),
        ("sslmode=prefer", True),
        ("sslmode=require", True),
        ("ssl=true", True),
        ("sslmode=require&channel_binding=require&application_name=app", True),
        ("sslmode=require&options=-c%20application_name%3Dapp", True),
        ("sslmode=verify-ca&sslrootcert={file}", True),
        ("sslmode=verify-full&sslrootcert={file}&connect_timeout=5", True),
        ("", True),
    ],
)
def test_tls_is_as_it_is_asked_for(
    tls: TLSPostgres, query: str, expected: bool
) -> None:
    server = tls.url.replace("127.0.0.1", "localhost")
    found, name = is_encrypted(f"{server}?{query.format(file=tls.certificate)}")
    assert found is expected
    assert name == ("app" if "app" in query else "")


@pytest.mark.postgres
def test_a_host_that_is_away_is_passed_over(tls: TLSPostgres) -> None:
    port = urlsplit(tls.url).port
    hosts = f"localhost:{free_port()},localhost:{port}"
    query = "sslmode=require&target_session_attrs=read-write"
    assert is_encrypted(f"postgres://postgres@{hosts}/postgres?{query}")[0]


@pytest.mark.postgres
@pytest.mark.parametrize(
    "query", ["sslmode=verify-full&sslrootcert={file}", "sslrootcert=system"]
)
def test_another_name_or_an_unknown_signer_is_refused(
    tls: TLSPostgres, query: str
) -> None:
    host = "127.0.0.1" if "{file}" in query else "localhost"
    server = tls.url.replace("127.0.0.1", host)
    url = f"{server}?{query.format(file=tls.certificate)}"
    with pytest.raises(OSError, match=r"(?i)certificate"):
        is_encrypted(url)
    # At the doors it is a server that cannot be reached, in our words.
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        asyncio.run(Database(lambda: url).migrate())
    with pytest.raises(StoreUnavailableError):
        asyncio.run(SQLSessions(url).check())


@pytest.mark.postgres
def test_the_doors_open_with_tls(tls: TLSPostgres) -> None:
    url = f"{tls.url}?sslmode=require&application_name=doors&connect_timeout=5"
    result = subprocess.run(
        [sys.executable, "-m", "fastbearer", "migrate"],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
    )
    assert (result.returncode, result.stderr) == (0, "")

    async def ping() -> None:
        database = Database(lambda: url)
        async with database.lifespan(None):
            await database.ping()

    asyncio.run(ping())
