"""How Better Auth's tables are asked for users."""

import logging
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Select, String, cast, select
from sqlalchemy.ext.asyncio import AsyncConnection

from fastbearer.accounts.emails import spellings
from fastbearer.accounts.models import User
from fastbearer.accounts.names import Name
from fastbearer.accounts.stores.better_auth_layout import BETTER_AUTH_NAMES, Layout
from fastbearer.accounts.stores.better_auth_passwords import PasswordAccounts
from fastbearer.accounts.stores.better_auth_rows import is_called, key_in, user_of
from fastbearer.better_auth.tables import Tables
from fastbearer.connections.sql import Connections

__all__ = ["UserRows"]

Row = dict[str, Any]

logger: logging.Logger = logging.getLogger("fastbearer")


class UserRows:
    """The rows of users, each with the password of their account.

    Args:
        connections: To the database.
        tables: What the tables are called.
        passwords: Which accounts have the passwords.
    """

    def __init__(
        self, connections: Connections, tables: Tables, passwords: PasswordAccounts
    ) -> None:
        self._connections = connections
        self._tables = tables
        self._passwords = passwords

    async def find(self, layout: Layout, name: Name, value: str) -> User | None:
        """Return the user who is called so, if it is one."""
        return await self._find(
            layout,
            _has_name(layout, name, value),
            lambda row: is_called(row, name, value),
        )

    async def find_id(self, layout: Layout, user_id: str) -> User | None:
        """Return the user with an id; it may be any string."""
        key = key_in(layout, user_id)
        if key is None:
            return None
        is_theirs = layout.user.column("id") == key
        return await self._find(
            layout, is_theirs, lambda row: str(row["id"]) == user_id
        )

    async def owners(self, layout: Layout, name: Name, value: str) -> list[str]:
        """Return the ids of those whom the database takes for who is called so."""
        query = select(layout.user.column("id")).where(_has_name(layout, name, value))
        async with self._connections.reading() as connection:
            found = (await connection.execute(query)).scalars().all()
        return [str(one) for one in found]

    async def is_gone(
        self, connection: AsyncConnection, layout: Layout, user: User
    ) -> bool:
        """Tell whether a user's row is there no more."""
        stored = layout.user.column("id")
        query = select(stored).where(stored == key_in(layout, user.id))
        return (await connection.execute(query)).first() is None

    async def page(self, layout: Layout, after: str | None, limit: int) -> list[User]:
        """Return the next users; who has several passwords is shown with none."""
        by = layout.user.column("id")
        page = select(by).order_by(by).limit(limit)
        if after is not None:
            key = key_in(layout, after)
            if key is None:
                return []
            page = page.where(by > key)
        query = self._query(layout).where(by.in_(page)).order_by(by)
        users: dict[str, User] = {}
        for row, password_hash in await self._rows(layout, query):
            user = user_of(row, password_hash)
            if user is not None:
                if user.id in users:
                    user.password_hash = ""
                users[user.id] = user
        return list(users.values())

    async def _find(
        self,
        layout: Layout,
        is_theirs: ColumnElement[bool],
        is_asked: Callable[[Row], bool],
    ) -> User | None:
        """Return the one user of whom something is true.

        Args:
            layout: Of the tables.
            is_theirs: What the database is asked for.
            is_asked: Tells of a row whether it is what was asked for.
        """
        rows = await self._rows(layout, self._query(layout).where(is_theirs))
        users = [user_of(row, password) for row, password in rows if is_asked(row)]
        found = [user for user in users if user is not None]
        if len(found) > 1:  # which of two passwords is the one nobody can tell
            logger.error("the user %s has several passwords", found[0].id)
        return found[0] if len(found) == 1 else None

    def _query(self, layout: Layout) -> Select[Any]:
        user, account = layout.user, layout.account
        user_id = user.column("id")
        their_account = self._passwords.is_theirs(
            account, user_id, cast(user_id, String)
        )
        columns = [user.column(field) for field in layout.fields]
        return select(account.column("password"), *columns).join_from(
            user.clause, account.clause, their_account, isouter=True
        )

    async def _rows(self, layout: Layout, query: Select[Any]) -> list[tuple[Row, str]]:
        """Return what `_query` finds: rows, and the hash that belongs to each."""
        async with self._connections.reading() as connection:
            found = (await connection.execute(query)).all()
        return [
            (self._dated(layout, values), password or "") for password, *values in found
        ]

    def _dated(self, layout: Layout, values: list[Any]) -> Row:
        return self._tables.dated(dict(zip(layout.fields, values, strict=True)))


def _has_name(layout: Layout, name: Name, value: str) -> ColumnElement[bool]:
    """Return whether the database takes a user for the one who is called so."""
    stored = layout.user.column(BETTER_AUTH_NAMES[name])
    return stored.in_(spellings(value) if name == "email" else (value,))
