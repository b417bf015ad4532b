"""Users in the tables of a Better Auth server: people sign in at either side."""

import logging
import secrets
import string
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, String, and_, cast, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from fastbearer import PasswordHash, _core
from fastbearer.accounts.models import User, utc_now
from fastbearer.accounts.sqlmodel_store import key_of
from fastbearer.accounts.store import EmailTakenError
from fastbearer.better_auth.passwords import SCHEME, BetterAuthHash
from fastbearer.better_auth.stored import BAN_FIELDS, cleaned, is_banned
from fastbearer.better_auth.tables import Table, Tables
from fastbearer.errors import ConfigurationError
from fastbearer.sql import Connections

__all__ = ["BetterAuthUserStore"]

CREDENTIAL = "credential"
LETTERS = string.ascii_letters + string.digits
ID_CHARACTERS = 32

FIELDS = ("id", "email", "name", "emailVerified")
OTHER_HASH = (
    "Better Auth could not verify this password hash: leave out hasher, or say"
    " upgrade_hashes=True"
)

logger = logging.getLogger("fastbearer")


class Layout(NamedTuple):
    """The two tables, and the fields of the user that are read."""

    user: Table
    account: Table
    fields: tuple[str, ...]


class BetterAuthUserStore:
    """Users in Better Auth's tables ``user`` and ``account``.

    A password is that of the user's account of the provider "credential". Users who
    have none, having signed up with GitHub say, and those whom the plugin ``admin()``
    has banned cannot sign in.

    Args:
        url: SQLAlchemy's, as in `SQLSessions`.
        tables: What the tables are called.
        upgrade_hashes: False: hashes are made as Better Auth makes them, and stay.
            True: they are those of ``PASSWORD_SCHEME``, or of the accounts' hasher,
            and others are replaced when their users sign in. Better Auth then
            verifies them only with ``emailAndPassword.password`` of its own.

    Attributes:
        hasher: What the accounts hash with, unless they are given another; None for
            that of ``PASSWORD_SCHEME``.

    Raises:
        ConfigurationError: The URL is unfit.
    """

    def __init__(
        self, url: str, *, tables: Tables | None = None, upgrade_hashes: bool = False
    ) -> None:
        self.hasher: PasswordHash | None = None if upgrade_hashes else BetterAuthHash()
        self._connections = Connections(url, can_write=True)
        self._tables = Tables() if tables is None else tables
        self._layout: Layout | None = None

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
        self._check_hash(user.password_hash)
        layout = await self._looked_at()
        try:
            async with self._connections.writing() as connection:
                user.id = await _insert(connection, layout.user, self.new_row(user))
                row = _credentials(layout, user)
                await _insert(connection, layout.account, row)
        except IntegrityError:
            if not await self._is_taken(user.email):
                raise
            raise EmailTakenError("this e-mail is registered already") from None

    async def find_by_email(self, email: str) -> User | None:
        """As in `UserStore`; who has no password is as good as unknown."""
        layout = await self._looked_at()
        found = await self._find(layout, layout.user.column("email") == email)
        return found if found is not None and found.password_hash else None

    async def find(self, user_id: str) -> User | None:
        """As in `UserStore`; who has no password has an empty hash."""
        layout = await self._looked_at()
        key = key_of(user_id, layout.user.kind("id"))
        if key is None:
            return None
        return await self._find(layout, layout.user.column("id") == key)

    async def replace_password_hash(self, user: User, password_hash: str) -> bool:
        """As in `UserStore`."""
        self._check_hash(password_hash)
        layout = await self._looked_at()
        values = {"password": password_hash, "updatedAt": utc_now()}
        statement = (
            update(layout.account.clause)
            .where(
                layout.account.column("userId") == _key(layout, user),
                layout.account.column("providerId") == CREDENTIAL,
                layout.account.column("accountId") == user.id,
                layout.account.column("password") == user.password_hash,
            )
            .values(layout.account.row(values))
        )
        async with self._connections.writing() as connection:
            return (await connection.execute(statement)).rowcount == 1

    async def verify_email(self, user: User) -> None:
        """As in `UserStore`."""
        layout = await self._looked_at()
        values = {"emailVerified": True, "updatedAt": utc_now()}
        statement = (
            update(layout.user.clause)
            .where(layout.user.column("id") == _key(layout, user))
            .values(layout.user.row(values))
        )
        async with self._connections.writing() as connection:
            await connection.execute(statement)

    async def remove(self, user: User) -> None:
        """As in `UserStore`; the tables' own rules take the user's sessions along."""
        layout = await self._looked_at()
        key = _key(layout, user)
        async with self._connections.writing() as connection:
            for table, field in ((layout.account, "userId"), (layout.user, "id")):
                is_theirs = table.column(field) == key
                await connection.execute(delete(table.clause).where(is_theirs))

    async def aclose(self) -> None:
        """Close the connections; they open again when needed."""
        await self._connections.aclose()

    def _check_hash(self, password_hash: str) -> None:
        if self.hasher is not None and _core.password_scheme(password_hash) != SCHEME:
            raise ConfigurationError(OTHER_HASH)

    async def _is_taken(self, email: str) -> bool:
        layout = await self._looked_at()
        column = layout.user.column("email")
        async with self._connections.reading() as connection:
            rows = await connection.execute(select(column).where(column == email))
            return rows.first() is not None

    async def _looked_at(self) -> Layout:
        if self._layout is None:
            async with self._connections.reading() as connection:
                user = await self._tables.look_at(connection, "user")
                account = await self._tables.look_at(connection, "account")
            bans = (field for field in BAN_FIELDS if user.has(field))
            self._layout = Layout(user, account, (*FIELDS, *bans))
        return self._layout

    async def _find(
        self, layout: Layout, is_theirs: ColumnElement[bool]
    ) -> User | None:
        """Return the one user of whom something is true, unless they are banned."""
        user, account = layout.user, layout.account
        their_account = and_(
            account.column("userId") == user.column("id"),
            account.column("providerId") == CREDENTIAL,
            account.column("accountId") == cast(user.column("id"), String),
        )
        columns = [user.column(field) for field in layout.fields]
        query = (
            select(*columns, account.column("password"))
            .join_from(user.clause, account.clause, their_account, isouter=True)
            .where(is_theirs)
            .limit(2)
        )
        async with self._connections.reading() as connection:
            rows = (await connection.execute(query)).all()
        if len(rows) != 1:  # of two passwords nobody can tell which is the one
            return None
        *values, password_hash = rows[0]
        return _user(dict(zip(layout.fields, values, strict=True)), password_hash or "")


