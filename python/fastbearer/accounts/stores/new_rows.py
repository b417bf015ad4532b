"""New rows of a project's model: what they have, and how they are made."""

import inspect
from collections.abc import Mapping
from typing import Any

from sqlmodel import SQLModel

from fastbearer.accounts.models import User
from fastbearer.accounts.names import NAMES
from fastbearer.accounts.stores.mapping import UserMapping

__all__ = ["accepted", "make_row", "new_values"]


def new_values(fields: UserMapping, user: User, *, leaves_out: bool) -> dict[str, Any]:
    """Return field -> value of a new user's row.

    Args:
        fields: The model's.
        user: Who is new.
        leaves_out: Whether what was given and the model does not have is left out: a
            function of the project's own may want it for something else.
    """
    unknown = fields.unknown(user.given) if leaves_out else ()
    values: dict[str, Any] = {
        "password_hash": user.password_hash,
        **{name: user.called(name) for name in NAMES if user.called(name)},
        **{name: one for name, one in user.given.items() if name not in unknown},
    }
    if fields.keeps("name") and (user.name is not None or _needs_name(fields)):
        values["name"] = user.name or ""
    # Else the model's own defaults are to hold.
    if user.email_verified and fields.keeps("email_verified"):
        values["email_verified"] = True
    if user.roles:
        values["roles"] = user.roles
    if not user.is_active:
        values["is_active"] = False
    return values


def _needs_name(fields: UserMapping) -> bool:
    column = fields.column("name")
    return column is not None and not (
        column.nullable or column.default or column.server_default
    )


def make_row(model: Any, values: Mapping[str, Any]) -> Any:
    """Return a new row: what its class does not take for arguments is set after."""
    names = accepted(model, values)
    row = model(**{name: values[name] for name in names})
    for name, value in values.items():
        if name not in names:
            setattr(row, name, value)
    return row


def accepted(model: Any, names: Mapping[str, Any]) -> set[str]:
    """Return which attributes a class takes as arguments."""
    if issubclass(model, SQLModel):
        return set(names)  # its signature has the aliases
    parameters = inspect.signature(model).parameters.values()
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        return set(names)
    positional = {one.name for one in parameters if one.kind is not one.POSITIONAL_ONLY}
    return positional.intersection(names)
