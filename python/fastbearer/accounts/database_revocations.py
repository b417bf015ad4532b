"""Revocations in the database."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import bindparam, delete, text
from sqlmodel import col

from fastbearer.accounts.database import Database
from fastbearer.accounts.models import NotBefore, Revoked
from fastbearer.accounts.records import UtcDateTime, utc_now
from fastbearer.revocation.protocol import shelf_key

__all__ = ["DatabaseRevocations"]

# RFC 7519 puts no bound on exp; a datetime has one.
LATEST = datetime(9999, 1, 1, tzinfo=UTC)

LOOK_UP = text(
    "SELECT (SELECT 1 FROM fastbearer_revoked WHERE id = :token),"
    " (SELECT issued_at FROM fastbearer_not_before WHERE id = :user)"
)
REVOKE = text(
    "INSERT INTO fastbearer_revoked (id, expires_at) VALUES (:id, :expires_at)"
    " ON CONFLICT (id) DO NOTHING"
).bindparams(bindparam("expires_at", type_=UtcDateTime))
END_SESSIONS = text(
    "INSERT INTO fastbearer_not_before AS old (id, issued_at) VALUES (:id, :next)"
    " ON CONFLICT (id) DO UPDATE SET issued_at ="
    " CASE WHEN old.issued_at >= excluded.issued_at"
    " THEN old.issued_at + 1 ELSE excluded.issued_at END RETURNING issued_at"
)


class DatabaseRevocations:
    """Revocations in two tables: one query for each token.

    Args:
        database: Must be open when a method is called.
        clock: A callable that returns seconds since the epoch.
    """

    def __init__(
        self, database: Database, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._clock = clock

    async def is_revoked(
        self, token_id: str, user_id: str, issued_at: float | None
    ) -> bool:
        """As in `RevocationStore`."""
        keys = {"token": shelf_key(token_id), "user": shelf_key(user_id)}
        async with self._database.transaction() as session:
            connection = await session.connection()
            found = (await connection.execute(LOOK_UP, keys)).one()
        if found[0] is not None:
            return True
        if found[1] is None:
            return False
        return issued_at is None or issued_at < found[1]

    async def revoke(self, token_id: str, until: float) -> None:
        """As in `RevocationStore`; those that have expired are forgotten."""
        latest = LATEST.timestamp()
        values = {
            "id": shelf_key(token_id),
            "expires_at": datetime.fromtimestamp(min(until, latest), UTC),
        }
        async with self._database.transaction() as session:
            await session.exec(
                delete(Revoked).where(col(Revoked.expires_at) <= utc_now())
            )
            connection = await session.connection()
            await connection.execute(REVOKE, values)

    async def end_sessions(self, user_id: str) -> int:
        """As in `RevocationStore`."""
        values = {"id": shelf_key(user_id), "next": int(self._clock()) + 1}
        async with self._database.transaction() as session:
            connection = await session.connection()
            return int((await connection.execute(END_SESSIONS, values)).scalar_one())

    async def not_before(self, user_id: str) -> int:
        """As in `RevocationStore`."""
        async with self._database.transaction() as session:
            found = await session.get(NotBefore, shelf_key(user_id))
        return 0 if found is None else found.issued_at
