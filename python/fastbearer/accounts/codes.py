"""Codes that are sent in messages."""

import json
from datetime import timedelta
from typing import Literal, NamedTuple

from sqlalchemy import ColumnElement, delete
from sqlmodel import col, select

from fastbearer.accounts.database import Database
from fastbearer.accounts.models import Code, User
from fastbearer.accounts.records import digest, new_secret, utc_now

__all__ = ["Bond", "Codes", "Purpose"]

Purpose = Literal["verify_email", "reset_password", "change_email", "invitation"]


class Bond(NamedTuple):
    """Whose a code is.

    Attributes:
        user_id: The user's id; empty for nobody's.
        state: What the user was like when the code was made.
        target: The e-mail to be, where the code is for a change of it.
    """

    user_id: str
    state: str
    target: str = ""

    @classmethod
    def to(cls, user: User | None, target: str = "") -> "Bond":
        """Return what ties a code to a user as they are now, and to a new e-mail."""
        if user is None:
            return cls("", digest(new_secret()), "")
        facts = (user.id, user.email, user.password_hash, *filter(None, (target,)))
        return cls(user.id, digest(json.dumps(facts)), target)


class Codes:
    """Single-use codes that expire, in the table ``fastbearer_code``.

    Only digests are stored. Several codes of one user are good at a time, so
    that nobody can keep somebody from using theirs. All of them end when the
    user's e-mail or password changes, or the user is gone: whoever changes it,
    and wherever the users are kept.

    Args:
        database: Must be open when a method is called.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def make(
        self,
        purpose: Purpose,
        user: User | None,
        lifetime: timedelta,
        target: str = "",
    ) -> str:
        """Return a fresh code; those that have expired are forgotten.

        Args:
            purpose: What it is good for.
            user: Whose it is; None for nobody's, which is good for nothing.
            lifetime: How long it is good.
            target: The e-mail to be, in its one form.
        """
        code, now, bond = new_secret(), utc_now(), Bond.to(user, target)
        async with self._database.transaction() as session:
            await session.exec(delete(Code).where(col(Code.expires_at) <= now))
            session.add(
                Code(
                    id=digest(code),
                    purpose=purpose,
                    user_id=bond.user_id,
                    state=bond.state,
                    target=bond.target,
                    expires_at=now + lifetime,
                )
            )
        return code

    async def find(self, purpose: Purpose, code: str) -> Bond | None:
        """Return whose a code is that has not expired, or None.

        It is good only if it is `Bond.to` the user as they are now, and its target.
        """
        query = select(Code).where(*_good(purpose, code))
        async with self._database.transaction() as session:
            found = (await session.exec(query)).one_or_none()
        if found is None:
            return None
        return Bond(found.user_id, found.state, found.target)

    async def end(self, purpose: Purpose, user_id: str) -> None:
        """End the codes of a user for one purpose."""
        await self._delete(col(Code.purpose) == purpose, col(Code.user_id) == user_id)

    async def end_all(self, user_id: str) -> None:
        """End every code of a user."""
        await self._delete(col(Code.user_id) == user_id)

    async def _delete(self, *conditions: ColumnElement[bool]) -> None:
        async with self._database.transaction() as session:
            await session.exec(delete(Code).where(*conditions))


def _good(purpose: Purpose, code: str) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Code.id) == digest(code),
        col(Code.purpose) == purpose,
        col(Code.expires_at) > utc_now(),
    )
