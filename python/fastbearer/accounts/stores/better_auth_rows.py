"""Rows of Better Auth's tables, as accounts read and write them."""

import logging
import secrets
import string
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from fastbearer.accounts.emails import is_same_email
from fastbearer.accounts.models import User
from fastbearer.accounts.names import Name, recorded_name
from fastbearer.accounts.records import utc_now
from fastbearer.accounts.stores.better_auth_layout import (
    BETTER_AUTH_NAMES,
    ROLE,
    SECOND_FACTOR,
    USER_FIELDS,
    Layout,
)
from fastbearer.accounts.stores.ids import comparable, key_of
from fastbearer.better_auth.fields import cleaned, is_banned
from fastbearer.better_auth.tables import Table
from fastbearer.errors import ConfigurationError

__all__ = [
    "CREDENTIAL",
    "credentials_of",
    "insert_row",
    "is_called",
    "key_in",
    "update_user",
    "user_of",
    "written",
]

CREDENTIAL = "credential"
LETTERS = string.ascii_letters + string.digits
ID_CHARACTERS = 32

VERIFIED_PHONE = "phoneNumberVerified"
PLUGINS = {
    "banned": "admin()",
    ROLE: "admin()",
    "username": "username()",
    "phoneNumber": "phoneNumber()",
}
NO_PLUGIN = (
    "Better Auth's table of users has no column {{field}}, which its plugin {} adds"
)
NO_COLUMN = (
    "Better Auth's table of users has no column {field}: add it (additionalFields), or"
    " leave it out of the schema"
)

logger: logging.Logger = logging.getLogger("fastbearer")


def user_of(row: dict[str, Any], password_hash: str) -> User | None:
    """Return the user of a row, unless it cannot be read; the banned are not active."""
    try:
        is_active = not is_banned(row, utc_now().timestamp())
        shown = cleaned(row, USER_FIELDS)
    except ValueError as error:
        logger.error("a user cannot be read: %s", error)
        return None
    return User(
        id=shown["id"],
        email=shown["email"] or "",
        username=_name_of(row, "username"),
        phone=_name_of(row, "phone"),
        name=shown["name"] or None,
        # What is not asked for here must not be what the password gets around.
        password_hash="" if row.get(SECOND_FACTOR) else password_hash,
        email_verified=bool(shown["emailVerified"]),
        is_active=is_active,
        roles=_roles_of(row),
    )


def is_called(row: Mapping[str, Any], name: Name, value: str) -> bool:
    """Tell whether a name of a user is the one that was asked for."""
    if name == "email":
        return is_same_email(row["email"], value)
    return _name_of(row, name) == value


def _name_of(row: Mapping[str, Any], name: Name) -> str | None:
    value = row.get(BETTER_AUTH_NAMES[name])
    return recorded_name(name, value) if isinstance(value, str) else None


def _roles_of(row: Mapping[str, Any]) -> list[str]:
    """Return the roles, which the plugin ``admin()`` keeps with commas between."""
    role = row.get(ROLE)
    return role.replace(",", " ").split() if isinstance(role, str) else []


def written(layout: Layout, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return Better Auth's field -> value, as its server would write them.

    Args:
        layout: Of the tables.
        values: Field of `User`, or another of Better Auth's -> value.

    Raises:
        ConfigurationError: Something needs a plugin whose columns are not there.
    """
    found: dict[str, Any] = {}
    for field, value in values.items():
        found |= _written(field, value)
    for optional in ("banReason", "banExpires", "displayUsername", VERIFIED_PHONE):
        if optional in found and not layout.user.has(optional):
            del found[optional]
    for field in found:
        if not layout.user.has(field):
            plugin = PLUGINS.get(field)
            needed = NO_PLUGIN.format(plugin) if plugin else NO_COLUMN
            raise ConfigurationError(needed.format(field=field))
    return found


def _written(field: str, value: Any) -> dict[str, Any]:
    if field == "is_active":
        return {"banned": not value, "banReason": None, "banExpires": None}
    if field == "roles":
        return {ROLE: ",".join(value)}
    if field == "name":
        return {"name": value or ""}
    if field == "email_verified":
        return {"emailVerified": value}
    if field == "username":
        return {"username": value, "displayUsername": value}
    if field == "phone":
        return {BETTER_AUTH_NAMES["phone"]: value, VERIFIED_PHONE: False}
    return {field: value}


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
