"""libpq's URLs for psycopg."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fastbearer.connections.engine import SERVER_POOL, open_engine, parsed_url
from fastbearer.connections.psycopg import psycopg_arguments
from fastbearer.errors import ConfigurationError
from servers import own_database

NAME = "DATABASE_URL"


def arguments(query: str, host: str = "h.example") -> dict[str, Any]:
    address = f"postgresql+psycopg://me:a-password@{host}/db?{query}"
    return psycopg_arguments(parsed_url(address, NAME), NAME)[1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sslmode=require&channel_binding=require", {"channel_binding": "require"}),
        ("ssl=true", {"sslmode": "require"}),
        ("application_name=my%20app", {"application_name": "my app"}),
        ("connect_timeout=10", {"connect_timeout": 10}),
        ("keepalives_idle=30&require_auth=scram-sha-256", {"keepalives_idle": 30}),
        ("pgbouncer=true", {"prepare_threshold": None}),
        ("prepare_threshold=7", {"prepare_threshold": 7}),
        ("options=-c%20a%3Db", {}),
        ("pgbouncer=false&client_encoding=utf8", {}),
    ],
)
def test_parameters_go_to_libpq(query: str, expected: dict[str, Any]) -> None:
    found = arguments(query)
    assert expected.items() <= found.items()
    limits = found.get("options", "")
    assert ("statement_timeout" in limits) == ("pgbouncer=true" not in query)
    assert limits.endswith("-c a=b") == ("options" in query)
    assert "connect_timeout" in found and "tcp_user_timeout" in found


@pytest.mark.parametrize(
    "parameter", ["sslmod", "command_timeout", "statement_cache_size", "autocommit"]
)
def test_an_unknown_parameter_is_named(parameter: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        arguments(f"sslmode=require&{parameter}=a-value")
    assert repr(parameter) in str(caught.value) and "psycopg" in str(caught.value)
    assert "a-value" not in str(caught.value)


@pytest.mark.parametrize(
    "query",
    [
        *("sslmode=maybe", "connect_timeout=soon", "client_encoding=latin1"),
        *("replication=database", "pgbouncer=1", "sslrootcert=system&sslmode=require"),
        "pgbouncer=true&prepare_threshold=5",
    ],
)
def test_what_cannot_be_honoured_is_named(query: str) -> None:
    with pytest.raises(ConfigurationError, match=r"the value of '[a-z_]+' is not"):
        arguments(query)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigurationError, match="the file that 'sslcert' names"):
        arguments("sslcert=/nowhere")


def test_the_pool_is_that_of_every_server() -> None:
    engine = open_engine(parsed_url("postgresql+psycopg://h/db", NAME), NAME, ())
    assert engine.pool.size() == SERVER_POOL["pool_size"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("host", "query", "hosts", "ports"),
    [
        ("a:1,b:2", "", "a,b", "1,2"),
        ("a,b", "", "a,b", ","),
        ("[::1]:5432,b", "", "::1,b", "5432,"),
        ("", "host=a,b&port=1,2", "a,b", "1,2"),
        ("", "host=/run/postgresql", "/run/postgresql", ""),
        ("", "host=::1&port=5432", "::1", "5432"),
    ],
)
def test_lists_of_hosts(host: str, query: str, hosts: str, ports: str) -> None:
    found = arguments(query, host)
    assert (found["host"], found["port"]) == (hosts, ports)


@pytest.mark.postgres
@pytest.mark.parametrize("driver", ["psycopg", "psycopg_async"])
def test_a_list_of_hosts_on_a_real_server(driver: str) -> None:
    from urllib.parse import urlsplit

    from sqlalchemy import text

    from ports import free_port

    async def run(url: str) -> list[str]:
        engine = open_engine(parsed_url(url, NAME), NAME, ())
        try:
            async with engine.connect() as connection:
                found = []
                for name in ("application_name", "statement_timeout"):
                    query = text(f"SELECT current_setting('{name}')")
                    found.append((await connection.execute(query)).scalar_one())
                return found
        finally:
            await engine.dispose()

    with own_database() as url:
        parts = urlsplit(url)
        hosts = f"127.0.0.1:{free_port()},{parts.hostname}:{parts.port}"
        written = f"postgresql+{driver}://{parts.username}@{hosts}{parts.path}"
        found = asyncio.run(run(f"{written}?application_name=app"))
    assert found[0] == "app" and found[1] != "0"
