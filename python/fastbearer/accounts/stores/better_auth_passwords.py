"""Accounts of the provider "credential": where Better Auth keeps passwords."""

from typing import Any

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from fastbearer.accounts.models import User
from fastbearer.accounts.records import utc_now
from fastbearer.accounts.stores.better_auth_layout import Layout
from fastbearer.accounts.stores.better_auth_rows import (
    CREDENTIAL,
    credentials_of,
    insert_row,
    key_in,
    update_user,
)
from fastbearer.better_auth.tables import Table

__all__ = ["PasswordAccounts"]


class PasswordAccounts:
    """The accounts with users' passwords.

    Args:
        any_account_id: As in `BetterAuthUserStore`.
    """

    def __init__(self, *, any_account_id: bool) -> None:
        self._any_account_id = any_account_id

    def is_theirs(self, account: Table, key: Any, user_id: Any) -> ColumnElement[bool]:
        """Return whether an account has a user's password, as Better Auth sees it.

        Args:
            account: The table.
            key: The user's id as the tables have it.
            user_id: The same as text.
        """
        rules = [
            account.column("userId") == key,
            account.column("providerId") == CREDENTIAL,
        ]
        if not self._any_account_id:
            rules.append(account.column("accountId") == user_id)
        return and_(*rules)

    async def is_unchanged(
        self, connection: AsyncConnection, layout: Layout, user: User
    ) -> bool:
        """Tell whether a user's hash is still the same.

        It stays so until the end of the transaction: whoever replaces it waits. Who is
        shown without one may have several, or a second factor: of them nobody can tell.
        """
        if not user.password_hash:
            return True
        account = layout.account
        is_theirs = self.is_theirs(account, key_in(layout, user.id), user.id)
        is_same = account.column("password") == user.password_hash
        query = select(account.column("providerId")).where(is_theirs, is_same)
        found = await connection.execute(query.with_for_update())
        return found.first() is not None

    async def update(
        self,
        connection: AsyncConnection,
        layout: Layout,
        user: User,
        password_hash: str,
    ) -> bool:
        """Replace a user's hash, and tell whether it was still the same."""
        account = layout.account
        stored = account.column("password")
        is_unchanged = stored == user.password_hash
        if not user.password_hash:
            is_unchanged = is_unchanged | stored.is_(None)
        is_theirs = self.is_theirs(account, key_in(layout, user.id), user.id)
        values = {"password": password_hash, "updatedAt": utc_now()}
        statement = (
            update(account.clause)
            .where(is_theirs, is_unchanged)
            .values(account.row(values))
        )
        return (await connection.execute(statement)).rowcount == 1

    async def add(
        self,
        connection: AsyncConnection,
        layout: Layout,
        user: User,
        password_hash: str,
    ) -> bool:
        """Add the account with a first password, unless somebody else just did."""
        # The update of the user's row lets others here wait.
        if not await update_user(connection, layout, user):
            return False
        account = layout.account
        is_theirs = self.is_theirs(account, key_in(layout, user.id), user.id)
        found = await connection.execute(
            select(account.column("providerId")).where(is_theirs)
        )
        if found.first() is not None:
            return False
        row = credentials_of(layout, user.id, password_hash)
        await insert_row(connection, account, row)
        return True
