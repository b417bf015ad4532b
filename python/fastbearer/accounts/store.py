"""Where users are kept: what the routes ask for, and our own table."""

from typing import Protocol

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from fastbearer.accounts.database import Database
from fastbearer.accounts.models import User, utc_now
from fastbearer.errors import FastbearerError

__all__ = ["DatabaseUserStore", "EmailTakenError", "UserStore"]


class EmailTakenError(FastbearerError):
    """A user with this e-mail exists already."""

    code = "email_taken"


class UserStore(Protocol):
    """Keeps users. E-mails come in the form of ``schemas.Email``."""

    async def add(self, user: User) -> None:
        """Keep a new user, wholly or not at all.

        Raises:
            EmailTakenError: A user with this e-mail exists; decided by the
                store alone, so that of several at a time one succeeds.
        """
        ...

    async def find_by_email(self, email: str) -> User | None:
        """Return the user with this e-mail, if there is one."""
        ...

    async def replace_password_hash(self, user: User, password_hash: str) -> None:
        """Store another hash, unless the user's has changed meanwhile."""
        ...


class DatabaseUserStore:
    """Users in the table ``fastbearer_user``.

    Args:
        database: Must be open when a method is called.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, user: User) -> None:
        """As in `UserStore`; the table's unique constraint decides."""
        try:
            async with self._database.transaction() as session:
                session.add(user)
        except IntegrityError:
            if await self.find_by_email(user.email) is None:
                raise
            raise EmailTakenError("this e-mail is registered already") from None

    async def find_by_email(self, email: str) -> User | None:
        """As in `UserStore`."""
        async with self._database.transaction() as session:
            found = await session.exec(select(User).where(User.email == email))
            return found.one_or_none()

    async def replace_password_hash(self, user: User, password_hash: str) -> None:
        """As in `UserStore`."""
        unchanged = (
            col(User.id) == user.id,
            col(User.password_hash) == user.password_hash,
        )
        values = {"password_hash": password_hash, "updated_at": utc_now()}
        async with self._database.transaction() as session:
            await session.exec(update(User).where(*unchanged).values(values))
