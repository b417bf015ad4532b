"""What tests meet: PostgreSQL and Redis, if need be their own; Node; Chromium.

The clients of the databases are imported where they are used: every test imports
this module, and the core's tests do without them.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from databases import Databases, Prepare, create
from own_servers import be_patient, keep, kept_for_all, own, stop_kept
from ports import free_port
from redis_servers import (
    RedisClusterServer,
    RedisServer,
    WatchedRedis,
    answers_redis,
)
from waiting import HANG, wait_until

POSTGRES = os.environ.get(
    "TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres"
)
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/0")
BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
"""Parameters of a fixture that gives a store of each kind."""

EVERY = [
    *BOTH,
    pytest.param("pgbouncer", marks=[pytest.mark.postgres, pytest.mark.pgbouncer]),
    pytest.param("mariadb", marks=pytest.mark.mariadb),
]
"""Parameters of the same, with whatever stands before a database."""

on_every_database = pytest.mark.parametrize("database", EVERY, indirect=True)
"""Mark of a test whose SQL differs from one database to another."""

EACH = [*BOTH, pytest.param("mariadb", marks=pytest.mark.mariadb)]
"""Parameters of a fixture that gives a project's own database of each kind."""

NO_NODE = "NO NODE FOUND: node 20 or newer is needed, and npm"
NODE_OLDEST = 20
NO_CHROMIUM = "NO CHROMIUM FOUND: Debian's package chromium is needed"

BINARIES = Path("/usr/lib/postgresql")
NO_POSTGRES = (
    "NO POSTGRESQL: none answers at 127.0.0.1:5432, and none is installed to start"
)


def ask(url: str, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Ask a database; parameters are written as question marks."""
    if url.startswith("mysql:"):
        from mariadb_kit import ask_mariadb

        return ask_mariadb(url, query, *values)
    import asyncpg

    bare, _, pooler = url.partition("?")
    cached = 0 if pooler else 100

    for number in range(1, len(values) + 1):
        query = query.replace("?", f"${number}", 1)

    async def asked() -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(
            bare, timeout=HANG, statement_cache_size=cached
        )
        try:
            return [tuple(row) for row in await connection.fetch(query, *values)]
        finally:
            await connection.close()

    return asyncio.run(asked())


def answers(url: str) -> bool:
    import asyncpg

    try:
        ask(url, "SELECT 1")
    except (OSError, asyncpg.PostgresError, TimeoutError):
        return False
    return True


class PostgresServer:
    """A PostgreSQL of Debian's packages, in a folder that is thrown away."""

    def __init__(self, folder: Path) -> None:
        found = sorted(BINARIES.glob("*/bin/initdb"))
        if not found:
            pytest.skip(NO_POSTGRES)
        self._binaries = found[-1].parent
        self._folder = folder / "data"
        self._port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}/postgres"
        if os.getuid() == 0:  # initdb refuses root
            account = pwd.getpwnam("postgres")
            os.chown(folder, account.pw_uid, account.pw_gid)
            folder.chmod(0o700)
        self._run("initdb", "-D", str(self._folder), "-A", "trust", "-U", "postgres")

    def start(self) -> None:
        """Return when it answers."""
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -k {self._folder}"
        options += " -c fsync=on"
        self._run("pg_ctl", "-D", str(self._folder), "-o", options, "-w", "start")

    def kill(self) -> None:
        """Let it die as by a power cut."""
        pid = int((self._folder / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        wait_until(lambda: not Path(f"/proc/{pid}").exists())

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._folder), "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._binaries / program), *arguments]
        if os.getuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(
            command,
            cwd="/",
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def own_postgres() -> AbstractContextManager[PostgresServer]:
    """Run a server that a test may kill."""
    be_patient()
    return own(PostgresServer)


@cache
def postgres() -> str:
    """Return the URL of the server for all tests, started if there is none."""
    be_patient()
    if answers(POSTGRES):
        return POSTGRES
    return kept_for_all(own_postgres())


def own_redis() -> AbstractContextManager[RedisServer]:
    """Run a Redis that a test may kill, and fill."""
    be_patient()
    return own(RedisServer)


@cache
def redis() -> str:
    """Return the URL of the Redis for all tests, started if there is none.

    What is stored there is found by random names only, and expires.
    """
    be_patient()
    if answers_redis(REDIS):
        return REDIS
    return kept_for_all(own_redis())


def own_redis_cluster() -> AbstractContextManager[RedisClusterServer]:
    """Run three nodes that a test may kill, and fill."""
    be_patient()
    return own(RedisClusterServer)


@cache
def _redis_cluster() -> RedisClusterServer:
    return keep(own_redis_cluster())


def empty_redis_cluster() -> str:
    """Return the URL of the cluster for all tests of this process, without data."""
    cluster = _redis_cluster()
    cluster.flush()
    return cluster.url


def own_watched_redis() -> AbstractContextManager[WatchedRedis]:
    """Run a master, its replica and a Sentinel."""
    be_patient()
    return own(WatchedRedis)


@cache
def has_node() -> bool:
    """Tell whether there is a Node that is not too old, and its npm."""
    if not (shutil.which("node") and shutil.which("npm")):
        return False
    command = ["node", "--print", "process.versions.node"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return int(said.partition(".")[0] or 0) >= NODE_OLDEST


@cache
def has_chromium() -> bool:
    """Tell whether there is a Chromium that starts."""
    if not shutil.which("chromium"):
        return False
    command = ["chromium", "--version"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def installed() -> set[str]:
    """Return which of the servers this machine has, running or to be started."""
    found = set()
    if answers(POSTGRES) or any(BINARIES.glob("*/bin/initdb")):
        found.add("PostgreSQL")
    if answers_redis(REDIS) or shutil.which("redis-server"):
        found.add("Redis")
    if shutil.which("redis-server"):
        found |= {"a Redis Cluster", "a Redis with a Sentinel"}
    from mariadb_kit import has_mariadb
    from pgbouncer_kit import PROGRAM

    if has_mariadb():
        found.add("MariaDB")
    if PROGRAM is not None and "PostgreSQL" in found:
        found.add("PgBouncer")
    if has_node():
        found.add("Node")
    if has_chromium():
        found.add("Chromium")
    return found


@cache
def _databases() -> Databases:
    return Databases(postgres())


@contextmanager
def own_database(
    server: str | None = None, prepare: Prepare | None = None
) -> Iterator[str]:
    """Give a database that nobody else has; the value is its URL.

    Args:
        server: One that the test runs itself, in place of that of all tests.
        prepare: Makes the tables; without it, the database is empty.
    """
    if server is None:
        with _databases().borrowed(prepare) as url:
            yield url
        return
    url = create(server)  # it goes with its server
    if prepare is not None:
        prepare(url)
    yield url


def stop_servers() -> None:
    """Drop what tests have made, and end what they have started."""
    from mariadb_kit import drop_databases

    drop_databases()
    if _databases.cache_info().currsize:
        _databases().drop()
        _databases.cache_clear()
    stop_kept()
