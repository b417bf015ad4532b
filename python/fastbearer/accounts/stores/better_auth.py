"""Users in the tables of a Better Auth server: people sign in at either side."""

import logging
import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import (
    delete,
    literal,
    select,
)
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from fastbearer import PasswordHash, _core
from fastbearer.accounts.models import User
from fastbearer.accounts.names import NAMES, Name
from fastbearer.accounts.stores.better_auth_checks import TableChecks
from fastbearer.accounts.stores.better_auth_layout import (
    BETTER_AUTH_NAMES,
    Layout,
    look_at,
)
from fastbearer.accounts.stores.better_auth_passwords import PasswordAccounts
from fastbearer.accounts.stores.better_auth_queries import UserRows
from fastbearer.accounts.stores.better_auth_rows import (
    credentials_of,
    insert_row,
    key_in,
    update_user,
    written,
)
from fastbearer.accounts.stores.own_fields import check_own_fields
from fastbearer.accounts.stores.protocol import (
    InvalidEmailError,
    UserInUseError,
    taken,
)
from fastbearer.better_auth.passwords import SCHEME, BetterAuthHash, password_length
from fastbearer.better_auth.tables import DATABASE, Tables
from fastbearer.connections.reasons import reason_of, refuse_unopened
from fastbearer.connections.sql import Connections
from fastbearer.errors import ConfigurationError, StoreUnavailableError

__all__ = ["BetterAuthUserStore"]

MORE_NAMES: tuple[Name, ...] = ("username", "phone")
OWN_FIELDS = ("password", "name", *NAMES)

EMAIL = re.compile(
    r"[A-Za-z0-9_'+-]+(\.[A-Za-z0-9_'+-]+)*(?<!')"
    r"@([A-Za-z0-9][A-Za-z0-9-]*\.)+[A-Za-z]{2,}"
)
"""What the server takes for an e-mail: zod's pattern, without its backtracking."""

