"""Users in our own table."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from fastbearer.accounts.database import Database
from fastbearer.accounts.emails import is_same_email, spellings
from fastbearer.accounts.models import User
from fastbearer.accounts.names import NAMES, Name
from fastbearer.accounts.records import utc_now
from fastbearer.accounts.stores.ids import is_storable
from fastbearer.accounts.stores.own_fields import check_own_fields
from fastbearer.accounts.stores.protocol import UserInUseError, taken

__all__ = ["DatabaseUserStore"]

OWN_TABLE = "the table fastbearer_user"


class DatabaseUserStore:
    """Users in the table ``fastbearer_user``.

    Args:
        database: Must be open when a method is called.

    Attributes:
        row_type: Class of the rows.
    """

    row_type = User

    def __init__(self, database: Database) -> None:
        self._database = database

    def is_in(self, database: Database) -> bool:
        """Tell whether users are added in the transactions of a database."""
        return database is self._database

    async def check_fields(self, fields: Collection[str]) -> None:
        """Check that the table has a column for all that a sign-up gives.

        Raises:
            ConfigurationError: It has none for one of them, or gets no e-mail.
        """
        check_own_fields(fields, OWN_TABLE)

    def keeps(self, field: str) -> bool:
        """Tell whether the table has a column for a field of a user."""
        return field in User.model_fields

    async def add(self, user: User) -> None:
        """As in `UserStore`; the table's unique constraints decide."""
        names: dict[str, Any] = {name: user.called(name) for name in NAMES}
        if await self._rows(user.email):
            raise taken("email")  # perhaps in an older spelling
        try:
            async with self._database.transaction() as session:
                session.add(user)
        except IntegrityError:
            await self._raise_taken(names)
            raise

    async def _raise_taken(
        self, values: Mapping[str, Any], owner: str | None = None
    ) -> None:
        """Raise the error that says which of the names somebody else has, if any.

        Args:
            values: Field -> value.
            owner: Whose names they are to be.
        """
        for name in NAMES:
            value = values.get(name)
            rows = [] if value is None else await self._called(name, value)
            if any(row.id != owner for row in rows):
                raise taken(name) from None

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

    async def find_by(self, name: Name, value: str) -> User | None:
        """As in `NamedUserStore`."""
        if name == "email":
            return await self.find_by_email(value)
        rows = await self._called(name, value)
        found = [user for user in rows if user.called(name) == value]
        return found[0] if len(found) == 1 else None

    async def _called(self, name: Name, value: str) -> Sequence[User]:
        if name == "email":
            return await self._rows(value)
        column = col(User.username if name == "username" else User.phone)
        async with self._database.transaction() as session:
            return (await session.exec(select(User).where(column == value))).all()

    async def find(self, user_id: str) -> User | None:
        """As in `UserStore`."""
        if not is_storable(user_id):
            return None
        async with self._database.transaction() as session:
            return await session.get(User, user_id)

    async def replace_password_hash(self, user: User, password_hash: str) -> bool:
        """As in `UserStore`."""
        values = {"password_hash": password_hash}
        return await self._update(user, values, _has_hash(user))

    async def change(self, user: User, values: Mapping[str, Any]) -> bool:
        """As in `WritableUserStore`; the table's unique constraints decide."""
        if "email" in values:  # perhaps in an older spelling
            await self._raise_taken({"email": values["email"]}, user.id)
        try:
            return await self._update(user, values, _has_email(user), _has_hash(user))
        except IntegrityError:
            await self._raise_taken(values, user.id)
            raise

    async def _update(
        self, user: User, values: Mapping[str, Any], *only_if: ColumnElement[bool]
    ) -> bool:
        """Write fields of a user, and tell whether something was still so."""
        changes = {**values, "updated_at": utc_now()}
        is_theirs = col(User.id) == user.id
        statement = update(User).where(is_theirs, *only_if).values(changes)
        async with self._database.transaction() as session:
            return (await session.exec(statement)).rowcount == 1

    async def list_users(self, after: str | None, limit: int) -> Sequence[User]:
        """As in `ListingUserStore`."""
        query = select(User).order_by(col(User.id)).limit(limit)
        if after is not None:
            query = query.where(col(User.id) > after)
        async with self._database.transaction() as session:
            return (await session.exec(query)).all()

    async def verify_email(self, user: User) -> None:
        """As in `UserStore`."""
        await self._update(user, {"email_verified": True}, _has_email(user))

    async def remove(self, user: User) -> bool:
        """As in `UserStore`."""
        statement = delete(User).where(col(User.id) == user.id, _has_hash(user))
        try:
            async with self._database.transaction() as session:
                if (await session.exec(statement)).rowcount == 1:
                    return True
                return await session.get(User, user.id) is None
        except IntegrityError:
            raise UserInUseError("rows of other tables refer to the user") from None


def _has_email(user: User) -> ColumnElement[bool]:
    """Return whether a user's e-mail is still what it was."""
    return col(User.email) == user.address


def _has_hash(user: User) -> ColumnElement[bool]:
    """Return whether a user's hash is still what it was."""
    return col(User.password_hash) == user.password_hash
