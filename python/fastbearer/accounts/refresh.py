"""Refresh tokens, each good for one use (RFC 9700 4.14.2)."""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from fastbearer.accounts.database import Database
from fastbearer.accounts.models import RefreshToken
from fastbearer.accounts.records import digest, new_id, new_secret, utc_now
from fastbearer.errors import TokenError
from fastbearer.fastapi import Settings

__all__ = ["Issued", "RefreshTokens", "ReusedTokenError"]


class ReusedTokenError(TokenError):
    """A refresh token that was used long ago: somebody has a copy of it.

    Attributes:
        user_id: Whose session has ended for that.
    """

    code = "reused_token"

    def __init__(self, message: str, user_id: str) -> None:
        super().__init__(message)
        self.user_id = user_id


class Issued(NamedTuple):
    """A fresh token, and whose it is."""

    token: str
    user_id: str
    family: str
    seconds: int  # that it is good for


class RefreshTokens:
    """Refresh tokens in the table ``fastbearer_refresh_token``.

    Only digests are stored. A token that was used comes again when two pages
    of a client refresh at a time, or when it was stolen. Shortly after its use
    it is refused, no more; later, the whole session ends.

    Args:
        settings: Give lifetime and grace; asked when needed.
        database: Must be open when a method is called.
    """

    def __init__(self, settings: Callable[[], Settings], database: Database) -> None:
        self._settings = settings
        self._database = database

    async def start(self, user_id: str) -> Issued:
        """Begin a session; those that have expired are forgotten."""
        token, now = new_secret(), utc_now()
        lifetime = timedelta(days=self._settings().refresh_days)
        first = RefreshToken(
            id=digest(token),
            user_id=user_id,
            family=new_id(),
            expires_at=now + lifetime,
        )
        async with self._database.transaction() as session:
            expired = col(RefreshToken.expires_at) <= now
            await session.exec(delete(RefreshToken).where(expired))
            session.add(first)
        return _issued(token, first)

    async def rotate(self, token: str) -> Issued:
        """Return the token that follows; of several at a time one gets it.

        Raises:
            ReusedTokenError: It was used before the grace; its session ended.
            TokenError: It was never one, has expired or was used just now.
        """
        now = utc_now()
        use = (
            update(RefreshToken)
            .where(
                col(RefreshToken.id) == digest(token),
                col(RefreshToken.used_at).is_(None),
                col(RefreshToken.expires_at) > now,
            )
            .values(used_at=now)
            .returning(RefreshToken)
        )
        following = new_secret()
        async with self._database.transaction() as session:
            used = (await session.exec(use)).scalar_one_or_none()
            if used is not None:
                next_one = RefreshToken(
                    id=digest(following),
                    user_id=used.user_id,
                    family=used.family,
                    expires_at=used.expires_at,
                )
                session.add(next_one)
                return _issued(following, next_one)
        await self._end_if_stolen(token)
        raise TokenError("the refresh token is not good")

    async def _end_if_stolen(self, token: str) -> None:
        grace = timedelta(seconds=self._settings().refresh_grace_seconds)
        query = select(RefreshToken).where(RefreshToken.id == digest(token))
        async with self._database.transaction() as session:
            old = (await session.exec(query)).one_or_none()
        if old is None or old.used_at is None or old.used_at > utc_now() - grace:
            return
        await self.end(old.family)
        raise ReusedTokenError("the refresh token was used before", old.user_id)

    async def is_alive(self, family: str) -> bool:
        """Tell whether a session has not ended."""
        query = select(RefreshToken.id).where(RefreshToken.family == family).limit(1)
        async with self._database.transaction() as session:
            return (await session.exec(query)).one_or_none() is not None

    async def end(self, family: str) -> None:
        """End a session."""
        async with self._database.transaction() as session:
            await _delete_all(session, col(RefreshToken.family) == family)

    async def end_all(self, user_id: str) -> None:
        """End every session of a user."""
        async with self._database.transaction() as session:
            await _delete_all(session, col(RefreshToken.user_id) == user_id)


async def _delete_all(session: AsyncSession, condition: ColumnElement[bool]) -> None:
    """Delete until there is nothing left to delete.

    One statement would miss the row that a rotation under way puts in the
    place of one that it deletes. Such a rotation holds a row that each of
    these statements finds, and so waits for.
    """
    statement = delete(RefreshToken).where(condition)
    while (await session.exec(statement)).rowcount:
        pass


def _issued(token: str, row: RefreshToken) -> Issued:
    seconds = int((row.expires_at - utc_now()).total_seconds())
    return Issued(token, row.user_id, row.family, seconds)