OTHER_HASH = (
    "Better Auth could not verify this password hash: leave out hasher, or say"
    " upgrade_hashes=True"
)
SUBJECT = "Better Auth's database"
UNREADABLE = (
    "Better Auth's tables user and account cannot be read ({}): see that the URL names"
    " its database, and that the server's migrations have been run"
)
NOT_TAKEN = (
    "Better Auth's tables do not take the row of a new user; for a column that must"
    " have a value override new_row"
)
logger: logging.Logger = logging.getLogger("fastbearer")


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
        self._passwords = PasswordAccounts(any_account_id=any_account_id)
        self._rows = UserRows(self._connections, self._tables, self._passwords)
        self._layout: Layout | None = None

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Look at the tables, and close the connections in the end.

        Raises:
            ConfigurationError: The database cannot be reached, or lacks the tables
                or columns that are needed. The message shows no part of the URL.
        """
        try:
            await self._check()
            yield
        finally:
            await self.aclose()

    async def check_fields(self, fields: Collection[str]) -> None:
        """Check the table of users against what sign-up gives.

        Args:
            fields: ``email``, ``password`` and the others.

        Raises:
            ConfigurationError: A field has no column, or a column that must have a
                value gets none, or two users could have one user name; or there is no
                e-mail.
        """
        check_own_fields(fields, "Better Auth's table of users", known=fields)
        layout = await self._looked_at()
        values = self._sample(fields)
        if values is not None:
            await self._inspect(
                TableChecks(self._tables, layout).check_fields, written(layout, values)
            )

    def _sample(self, fields: Collection[str]) -> dict[str, Any] | None:
        """Return what the row of a new user would have, or None if unknown."""
        user = User(email="", password_hash="")
        user.give({field: "" for field in fields if field not in OWN_FIELDS})
        try:
            return {
                **self.new_row(user),
                **{name: "" for name in MORE_NAMES if name in fields},
            }
        except ConfigurationError:
            raise
        except Exception:  # a new_row of the project's own that takes no empty texts
            return None

    async def _inspect(self, check: Callable[..., None], *what: Any) -> None:
        async with self._connections.reading() as connection:
            await connection.run_sync(check, *what)

    async def check_hash_length(self, length: int) -> None:
        """As in `SQLAlchemyUserStore`."""
        checks = TableChecks(self._tables, await self._looked_at())
        await self._inspect(checks.check_hash_length, length)

    def new_row(self, user: User) -> dict[str, Any]:
        """Return field -> value of a new user's row; override it for more fields.

        What was given beside ours are fields of Better Auth's: ``additionalFields``.
        """
        return {
            "name": user.name or "",
            "email": user.email,
            "emailVerified": bool(user.email_verified),
            "createdAt": user.created_at,
            "updatedAt": user.updated_at,
            **{name: user.called(name) for name in MORE_NAMES if user.called(name)},
            **({"roles": user.roles} if user.roles else {}),
            **({} if user.is_active else {"is_active": False}),
            **user.given,
        }

    async def add(self, user: User) -> None:
        """As in `UserStore`; the user's id becomes that of the row.

        The unique constraint that Better Auth's migration makes decides. Without a hash
        the user has no account of the provider "credential" yet.

        Raises:
            EmailTakenError: A user has the e-mail.
            NameTakenError: A user has the user name or the phone number.
            InvalidEmailError: Better Auth would not take the e-mail.
            ConfigurationError: The tables do not take the row, or are not fit for use;
                or Better Auth could not verify the hash.
            StoreUnavailableError: The database cannot be reached, or is too busy.
        """
        async with self._adding(user) as connection:
            user.id = await self._insert(connection, user)

    async def rehearse(self, user: User) -> None:
        """As in `RehearsingUserStore`; it raises what `add` does."""
        async with self._adding(user) as connection:
            savepoint = await connection.begin_nested()
            await self._insert(connection, user)
            await savepoint.rollback()

    async def _insert(self, connection: AsyncConnection, user: User) -> str:
        """Insert the rows of a new user, and return the id that they get."""
        layout = await self._looked_at()
        values = written(layout, self.new_row(user))
        user_id = await insert_row(connection, layout.user, values)
        if user.password_hash:
            row = credentials_of(layout, user_id, user.password_hash)
            await insert_row(connection, layout.account, row)
        return user_id

    @asynccontextmanager
    async def _adding(self, user: User) -> AsyncIterator[AsyncConnection]:
        """Give a connection for the rows of a new user; say what the tables mind."""
        _check_email(user.email)
        if user.password_hash:
            self._check_hash(user.password_hash)
        await self._looked_at()
        try:
            async with self._connections.writing() as connection:
                yield connection
        except IntegrityError:
            await self._raise_taken({name: user.called(name) for name in NAMES})
            # Not to be shown: PostgreSQL's says what was in the row.
            raise ConfigurationError(NOT_TAKEN) from None

    async def find_by_email(self, email: str) -> User | None:
        """As in `UserStore`; who cannot sign in with one has an empty hash."""
        return await self.find_by("email", email)

    async def find_by(self, name: Name, value: str) -> User | None:
        """As in `NamedUserStore`, with the names that the server's plugins keep."""
        layout = await self._looked_at()
        if BETTER_AUTH_NAMES[name] not in layout.fields:
            return None
        return await self._rows.find(layout, name, value)

    async def find(self, user_id: str) -> User | None:
        """As in `UserStore`; who cannot sign in with one has an empty hash."""
        return await self._rows.find_id(await self._looked_at(), user_id)

    async def replace_password_hash(self, user: User, password_hash: str) -> bool:
        """As in `UserStore`; who has no password gets their first.

        For that Better Auth, too, asks only for a code that was sent to the e-mail.
        """
        self._check_hash(password_hash)
        layout = await self._looked_at()
        async with self._connections.writing() as connection:
            passwords = self._passwords
            if await passwords.update(connection, layout, user, password_hash):
                return True
            if user.password_hash:
                return False
            return await passwords.add(connection, layout, user, password_hash)

    async def verify_email(self, user: User) -> None:
        """As in `UserStore`."""
        layout = await self._looked_at()
        async with self._connections.writing() as connection:
            row = written(layout, {"email_verified": True})
            is_same = layout.user.column("email") == user.address
            await update_user(connection, layout, user, is_same, **row)

    async def change(self, user: User, values: Mapping[str, Any]) -> bool:
        """As in `WritableUserStore`; who is not active is banned, and so signed out.

        Raises:
            ConfigurationError: Something needs a plugin whose columns are not there.
        """
        if "email" in values:
            _check_email(values["email"])
        layout = await self._looked_at()
        row = written(layout, values)
        is_same = layout.user.column("email") == user.address
        try:
            async with self._connections.writing() as connection:
                if not await self._passwords.is_unchanged(connection, layout, user):
                    return False
                changed = await update_user(connection, layout, user, is_same, **row)
                if changed and values.get("is_active") is False:
                    await _end_sessions(connection, layout, user)
                return changed
        except IntegrityError:
            await self._raise_taken(values, user.id)
            raise

    async def list_users(self, after: str | None, limit: int) -> Sequence[User]:
        """As in `ListingUserStore`; who has several passwords is shown with none."""
        return await self._rows.page(await self._looked_at(), after, limit)

    async def remove(self, user: User) -> bool:
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
                if not await self._passwords.is_unchanged(connection, layout, user):
                    return await self._rows.is_gone(connection, layout, user)
                for table, field in owned:
                    is_theirs = table.column(field) == key
                    await connection.execute(delete(table.clause).where(is_theirs))
                return True
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
        except (StoreUnavailableError, SQLAlchemyError) as error:
            is_store = isinstance(error, StoreUnavailableError)
            if is_store or reason_of(error) is not None:
                refuse_unopened(error, SUBJECT)
            # Without values: SQLite's texts have names alone, and others are hidden.
            told = getattr(error, "orig", None) or type(error).__name__
            raise ConfigurationError(UNREADABLE.format(told)) from None

    def _check_hash(self, password_hash: str) -> None:
        if self.hasher is not None and _core.password_scheme(password_hash) != SCHEME:
            raise ConfigurationError(OTHER_HASH)

    async def _raise_taken(
        self, values: Mapping[str, Any], owner: str | None = None
    ) -> None:
        """Raise the error that says which of the names somebody else has, if any.

        Args:
            values: Field -> value.
            owner: Whose names they are to be.
        """
        layout = await self._looked_at()
        for name in NAMES:
            value = values.get(name)
            if value is None or BETTER_AUTH_NAMES[name] not in layout.fields:
                continue
            owners = await self._rows.owners(layout, name, value)
            if any(one != owner for one in owners):
                raise taken(name) from None

    async def _looked_at(self) -> Layout:
        if self._layout is None:
            async with self._connections.reading() as connection:
                self._layout = await look_at(connection, self._tables)
        return self._layout


def _check_email(email: str) -> None:
    if EMAIL.fullmatch(email) is None:
        raise InvalidEmailError("Better Auth would not take this e-mail")


async def _end_sessions(
    connection: AsyncConnection, layout: Layout, user: User
) -> None:
    """Delete a user's sessions, as the server does when it bans somebody."""
    if layout.session is not None:
        is_theirs = layout.session.column("userId") == key_in(layout, user.id)
        await connection.execute(delete(layout.session.clause).where(is_theirs))
