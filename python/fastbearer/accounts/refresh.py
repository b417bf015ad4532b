"""Refresh tokens, each good for one use (RFC 9700 4.14.2)."""

import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from fastbearer import jws
from fastbearer.accounts.database import Database, update_row
from fastbearer.accounts.models import RefreshToken
from fastbearer.accounts.records import digest, new_id, new_secret
from fastbearer.errors import TokenError
from fastbearer.fastapi import Settings

__all__ = ["Issued", "RefreshTokens", "ReusedTokenError"]


class ReusedTokenError(TokenError):
    """A refresh token that was used long ago: somebody has a copy of it.

    Attributes:
        user_id: Whose session has to end for that.
        family: That session.
    """

    code = "reused_token"

    def __init__(self, message: str, user_id: str, family: str) -> None:
        super().__init__(message)
        self.user_id = user_id
        self.family = family


class Issued(NamedTuple):
    """A fresh token, and whose it is.

    Attributes:
        token: The token.
        user_id: Whose.
        family: The session.
        seconds: For how long the token is good.
        generation: The user's when the session began, where that is known.
    """

    token: str
    user_id: str
    family: str
    seconds: int
    generation: int | None


class RefreshTokens:
    """Refresh tokens in the table ``fastbearer_refresh_token``.

    Only digests are stored. A token is followed by one other, which is computed
    from it and the secret of the settings. So a token that comes again shortly after
    its use, because several tabs refresh at a time or an answer was lost, gives the
    same successor again, as long as that was not used itself. Later it means that
    the token was stolen (RFC 9700 4.14.2).

    Args:
        settings: Give lifetime, grace and the secret; asked when needed.
        database: Must be open when a method is called.
        clock: A callable that returns seconds since the epoch.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        database: Database,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock

    async def start(self, user_id: str, generation: int | None = None) -> Issued:
        """Begin a session; those that have expired are forgotten."""
        token, now = new_secret(), self._now()
        lifetime = timedelta(days=self._settings().refresh_days)
        first = RefreshToken(
            id=digest(token),
            user_id=user_id,
            family=new_id(),
            expires_at=now + lifetime,
            generation=generation,
        )
        async with self._database.transaction() as session:
            expired = col(RefreshToken.expires_at) <= now
            await session.exec(delete(RefreshToken).where(expired))
            session.add(first)
        return _issued(token, first, now)

    async def check(self, token: str) -> RefreshToken:
        """Return what is kept of a token that `rotate` would take; it is not used.

        Raises:
            ReusedTokenError: As in `rotate`.
            TokenError: As in `rotate`.
        """
        now, found = self._now(), await self._found(token)
        if found is None or found.used_at is not None or found.expires_at <= now:
            await self._again(token, self._successor(token), now)
            found = await self._found(token)
        if found is None:
            raise TokenError("the refresh token is not good")
        return found

    async def rotate(self, token: str) -> Issued:
        """Return the token that follows; it is the same for all who ask in time.

        Raises:
            ReusedTokenError: The token was used before the grace.
            TokenError: It was never one, has expired, or its successor was used.
        """
        now, following = self._now(), self._successor(token)
        is_good = (
            col(RefreshToken.used_at).is_(None),
            col(RefreshToken.expires_at) > now,
        )
        async with self._database.transaction() as session:
            row = RefreshToken, digest(token)
            used = await update_row(session, row, {"used_at": now}, *is_good)
            if used is not None:
                next_one = RefreshToken(
                    id=digest(following),
                    user_id=used.user_id,
                    family=used.family,
                    expires_at=used.expires_at,
                    generation=used.generation,
                )
                session.add(next_one)
                return _issued(following, next_one, now)
        return await self._again(token, following, now)

    async def _again(self, token: str, following: str, now: datetime) -> Issued:
        """Return the successor of a used token once more, within the grace."""
        grace = timedelta(seconds=self._settings().refresh_grace_seconds)
        old, next_one = await self._found(token), await self._found(following)
        if old is None or old.used_at is None:
            raise TokenError("the refresh token is not good")
        if old.used_at <= now - grace:
            text = "the refresh token was used before"
            raise ReusedTokenError(text, old.user_id, old.family)
        if next_one is None or next_one.used_at is not None:
            raise TokenError("the refresh token was used just now, and its successor")
        if next_one.expires_at <= now:
            raise TokenError("the refresh token has expired")
        return _issued(following, next_one, now)

    async def _found(self, token: str) -> RefreshToken | None:
        query = select(RefreshToken).where(RefreshToken.id == digest(token))
        async with self._database.transaction() as session:
            return (await session.exec(query)).one_or_none()

    def _successor(self, token: str) -> str:
        """Return the token that follows; to make it takes the secret as well.

        What is signed here is not JSON, and so can never be an access token.
        """
        signed = jws.sign(b"refresh:" + token.encode(), self._settings().signing_key())
        mac = sha256(signed.encode()).digest()
        return urlsafe_b64encode(mac).rstrip(b"=").decode()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    async def session_of(self, token: str) -> tuple[str, str] | None:
        """Return user and session of a token, used or not, unless it has expired."""
        found = await self._found(token)
        if found is None or found.expires_at <= self._now():
            return None
        return found.user_id, found.family

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


def _issued(token: str, row: RefreshToken, now: datetime) -> Issued:
    seconds = int((row.expires_at - now).total_seconds())
    return Issued(token, row.user_id, row.family, seconds, row.generation)
