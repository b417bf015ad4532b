"""Where users are kept: what the routes ask for, and our own table."""

from typing import Protocol

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from fastbearer.accounts.database import Database
from fastbearer.accounts.models import User
from fastbearer.accounts.records import utc_now
from fastbearer.errors import FastbearerError

__all__ = ["DatabaseUserStore", "EmailTakenError", "InvalidEmailError", "UserStore"]


class EmailTakenError(FastbearerError):
    """A user with this e-mail exists already."""

    code = "email_taken"


class InvalidEmailError(FastbearerError):
    """The store does not keep such e-mails."""

    code = "invalid_email"


class UserStore(Protocol):
    """Keeps users. E-mails come in the form of ``schemas.Email``.

    A user whose ``password_hash`` is empty has no password, and cannot sign in.
    """

    async def add(self, user: User) -> None:
        """Keep a new user, wholly or not at all; it may give them another id.

        Raises:
            EmailTakenError: A user with this e-mail exists; decided by the
                store alone, so that of several at a time one succeeds.
            InvalidEmailError: It does not keep such e-mails.
        """
        ...

    async def find_by_email(self, email: str) -> User | None:
        """Return the user with this e-mail, if there is one."""
        ...

    async def find(self, user_id: str) -> User | None:
        """Return the user with this id, if there is one; it may be any text."""
        ...

    async def replace_password_hash(self, user: User, password_hash: str) -> bool:
        """Store another hash, unless the user's has changed meanwhile.

        Returns:
            Whether it was stored.
        """
        ...

    async def verify_email(self, user: User) -> None:
        """Note that the e-mail is the user's."""
        ...

    async def remove(self, user: User) -> None:
        """Forget a user."""
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

    async def find(self, user_id: str) -> User | None:
        """As in `UserStore`."""
        if not _is_storable(user_id):
            return None
        async with self._database.transaction() as session:
            return await session.get(User, user_id)

    async def replace_password_hash(self, user: User, password_hash: str) -> bool:
        """As in `UserStore`."""
        unchanged = (
            col(User.id) == user.id,
            col(User.password_hash) == user.password_hash,
        )
        values = {"password_hash": password_hash, "updated_at": utc_now()}
        statement = update(User).where(*unchanged).values(values)
        async with self._database.transaction() as session:
            return (await session.exec(statement)).rowcount == 1

    async def verify_email(self, user: User) -> None:
        """As in `UserStore`."""
        values = {"email_verified": True, "updated_at": utc_now()}
        statement = update(User).where(col(User.id) == user.id).values(values)
        async with self._database.transaction() as session:
            await session.exec(statement)

    async def remove(self, user: User) -> None:
        """As in `UserStore`."""
        async with self._database.transaction() as session:
            await session.exec(delete(User).where(col(User.id) == user.id))


def _is_storable(user_id: str) -> bool:
    """Tell whether a token's ``sub`` can be compared in every database."""
    try:
        user_id.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in user_id
