"""Users in our own table."""

from collections.abc import Sequence

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from fastbearer.accounts.database import Database
from fastbearer.accounts.emails import is_same_email, spellings
from fastbearer.accounts.models import User
from fastbearer.accounts.records import utc_now
from fastbearer.accounts.stores.ids import is_storable
from fastbearer.accounts.stores.protocol import (
    TAKEN,
    EmailTakenError,
    UserInUseError,
)

__all__ = ["DatabaseUserStore"]


class DatabaseUserStore:
    """Users in the table ``fastbearer_user``.

    Args:
        database: Must be open when a method is called.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, user: User) -> None:
        """As in `UserStore`; the table's unique constraint decides."""
        if await self.find_by_email(user.email) is not None:
            raise EmailTakenError(TAKEN)  # perhaps in an older spelling
        try:
            async with self._database.transaction() as session:
                session.add(user)
        except IntegrityError:
            if not await self._rows(user.email):
                raise
            raise EmailTakenError(TAKEN) from None

    async def find_by_email(self, email: str) -> User | None:
        """As in `UserStore`."""
        rows = await self._rows(email)
        found = [user for user in rows if is_same_email(user.email, email)]
        return found[0] if len(found) == 1 else None

    async def _rows(self, email: str) -> Sequence[User]:
        """Return whom the database takes for the one with an e-mail."""
        query = select(User).where(col(User.email).in_(spellings(email)))
        async with self._database.transaction() as session:
            return (await session.exec(query)).all()

    async def find(self, user_id: str) -> User | None:
        """As in `UserStore`."""
        if not is_storable(user_id):
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
        is_theirs = (col(User.id) == user.id, col(User.email) == user.address)
        statement = update(User).where(*is_theirs).values(values)
        async with self._database.transaction() as session:
            await session.exec(statement)

    async def remove(self, user: User) -> None:
        """As in `UserStore`."""
        try:
            async with self._database.transaction() as session:
                await session.exec(delete(User).where(col(User.id) == user.id))
        except IntegrityError:
            raise UserInUseError("rows of other tables refer to the user") from None