def _user(row: dict[str, Any], password_hash: str) -> User | None:
    try:
        if is_banned(row, utc_now().timestamp()):
            return None
        shown = cleaned(row, FIELDS)
    except ValueError as error:
        logger.error("a user cannot be read: %s", error)
        return None
    return User(
        id=shown["id"],
        email=shown["email"],
        name=shown["name"] or None,
        password_hash=password_hash,
        email_verified=bool(shown["emailVerified"]),
    )


async def _insert(
    connection: AsyncConnection, table: Table, values: dict[str, Any]
) -> str:
    """Insert a row, and return its id: of the kind that the table keeps."""
    column, kind = table.column("id"), table.kind("id")
    if kind is not int:  # numbers are the database's to give
        values = {"id": uuid4() if kind is UUID else _new_id(), **values}
    statement = insert(table.clause).values(table.row(values)).returning(column)
    return str((await connection.execute(statement)).scalar_one())


def _credentials(layout: Layout, user: User) -> dict[str, Any]:
    """Return field -> value of the account with a user's password."""
    return {
        "userId": _key(layout, user),
        "accountId": user.id,
        "providerId": CREDENTIAL,
        "password": user.password_hash,
        "createdAt": user.created_at,
        "updatedAt": user.updated_at,
    }


def _key(layout: Layout, user: User) -> Any:
    return key_of(user.id, layout.user.kind("id"))


def _new_id() -> str:
    """Return an id like those of Better Auth (``generateId``)."""
    return "".join(secrets.choice(LETTERS) for _ in range(ID_CHARACTERS))
