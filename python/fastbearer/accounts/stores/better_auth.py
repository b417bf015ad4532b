"""Users in the tables of a Better Auth server: people sign in at either side."""

import logging
import re
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import (
    ColumnElement,
    String,
    and_,
    cast,
    delete,
    literal,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from fastbearer import PasswordHash, _core
from fastbearer.accounts.emails import is_same_email, spellings
from fastbearer.accounts.models import User
from fastbearer.accounts.records import utc_now
from fastbearer.accounts.stores.better_auth_layout import Layout, look_at
from fastbearer.accounts.stores.better_auth_rows import (
    CREDENTIAL,
    credentials_of,
    insert_row,
    key_in,
    update_user,
    user_of,
)
from fastbearer.accounts.stores.own_fields import check_own_fields
from fastbearer.accounts.stores.protocol import (
    TAKEN,
    EmailTakenError,
    InvalidEmailError,
    UserInUseError,
)
from fastbearer.better_auth.passwords import SCHEME, BetterAuthHash, password_length
from fastbearer.better_auth.tables import DATABASE, Table, Tables
from fastbearer.connections.sql import Connections
from fastbearer.errors import ConfigurationError, StoreUnavailableError

__all__ = ["BetterAuthUserStore"]

EMAIL = re.compile(
    r"[A-Za-z0-9_'+-]+(\.[A-Za-z0-9_'+-]+)*(?<!')"
    r"@([A-Za-z0-9][A-Za-z0-9-]*\.)+[A-Za-z]{2,}"
)
"""What the server takes for an e-mail: zod's pattern, without its backtracking."""

OTHER_HASH = (
    "Better Auth could not verify this password hash: leave out hasher, or say"
    " upgrade_hashes=True"
)
UNREACHABLE = "Better Auth's database cannot be opened"
UNREADABLE = "Better Auth's tables user and account cannot be read"
OWN_ROWS = "Better Auth's table user (but by a new_row of your own)"
NOT_TAKEN = (
    "Better Auth's tables do not take the row of a new user; for a column that must"
    " have a value override new_row"
)
logger = logging.getLogger("fastbearer")


class BetterAuthUserStore:
    """Users in Better Auth's tables ``user`` and ``account``.

    A password is that of the user's account of the provider "credential", as for
    ``/sign-in/email`` of the server. Users who have none, having signed up with GitHub
    say, cannot sign in, nor can those who have a second factor (``twoFactor()``): that
    is the server's to ask for. Whom the plugin ``admin()`` has banned is as good as
    unknown.

    Args:
        url: SQLAlchemy's, as in `SQLSessions`.
        tables: What the tables are called.
        upgrade_hashes: False: hashes are made as Better Auth makes them, and stay.
            True: they are those of ``PASSWORD_SCHEME``, or of the accounts' hasher,
            and others are replaced when their users sign in. Better Auth then
            verifies them only with ``emailAndPassword.password`` of its own.
        any_account_id: True: the account may have another ``accountId`` than its
            user's id, as for better-auth 1.6; 1.7 does not take it.

    Attributes:
        hasher: What the accounts hash with, unless they are given another; None for
            that of ``PASSWORD_SCHEME``.

    Raises:
        ConfigurationError: The URL is unfit.
    """

    row_type = User

    def __init__(
        self,
        url: str,
        *,
        tables: Tables | None = None,
        upgrade_hashes: bool = False,
        any_account_id: bool = False,
    ) -> None:
        self.password_length = password_length
        self.hasher: PasswordHash | None = None if upgrade_hashes else BetterAuthHash()
        self._connections = Connections(url, DATABASE, can_write=True)
        self._tables = Tables() if tables is None else tables
        self._any_account_id = any_account_id
        self._layout: Layout | None = None

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Look at the tables, and close the connections in the end.

        Raises:
            ConfigurationError: The database cannot be reached, or has not the tables
                or columns that are needed. The message shows no part of the URL.
        """
        try:
            await self._check()
            yield
        finally:
            await self.aclose()

    async def check_fields(self, fields: Collection[str]) -> None:
        """Check that a new row has all that a sign-up gives.

        Raises:
            ConfigurationError: It has not, and `new_row` is not the project's own.
        """
        if type(self).new_row is BetterAuthUserStore.new_row:
            check_own_fields(fields, OWN_ROWS, ("email", "name", "password"))

    def new_row(self, user: User) -> dict[str, Any]:
        """Return field -> value of a new user's row; override it for more fields."""
        return {
            "name": user.name or "",
            "email": user.email,
            "emailVerified": False,
            "createdAt": user.created_at,
            "updatedAt": user.updated_at,
        }

    async def add(self, user: User) -> None:
        """As in `UserStore`; the user's id becomes that of the row.

        The unique constraint that Better Auth's migration makes decides.
        """
        if EMAIL.fullmatch(user.email) is None:
            raise InvalidEmailError("Better Auth would not take this e-mail")
        self._check_hash(user.password_hash)
        layout = await self._looked_at()
        try:
            async with self._connections.writing() as connection:
                user.id = await insert_row(connection, layout.user, self.new_row(user))
                row = credentials_of(layout, user.id, user.password_hash)
                await insert_row(connection, layout.account, row)
        except IntegrityError:
            # Not to be shown: PostgreSQL's says what was in the row.
            if not await self._is_taken(user.email):
                raise ConfigurationError(NOT_TAKEN) from None
            raise EmailTakenError(TAKEN) from None

    async def find_by_email(self, email: str) -> User | None:
        """As in `UserStore`; who cannot sign in with one has an empty hash."""
        layout = await self._looked_at()
        is_theirs = layout.user.column("email").in_(spellings(email))
        return await self._find(
            layout, is_theirs, lambda row: is_same_email(row["email"], email)
        )

    async def find(self, user_id: str) -> User | None:
        """As in `UserStore`; who cannot sign in with one has an empty hash."""
        layout = await self._looked_at()
        key = key_in(layout, user_id)
        if key is None:
            return None
        is_theirs = layout.user.column("id") == key
        return await self._find(
            layout, is_theirs, lambda row: str(row["id"]) == user_id
        )

    async def replace_password_hash(self, user: User, password_hash: str) -> bool:
        """As in `UserStore`; who has no password gets their first.

        For that Better Auth, too, asks only for a code that was sent to the e-mail.
        """
        self._check_hash(password_hash)
        layout = await self._looked_at()
        async with self._connections.writing() as connection:
            if await self._update_hash(connection, layout, user, password_hash):
                return True
            if user.password_hash:
                return False
            return await self._add_hash(connection, layout, user, password_hash)

    async def verify_email(self, user: User) -> None:
        """As in `UserStore`."""
        layout = await self._looked_at()
        async with self._connections.writing() as connection:
            is_same = layout.user.column("email") == user.address
            await update_user(connection, layout, user, is_same, emailVerified=True)

    async def remove(self, user: User) -> None:
        """As in `UserStore`, with accounts and sessions; the rest is the tables' own.

        Sessions that the server keeps in Redis stay there.
        """
        layout = await self._looked_at()
        key = key_in(layout, user.id)
        owned = [(layout.account, "userId"), (layout.user, "id")]
        if layout.session is not None:
            owned.insert(0, (layout.session, "userId"))
        try:
            async with self._connections.writing() as connection:
                for table, field in owned:
                    is_theirs = table.column(field) == key
                    await connection.execute(delete(table.clause).where(is_theirs))
        except IntegrityError:
            raise UserInUseError("rows of other tables refer to the user") from None

    async def ping(self) -> None:
        """Ask the database something.

        Raises:
            StoreUnavailableError: It does not answer.
        """
        async with self._connections.reading() as connection:
            await connection.execute(select(literal(1)))

    async def aclose(self) -> None:
        """Close the connections; they open again when needed."""
        await self._connections.aclose()

    async def _check(self) -> None:
        try:
            await self.find_by_email("")
        except StoreUnavailableError as error:
            raise ConfigurationError(UNREACHABLE) from error
        except SQLAlchemyError as error:
            raise ConfigurationError(UNREADABLE) from error

    def _check_hash(self, password_hash: str) -> None:
        if self.hasher is not None and _core.password_scheme(password_hash) != SCHEME:
            raise ConfigurationError(OTHER_HASH)

    async def _is_taken(self, email: str) -> bool:
        layout = await self._looked_at()
        column = layout.user.column("email")
        async with self._connections.reading() as connection:
            is_theirs = column.in_(spellings(email))
            rows = await connection.execute(select(column).where(is_theirs))
            return rows.first() is not None

    async def _looked_at(self) -> Layout:
        if self._layout is None:
            async with self._connections.reading() as connection:
                self._layout = await look_at(connection, self._tables)
        return self._layout

    def _is_credential(
        self, account: Table, key: Any, user_id: Any
    ) -> ColumnElement[bool]:
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

    async def _find(
        self,
        layout: Layout,
        is_theirs: ColumnElement[bool],
        is_asked: Callable[[dict[str, Any]], bool],
    ) -> User | None:
        """Return the one user of whom something is true, unless they are banned.

        Args:
            layout: Of the tables.
            is_theirs: What the database is asked for.
            is_asked: Tells of a row whether it is what was asked for.
        """
        user, account = layout.user, layout.account
        user_id = user.column("id")
        their_account = self._is_credential(account, user_id, cast(user_id, String))
        columns = [user.column(field) for field in layout.fields]
        query = (
            select(account.column("password"), *columns)
            .join_from(user.clause, account.clause, their_account, isouter=True)
            .where(is_theirs)
        )
        async with self._connections.reading() as connection:
            rows = (await connection.execute(query)).all()
        users = []
        for password_hash, *values in rows:
            row = self._tables.dated(dict(zip(layout.fields, values, strict=True)))
            one = user_of(row, password_hash or "") if is_asked(row) else None
            users += [] if one is None else [one]
        if len(users) > 1:  # which of two passwords is the one nobody can tell
            logger.error("the user %s has several passwords", users[0].id)
        return users[0] if len(users) == 1 else None

    async def _update_hash(
        self,
        connection: AsyncConnection,
        layout: Layout,
        user: User,
        password_hash: str,
    ) -> bool:
        account = layout.account
        stored = account.column("password")
        is_unchanged = stored == user.password_hash
        if not user.password_hash:
            is_unchanged = is_unchanged | stored.is_(None)
        is_theirs = self._is_credential(account, key_in(layout, user.id), user.id)
        values = {"password": password_hash, "updatedAt": utc_now()}
        statement = (
            update(account.clause)
            .where(is_theirs, is_unchanged)
            .values(account.row(values))
        )
        return (await connection.execute(statement)).rowcount == 1

    async def _add_hash(
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
        is_theirs = self._is_credential(account, key_in(layout, user.id), user.id)
        found = await connection.execute(
            select(account.column("providerId")).where(is_theirs)
        )
        if found.first() is not None:
            return False
        row = credentials_of(layout, user.id, password_hash)
        await insert_row(connection, account, row)
        return True
