"""Codes that are sent in messages."""

from datetime import timedelta
from typing import Literal

from sqlalchemy import ColumnElement, delete
from sqlmodel import col, select

from fastbearer.accounts.database import Database
from fastbearer.accounts.models import Code
from fastbearer.accounts.records import digest, new_secret, utc_now

__all__ = ["Codes", "Purpose"]

Purpose = Literal["verify_email", "reset_password"]


class Codes:
    """Single-use codes that expire, in the table ``fastbearer_code``.

    Only digests are stored. Several codes for one e-mail are good at a time,
    so that nobody can keep somebody from using theirs.

    Args:
        database: Must be open when a method is called.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def make(self, purpose: Purpose, email: str, lifetime: timedelta) -> str:
        """Return a fresh code; those that have expired are forgotten."""
        code, now = new_secret(), utc_now()
        async with self._database.transaction() as session:
            await session.exec(delete(Code).where(col(Code.expires_at) <= now))
            session.add(
                Code(
                    id=digest(code),
                    purpose=purpose,
                    email=email,
                    expires_at=now + lifetime,
                )
            )
        return code

    async def find(self, purpose: Purpose, code: str) -> str | None:
        """Return the e-mail of a good code, or None."""
        query = select(Code.email).where(*_good(purpose, code))
        async with self._database.transaction() as session:
            return (await session.exec(query)).one_or_none()

    async def use(self, purpose: Purpose, code: str) -> str | None:
        """Return the e-mail of a good code, or None; it is good no more.

        Of several at a time one gets it. The other codes for this purpose and
        e-mail end with it.
        """
        taken = delete(Code).where(*_good(purpose, code)).returning(col(Code.email))
        async with self._database.transaction() as session:
            email: str | None = (await session.exec(taken)).scalar_one_or_none()
            if email is not None:
                others = (col(Code.purpose) == purpose, col(Code.email) == email)
                await session.exec(delete(Code).where(*others))
        return email


def _good(purpose: Purpose, code: str) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Code.id) == digest(code),
        col(Code.purpose) == purpose,
        col(Code.expires_at) > utc_now(),
    )
