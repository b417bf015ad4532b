"""PostgreSQL databases that are emptied and used again.

To make a database, and to drop it, are the slowest things that a server does: each
waits for the disk. A process of tests therefore keeps those that it has made.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from secrets import token_hex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncpg

Prepare = Callable[[str], None]
"""Makes tables in an empty database, whose URL it is given."""

TURN_AWAY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
SCHEMAS = """
SELECT quote_ident(nspname) FROM pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
"""
TABLES = """
SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
WHERE schemaname !~ '^pg_' AND schemaname <> 'information_schema'
"""
SHAPE = """
SELECT (SELECT array_agg(format('%s %s %s %s', oid, relname, relowner, relacl)
                         ORDER BY oid)
        FROM pg_class WHERE oid >= 16384 AND relkind <> 't'),
       (SELECT array_agg(attribute::text ORDER BY attrelid, attnum)
        FROM pg_attribute AS attribute WHERE attrelid >= 16384),
       (SELECT array_agg(oid ORDER BY oid) FROM pg_trigger),
       (SELECT array_agg(oid ORDER BY oid) FROM pg_constraint),
       (SELECT array_agg(oid ORDER BY oid) FROM pg_proc WHERE oid >= 16384),
       (SELECT array_agg(format('%s %s', oid, nspacl) ORDER BY oid)
        FROM pg_namespace WHERE oid >= 16384),
       (SELECT array_agg(setconfig::text ORDER BY setrole) FROM pg_db_role_setting
        WHERE setdatabase = (SELECT oid FROM pg_database
                             WHERE datname = current_database()))
"""
"""What somebody would have to change who does more than write rows."""


class Databases:
    """The databases that this process has made on one server.

    Args:
        server: The URL of a database of it, as a superuser.
    """

    def __init__(self, server: str) -> None:
        self._server = server
        self._all: list[Database] = []
        self._free: dict[Prepare | None, list[Database]] = defaultdict(list)

    @contextmanager
    def borrowed(self, prepare: Prepare | None) -> Iterator[str]:
        """Give a database that is as good as new; the value is its URL."""
        free = self._free[prepare]
        database = free.pop() if free else self._made(prepare)
        database.renew()
        try:
            yield database.url
        finally:
            free.append(database)

    def drop(self) -> None:
        """Drop them all."""
        for database in self._all:
            command = f"DROP DATABASE {database.name} WITH (FORCE)"
            asyncio.run(_execute(self._server, command))
        self._all.clear()
        self._free.clear()

    def _made(self, prepare: Prepare | None) -> Database:
        database = Database(create(self._server), prepare)
        self._all.append(database)
        return database


class Database:
    """One of them."""

    def __init__(self, url: str, prepare: Prepare | None) -> None:
        self.url = url
        self.name = url.rpartition("/")[2]
        self._prepare = prepare
        self._shape: list[Any] = []
        self._filled: list[str] = []
        """The tables that already have rows when they have been made."""

    def renew(self) -> None:
        """Make it as good as new, whatever has been done to it."""
        if not asyncio.run(self._cleared()):
            asyncio.run(self._emptied())
            if self._prepare is not None:
                self._prepare(self.url)
                asyncio.run(self._noted())

    async def _cleared(self) -> bool:
        """Delete the rows, if nothing else has been changed."""
        async with connected(self.url) as connection:
            await connection.execute(TURN_AWAY)
            if not self._shape or await self._seen(connection) != self._shape:
                return False
            tables = [table for (table,) in await connection.fetch(TABLES)]
            listed = ", ".join(set(tables) - set(self._filled))
            await connection.execute(f"TRUNCATE {listed} RESTART IDENTITY")
            return True

    async def _emptied(self) -> None:
        """Drop everything. Nobody pulls its plug: no commit waits for the disk."""
        async with connected(self.url) as connection, connection.transaction():
            await connection.execute("SET LOCAL synchronous_commit TO off")
            for (schema,) in await connection.fetch(SCHEMAS):
                await connection.execute(f"DROP SCHEMA {schema} CASCADE")
            await connection.execute("CREATE SCHEMA public")
            await connection.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
            await connection.execute(f"ALTER DATABASE {self.name} RESET ALL")
            hasty = "SET synchronous_commit TO off"
            await connection.execute(f"ALTER DATABASE {self.name} {hasty}")

    async def _noted(self) -> None:
        async with connected(self.url) as connection:
            tables = [table for (table,) in await connection.fetch(TABLES)]
            self._filled = [
                table
                for table in tables
                if await connection.fetchrow(f"SELECT FROM {table} LIMIT 1") is not None
            ]
            self._shape = await self._seen(connection)

    async def _seen(self, connection: asyncpg.Connection) -> list[Any]:
        """Return its shape, and the rows that were there at the beginning."""
        import asyncpg

        queries = [SHAPE, *(f"SELECT * FROM {table}" for table in self._filled)]
        try:
            return [await connection.fetch(query) for query in queries]
        except asyncpg.PostgresError:  # a table has gone
            return []


def create(server: str) -> str:
    """Make a database with a name that nobody has; return its URL."""
    name = f"fastbearer_test_{token_hex(6)}"
    asyncio.run(_execute(server, f"CREATE DATABASE {name}"))
    return server.rpartition("/")[0] + f"/{name}"


async def _execute(url: str, command: str) -> None:
    async with connected(url) as connection:
        await connection.execute(command)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Connect to a database."""
    import asyncpg

    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()
