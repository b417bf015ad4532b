"""Rows of Better Auth's tables, as accounts read and write them."""

import logging
import secrets
import string
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from fastbearer.accounts.models import User
from fastbearer.accounts.records import utc_now
from fastbearer.accounts.stores.better_auth_layout import (
    SECOND_FACTOR,
    USER_FIELDS,
    Layout,
)
from fastbearer.accounts.stores.ids import comparable, key_of
from fastbearer.better_auth.fields import cleaned, is_banned
from fastbearer.better_auth.tables import Table

__all__ = [
    "CREDENTIAL",
    "credentials_of",
    "insert_row",
    "key_in",
    "update_user",
    "user_of",
]

CREDENTIAL = "credential"
LETTERS = string.ascii_letters + string.digits
ID_CHARACTERS = 32

logger = logging.getLogger("fastbearer")


def user_of(row: dict[str, Any], password_hash: str) -> User | None:
    """Return the user of a row, unless they are banned or cannot be read."""
    try:
        if is_banned(row, utc_now().timestamp()):
            return None
        shown = cleaned(row, USER_FIELDS)
    except ValueError as error:
        logger.error("a user cannot be read: %s", error)
        return None
    return User(
        id=shown["id"],
        email=shown["email"] or "",
        name=shown["name"] or None,
        # What is not asked for here must not be what the password gets around.
        password_hash="" if row.get(SECOND_FACTOR) else password_hash,
        email_verified=bool(shown["emailVerified"]),
    )


def credentials_of(layout: Layout, user_id: str, password_hash: str) -> dict[str, Any]:
    """Return field -> value of the account with a user's password."""
    now = utc_now()
    return {
        "userId": key_of(user_id, layout.user.kind("id")),
        "accountId": user_id,
        "providerId": CREDENTIAL,
        "password": password_hash,
        "createdAt": now,
        "updatedAt": now,
    }


def key_in(layout: Layout, user_id: str) -> Any:
    """Return an id to compare with, or None where it cannot be one."""
    return comparable(key_of(user_id, layout.user.kind("id")))


async def insert_row(
    connection: AsyncConnection, table: Table, values: dict[str, Any]
) -> str:
    """Insert a row, and return its id: of the kind that the table keeps."""
    column, kind = table.column("id"), table.kind("id")
    if kind is not int:  # numbers are the database's to give
        values = {"id": uuid4() if kind is UUID else _new_id(), **values}
    statement = insert(table.clause).values(table.row(values)).returning(column)
    return str((await connection.execute(statement)).scalar_one())


async def update_user(
    connection: AsyncConnection,
    layout: Layout,
    user: User,
    *only_if: ColumnElement[bool],
    **values: Any,
) -> bool:
    """Update a user's row, and tell whether it is there."""
    row = layout.user.row({**values, "updatedAt": utc_now()})
    is_theirs = layout.user.column("id") == key_in(layout, user.id)
    statement = update(layout.user.clause).where(is_theirs, *only_if).values(row)
    return (await connection.execute(statement)).rowcount == 1


def _new_id() -> str:
    """Return an id like those of Better Auth (``generateId``)."""
    return "".join(secrets.choice(LETTERS) for _ in range(ID_CHARACTERS))
