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
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from secrets import token_hex
from typing import Any, Protocol, TypeVar

import pytest

from databases import Databases, Prepare, create
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

MARIADB = os.environ.get("TEST_MARIADB_URL", "mysql+pymysql://root@127.0.0.1:3306/")
NO_MARIADB = "NO MARIADB: none answers at 127.0.0.1:3306"
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
    """Ask a PostgreSQL database; parameters are written as question marks."""
    import asyncpg

    for number in range(1, len(values) + 1):
        query = query.replace("?", f"${number}", 1)

    async def asked() -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(url, timeout=HANG)
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


class Server(Protocol):
    """What both kinds can do."""

    url: str

    def start(self) -> None: ...

    def stop(self) -> None: ...


Kind = TypeVar("Kind", bound=Server)


@contextmanager
def _own(kind: Callable[[Path], Kind]) -> Iterator[Kind]:
    folder = Path(tempfile.mkdtemp(prefix="fastbearer-"))
    try:
        server = kind(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@cache
def _be_patient() -> None:
    """Lift the limits after which a service gives a server up: machines may be slow."""
    from fastbearer.connections import engine, redis

    redis.TIMEOUT_SECONDS = HANG
    for options in vars(engine).copy().values():
        _lengthen(options)


def _lengthen(options: object) -> None:
    if not isinstance(options, dict):
        return
    for name, value in options.items():
        if str(name).endswith("timeout"):
            options[name] = HANG
        _lengthen(value)


def own_postgres() -> AbstractContextManager[PostgresServer]:
    """Run a server that a test may kill."""
    _be_patient()
    return _own(PostgresServer)


def _kept_for_all(own: AbstractContextManager[Server]) -> str:
    """Return the URL of a server that runs until ``stop_servers``."""
    url = own.__enter__().url
    _kept.append(own)
    return url


_kept: list[Any] = []


@cache
def postgres() -> str:
    """Return the URL of the server for all tests, started if there is none."""
    _be_patient()
    if answers(POSTGRES):
        return POSTGRES
    return _kept_for_all(own_postgres())


def own_redis() -> AbstractContextManager[RedisServer]:
    """Run a Redis that a test may kill, and fill."""
    _be_patient()
    return _own(RedisServer)


@cache
def redis() -> str:
    """Return the URL of the Redis for all tests, started if there is none.

    What is stored there is found by random names only, and expires.
    """
    _be_patient()
    if answers_redis(REDIS):
        return REDIS
    return _kept_for_all(own_redis())


def own_redis_cluster() -> AbstractContextManager[RedisClusterServer]:
    """Run three nodes that a test may kill, and fill."""
    _be_patient()
    return _own(RedisClusterServer)


@cache
def _redis_cluster() -> RedisClusterServer:
    own = own_redis_cluster()
    _kept.append(own)
    return own.__enter__()


def empty_redis_cluster() -> str:
    """Return the URL of the cluster for all tests of this process, without data."""
    cluster = _redis_cluster()
    cluster.flush()
    return cluster.url


def own_watched_redis() -> AbstractContextManager[WatchedRedis]:
    """Run a master, its replica and a Sentinel."""
    _be_patient()
    return _own(WatchedRedis)


@cache
def answers_mariadb() -> bool:
    """Tell whether there is a MariaDB; tests start none."""
    from sqlalchemy import exc

    try:
        _ask_mariadb("SELECT 1")
    except (exc.SQLAlchemyError, ImportError):
        return False
    return True


def _ask_mariadb(command: str) -> None:
    from sqlalchemy import create_engine, pool, text

    engine = create_engine(MARIADB, poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text(command))


@contextmanager
def own_mariadb() -> Iterator[str]:
    """Give an empty database of MariaDB; the value is its SQLAlchemy URL."""
    if not answers_mariadb():
        pytest.skip(NO_MARIADB)
    name = f"fastbearer_test_{token_hex(6)}"
    _ask_mariadb(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    try:
        yield MARIADB + name
    finally:
        _ask_mariadb(f"DROP DATABASE {name}")


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
    if answers_mariadb():
        found.add("MariaDB")
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
    """Drop what ``own_database`` has made, and end what ``postgres`` has started."""
    if _databases.cache_info().currsize:
        _databases().drop()
        _databases.cache_clear()
    while _kept:
        _kept.pop().__exit__(None, None, None)
