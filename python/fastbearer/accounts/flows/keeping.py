"""What not every store of users keeps."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastbearer.accounts.flows.errors import InvalidUserError
from fastbearer.accounts.models import User
from fastbearer.accounts.stores.checked import CheckedUserStore
from fastbearer.errors import ConfigurationError

__all__ = ["check_keeps_roles", "check_kept", "keep"]

USUAL: dict[str, object] = {"roles": [], "is_active": True}
NOT_KEPT = "the store of users does not keep {}: add a column for it, or leave it out"


def check_keeps_roles(store: CheckedUserStore, roles: Sequence[str]) -> None:
    """Make sure that a store keeps roles, as far as can be told beforehand.

    Raises:
        ConfigurationError: There is no place for them.
        InvalidUserError: There is none for these.
    """
    store.require("change", "roles")
    if store.lacks("roles"):
        raise ConfigurationError(NOT_KEPT.format("roles"))
    try:
        store.check_roles(roles)
    except ConfigurationError as error:
        raise InvalidUserError(str(error), ("roles",)) from None


async def keep(user: User, store: CheckedUserStore) -> None:
    """Add a user with roles, a verified e-mail or no activity; wholly or not at all.

    What the store has kept is read again, for a user without the roles that were
    promised, or an active one who was to be none, is worse than no user.

    Args:
        user: With the hash.
        store: Where to.

    Raises:
        ConfigurationError: The store does not keep them.
        EmailTakenError: As in `UserStore.add`, like its other errors.
    """
    roles, is_active, is_verified = user.roles, user.is_active, user.email_verified
    asked = {"roles": list(roles), "is_active": is_active}
    await store.add(user)
    try:
        if is_verified:
            await store.verify_email(user)
            user.email_verified = True
        if asked != USUAL:
            check_kept(await store.everybody.find(user.id), asked)
    except BaseException:
        await store.remove(user)
        raise
    user.roles, user.is_active = list(roles), is_active


def check_kept(user: User | None, asked: Mapping[str, Any]) -> None:
    """Make sure that a store has kept what it was given.

    Args:
        user: As the store has them now.
        asked: Field -> value.

    Raises:
        ConfigurationError: Something was lost.
    """
    fields = [name for name in USUAL if name in asked]
    lost = [name for name in fields if getattr(user, name, None) != asked[name]]
    if lost:
        raise ConfigurationError(NOT_KEPT.format(" and ".join(lost)))
