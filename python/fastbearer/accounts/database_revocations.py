"""Revocations in the database of the accounts."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from secrets import randbelow
from typing import Any

from sqlalchemy import BigInteger, TextClause, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from fastbearer.accounts.database import Database
from fastbearer.accounts.records import UtcDateTime
from fastbearer.revocation.ended import KINDS, LETTERS, Change, Ended, Kind
from fastbearer.revocation.replica import (
    DEFAULT_LAG_SECONDS,
    NOTHING_READ,
    Reading,
    ReplicatedRevocations,
)

__all__ = ["DatabaseRevocations"]

# RFC 7519 puts no bound on exp; a datetime has one.
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
CLOCK_DIFFERENCE_SECONDS = 3600
RECENT_SECONDS = 3600
MICROSECONDS = 1_000_000  # in a second
STEPS = 10_000
CHANNEL = "fastbearer_ended"
NOT_NOTIFIED = (
    "what has ended elsewhere is read every second: through PgBouncer, PostgreSQL"
    " notifies nobody"
)

# Its row is locked until the end of the transaction: numbers come in their order.
# They follow the time, so that a database restored from a backup gives none again;
# where another host's clock is ahead, they go on by steps at random, for the same.
NUMBERS = bindparam("now", type_=BigInteger), bindparam("step", type_=BigInteger)
NEXT_NUMBER = text(
    "UPDATE fastbearer_ended_number SET number ="
    " CASE WHEN number >= :now THEN number + :step ELSE :now END"
    " WHERE id = 1 RETURNING number"
).bindparams(*NUMBERS)
NEXT_OF_MARIADB = text(NEXT_NUMBER.text.removesuffix(" RETURNING number")).bindparams(
    *NUMBERS
)
RECENT = text(
    "INSERT INTO fastbearer_ended_recent (number) VALUES (:number)"
).bindparams(bindparam("number", type_=BigInteger))
END = text(
    "INSERT INTO fastbearer_ended AS old (id, value, expires_at, number)"
    " VALUES (:id, :value, :expires_at, :number) ON CONFLICT (id) DO UPDATE SET"
    " value = CASE WHEN old.value > excluded.value"
    " THEN old.value ELSE excluded.value END,"
    " expires_at = CASE WHEN old.value > excluded.value"
    " THEN old.expires_at ELSE excluded.expires_at END,"
    " number = excluded.number"
).bindparams(bindparam("expires_at", type_=UtcDateTime))
END_USER = text(
    "INSERT INTO fastbearer_ended (id, value, number) VALUES (:id, :value, :number)"
    " ON CONFLICT (id) DO UPDATE SET value = excluded.value, number = excluded.number"
)
# MariaDB assigns from left to right, and reads what it has just assigned.
END_OF_MARIADB = text(
    "INSERT INTO fastbearer_ended (id, value, expires_at, number)"
    " VALUES (:id, :value, :expires_at, :number) ON DUPLICATE KEY UPDATE"
    " expires_at = CASE WHEN value > VALUES(value)"
    " THEN expires_at ELSE VALUES(expires_at) END,"
    " value = GREATEST(value, VALUES(value)),"
    " number = VALUES(number)"
).bindparams(bindparam("expires_at", type_=UtcDateTime))
END_USER_OF_MARIADB = text(
    "INSERT INTO fastbearer_ended (id, value, number) VALUES (:id, :value, :number)"
    " ON DUPLICATE KEY UPDATE value = VALUES(value), number = VALUES(number)"
)
OF_MARIADB = {END: END_OF_MARIADB, END_USER: END_USER_OF_MARIADB}
"""What the standard has no words for -> the same for MariaDB and MySQL."""

GENERATION = text("SELECT MAX(value) FROM fastbearer_ended WHERE id IN (:id, :old)")
NUMBER = text("SELECT number FROM fastbearer_ended_number WHERE id = 1")
# Numbers go on after a loss: that they are greater tells nothing.
IS_RECENT = text(
    "SELECT COUNT(*) FROM fastbearer_ended_recent WHERE number = :number"
).bindparams(bindparam("number", type_=BigInteger))
SINCE = text("SELECT id, value FROM fastbearer_ended WHERE number > :number")
PRUNE = text("DELETE FROM fastbearer_ended WHERE expires_at <= :before").bindparams(
    bindparam("before", type_=UtcDateTime)
)
PRUNE_RECENT = text(
    "DELETE FROM fastbearer_ended_recent WHERE number < :before"
).bindparams(bindparam("before", type_=BigInteger))
NOTIFY = text(f"SELECT pg_notify('{CHANNEL}', '')")


logger: logging.Logger = logging.getLogger("fastbearer")


class DatabaseRevocations(ReplicatedRevocations):
    """Revocations in the table ``fastbearer_ended``, with a copy in memory.

    Args:
        database: It is opened with the lifespan, if it is not open.
        clock: A callable that returns seconds since the epoch.
        monotonic: A callable that returns seconds; for the age of the copy.
        max_lag: Seconds after which a copy is too old to be asked.
    """

    place = "the database"

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float] = time.time,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        max_lag: float = DEFAULT_LAG_SECONDS,
    ) -> None:
        super().__init__(
            DatabaseJournal(database, clock),
            clock=clock,
            monotonic=monotonic,
            max_lag=max_lag,
        )


class DatabaseJournal:
    """A `Journal` in three tables; on PostgreSQL it notifies whoever listens."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """As in `Journal`."""
        async with self._database.lifespan(None):
            yield

    async def end(self, kind: Kind, key: str, until: int) -> None:
        """As in `Journal`."""
        await self._keep(kind, key, until, until)

    async def _keep(self, kind: Kind, key: str, value: int, until: int | None) -> None:
        """Write a value, unless there is a greater one.

        Args:
            kind: What has ended.
            key: From `Ended.key`.
            value: As in `Change`.
            until: When it may be forgotten, in seconds since the epoch, or None.
        """
        latest = int(LATEST.timestamp())
        end = None if until is None else datetime.fromtimestamp(min(until, latest), UTC)
        values = {"id": f"{LETTERS[kind]}:{key}", "value": value, "expires_at": end}
        async with self._database.transaction() as session:
            number = await _next_number(session, self._clock())
            await _write(session, END, {**values, "number": number})

    async def end_user(self, key: str, least: int) -> int:
        """As in `Journal`."""
        async with self._database.transaction() as session:
            number = await _next_number(session, self._clock())
            value = max(least, await _generation(session, key) + 1)
            values = {"id": f"u:{key}", "value": value, "number": number}
            await _write(session, END_USER, values)
            return value

    async def generation(self, key: str) -> int:
        """As in `Journal`."""
        async with self._database.transaction() as session:
            return await _generation(session, key)

    async def put_back(self, changes: Sequence[Change]) -> None:
        """As in `Journal`."""
        for change in changes:
            until = None if change.kind == "user" else change.value
            await self._keep(change.kind, change.key, change.value, until)

    async def since(self, number: int) -> Reading:
        """As in `Journal`."""
        async with self._database.transaction() as session:
            connection = await session.connection()
            latest = int((await connection.execute(NUMBER)).scalar_one())
            if latest == number:
                return Reading(latest, [], is_whole=False)
            recent = await connection.execute(IS_RECENT, {"number": number})
            is_whole = recent.scalar_one() == 0
            after = NOTHING_READ if is_whole else number
            found = await connection.execute(SINCE, {"number": after})
            changes = [_change(*row) for row in found]
            return Reading(latest, changes, is_whole=is_whole)

    async def prune(self) -> None:
        """As in `Journal`."""
        before = datetime.fromtimestamp(self._clock() - CLOCK_DIFFERENCE_SECONDS, UTC)
        async with self._database.transaction() as session:
            await (await session.connection()).execute(PRUNE, {"before": before})
        # By itself, or it and whoever writes could wait for each other.
        async with self._database.transaction() as session:
            await self._prune_recent(await session.connection())

    async def _prune_recent(self, connection: AsyncConnection) -> None:
        """Forget numbers of long ago, but for the latest: a service may be idle."""
        latest = int((await connection.execute(NUMBER)).scalar_one())
        before = int((self._clock() - RECENT_SECONDS) * MICROSECONDS)
        await connection.execute(PRUNE_RECENT, {"before": min(before, latest)})

    async def listen(self, wake: Callable[[], None]) -> bool:
        """As in `Journal`: by LISTEN and NOTIFY, with a connection of its own."""
        if self._database.backend != "postgresql":
            return False
        if self._database.is_pooled:
            logger.info(NOT_NOTIFIED)
            return False
        async with self._database.transaction() as session:
            connection = await session.connection()
            driver = (await connection.get_raw_connection()).driver_connection
            can_listen = hasattr(driver, "add_listener")
            if can_listen:
                await _listen(driver, wake)
        return can_listen


async def _write(
    session: AsyncSession, statement: TextClause, values: dict[str, Any]
) -> None:
    connection = await session.connection()
    if connection.dialect.name == "mysql":
        statement = OF_MARIADB[statement]
    await connection.execute(statement, values)


async def _generation(session: AsyncSession, key: str) -> int:
    """Return the greater generation of the two keys that a user may have."""
    connection = await session.connection()
    keys = {"id": f"u:{key}", "old": f"u:{Ended.old_key(key)}"}
    return int((await connection.execute(GENERATION, keys)).scalar_one() or 0)


async def _next_number(session: AsyncSession, now: float) -> int:
    """Return the number of a change, and let PostgreSQL tell of it at the commit.

    First in its transaction: others of the kind wait for its end.

    Args:
        session: In a transaction.
        now: The time, in seconds since the epoch.
    """
    connection = await session.connection()
    values = {"now": int(now * MICROSECONDS), "step": 1 + randbelow(STEPS)}
    if connection.dialect.name == "mysql":
        await connection.execute(NEXT_OF_MARIADB, values)
        number = int((await connection.execute(NUMBER)).scalar_one())
    else:
        number = int((await connection.execute(NEXT_NUMBER, values)).scalar_one())
    await connection.execute(RECENT, {"number": number})
    if connection.dialect.name == "postgresql":
        await connection.execute(NOTIFY)
    return number


def _change(name: str, value: int) -> Change:
    letter, _, key = name.partition(":")
    return Change(KINDS[letter], key, value)


async def _listen(driver: Any, wake: Callable[[], None]) -> None:
    """Listen on a connection of asyncpg until it is lost."""
    lost = asyncio.Event()

    def heard(*_: object) -> None:
        wake()

    def is_lost(*_: object) -> None:
        lost.set()

    driver.add_termination_listener(is_lost)
    await driver.add_listener(CHANNEL, heard)
    try:
        await lost.wait()
    finally:
        driver.remove_termination_listener(is_lost)
        if not driver.is_closed():
            await driver.remove_listener(CHANNEL, heard)
