"""A user as fastapi-users shows one."""

from typing import Any, TypeVar

from pydantic import BaseModel

from fastbearer.accounts.models import User
from fastbearer.accounts.shown import fitted, logged

__all__ = ["SUPERUSER", "SeenUser", "is_superuser", "seen", "superuser_values"]

SUPERUSER = "superuser"
"""The role of superusers, where their row has no ``is_superuser``."""

Model = TypeVar("Model", bound=BaseModel)


class SeenUser:
    """The attributes of a user's row, and what fastapi-users calls the others.

    Args:
        user: From a store.
    """

    def __init__(self, user: User) -> None:
        self._row = user.row
        self._others = {
            "id": user.id,
            "email": user.address,
            "is_active": user.is_active,
            "is_superuser": SUPERUSER in user.roles,
            "is_verified": user.email_verified,
        }

    def __getattr__(self, name: str) -> Any:
        """Return what the row has, else what the user has.

        Raises:
            AttributeError: Neither has it.
        """
        row = object.__getattribute__(self, "_row")
        others = object.__getattribute__(self, "_others")
        if name in others and not hasattr(row, name):
            return others[name]
        return getattr(row, name)


def seen(user: User, schema: type[Model]) -> Model:
    """Return what is shown of a user.

    Raises:
        NotShownError: The row does not fit; the error shows no value of it.
    """
    with logged(user):
        return fitted(SeenUser(user), schema)


def is_superuser(user: User) -> bool:
    """Tell whether a user may do everything with other users."""
    return SeenUser(user).is_superuser is True


def superuser_values(user: User, is_one: bool) -> dict[str, Any]:
    """Return what to write so that a user is a superuser, or is none."""
    if hasattr(user.row, "is_superuser"):
        return {"is_superuser": is_one}
    others = [role for role in user.roles if role != SUPERUSER]
    return {"roles": [*others, SUPERUSER] if is_one else others}
