"""Better Auth's tables, as accounts need them, and what of them can be relied on."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import AsyncConnection

from fastbearer.accounts.names import Name
from fastbearer.accounts.stores.keys import check_table
from fastbearer.better_auth.fields import BAN_FIELDS
from fastbearer.better_auth.tables import Table, Tables
from fastbearer.errors import ConfigurationError

__all__ = [
    "BETTER_AUTH_NAMES",
    "ROLE",
    "SECOND_FACTOR",
    "USER_FIELDS",
    "Layout",
    "look_at",
]

USER_FIELDS = ("id", "email", "name", "emailVerified")
SECOND_FACTOR = "twoFactorEnabled"
"""That of the plugin ``twoFactor()``."""

BETTER_AUTH_NAMES: dict[Name, str] = {
    "email": "email",
    "username": "username",
    "phone": "phoneNumber",
}
"""Where a user's names are: the latter two are of plugins, ``username()`` and
``phoneNumber()``."""

ROLE = "role"
"""That of the plugin ``admin()``."""

WRITTEN_USER_FIELDS = ("createdAt", "updatedAt")
ACCOUNT_FIELDS = ("userId", "accountId", "providerId", "password", *WRITTEN_USER_FIELDS)

NOT_UNIQUE = (
    "two users could have one e-mail: the column {!r} of the table {!r} needs a"
    " unique constraint"
)


class Layout(NamedTuple):
    """The tables; sessions may be elsewhere. And the fields that are read of a user."""

    user: Table
    account: Table
    session: Table | None
    fields: tuple[str, ...]


async def look_at(connection: AsyncConnection, tables: Tables) -> Layout:
    """Return the tables as they are in the database.

    Raises:
        ConfigurationError: One is not there, or has not what is needed.
    """
    user = await tables.look_at(connection, "user")
    account = await tables.look_at(connection, "account")
    for field in (*USER_FIELDS, *WRITTEN_USER_FIELDS):
        user.column(field)
    for field in ACCOUNT_FIELDS:
        account.column(field)
    await connection.run_sync(_check_unique, tables)
    if user.kind("id") is int:
        name, schema = tables.table("user"), tables.schema
        await connection.run_sync(check_table, name, schema)
    plugins = (field for field in (*BAN_FIELDS, SECOND_FACTOR) if user.has(field))
    session = await _session_table(connection, tables)
    names = (one for one in BETTER_AUTH_NAMES.values() if one not in USER_FIELDS)
    more = (field for field in (*names, ROLE) if _has_exactly(user, field))
    return Layout(user, account, session, (*USER_FIELDS, *plugins, *more))


def _has_exactly(user: Table, field: str) -> bool:
    """Tell whether there is a column for a field; one that is like it is another."""
    try:
        return user.has(field)
    except ConfigurationError:
        return False


async def _session_table(connection: AsyncConnection, tables: Tables) -> Table | None:
    """Return the table of sessions; a server that keeps them in Redis has none."""
    try:
        return await tables.look_at(connection, "session")
    except ConfigurationError:
        return None


def _check_unique(connection: Connection, tables: Tables) -> None:
    name, email = tables.table("user"), tables.column("user", "email")
    indexes = inspect(connection).get_indexes(
        name, tables.schema, include_auto_indexes=True
    )
    unique = (index for index in indexes if index["unique"])
    if not any(_is_of_alone(index, email) for index in unique):
        raise ConfigurationError(NOT_UNIQUE.format(email, name))


def _is_of_alone(index: Mapping[str, Any], column: str) -> bool:
    """Tell whether an index is of one column, or of it in lower case, in every row."""
    options = index.get("dialect_options", {})
    if len(index["column_names"]) != 1 or any(
        options.get(f"{dialect}_where") is not None
        for dialect in ("sqlite", "postgresql")
    ):
        return False
    if index["column_names"] == [column]:
        return True
    # PostgreSQL writes lower(email), lower((email)::text), lower(("eMail")::text).
    expressions = [
        re.sub(r'[()"]|::\w+', "", one) for one in index.get("expressions", [])
    ]
    return expressions == [f"lower{column}"]
