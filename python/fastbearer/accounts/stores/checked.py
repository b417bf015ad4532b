"""Any store of users, whose answers are not taken on trust."""

from collections.abc import Awaitable
from typing import TypeVar

from fastbearer import PasswordHash
from fastbearer.accounts.emails import is_same_email, recorded_form
from fastbearer.accounts.models import User
from fastbearer.accounts.stores.protocol import UserStore
from fastbearer.connections.values import hide_values, shows
from fastbearer.errors import FastbearerError

__all__ = ["CheckedUserStore"]

T = TypeVar("T")


class CheckedUserStore:
    """What all of the accounts ask for users.

    A user whom the store returns is the one that was asked for only if e-mail or
    id agree here, whatever the database holds to be equal. Errors of a database
    come without the values that were to be stored.

    Args:
        store: The store itself.
    """

    def __init__(self, store: UserStore) -> None:
        self._store = store

    @property
    def hasher(self) -> PasswordHash | None:
        """The store's own hasher, or None for that of ``PASSWORD_SCHEME``."""
        return getattr(self._store, "hasher", None)

    async def add(self, user: User) -> None:
        """As in `UserStore`."""
        await _quietly(self._store.add(user), user.password_hash, user.email)

    async def find_by_email(self, email: str) -> User | None:
        """As in `UserStore`; nobody where the user's e-mail is another."""
        user = await _quietly(self._store.find_by_email(email), email)
        if user is None or not is_same_email(user.email, email):
            return None
        return _in_one_form(user)

    async def find(self, user_id: str) -> User | None:
        """As in `UserStore`; nobody where the user's id is another."""
        user = await _quietly(self._store.find(user_id))
        return None if user is None or user.id != user_id else _in_one_form(user)

    async def replace_password_hash(self, user: User, password_hash: str) -> bool:
        """As in `UserStore`."""
        replaced = self._store.replace_password_hash(user, password_hash)
        return await _quietly(replaced, user.password_hash, password_hash)

    async def verify_email(self, user: User) -> None:
        """As in `UserStore`."""
        await _quietly(self._store.verify_email(user), user.password_hash)

    async def remove(self, user: User) -> None:
        """As in `UserStore`."""
        await _quietly(self._store.remove(user), user.password_hash)


async def _quietly(work: Awaitable[T], *values: str) -> T:
    """Do what a store is asked for; an error that leaves it shows no values."""
    try:
        return await work
    except Exception as error:
        hide_values(error, *values)
        failure = error
        if shows(error, values):  # by a text that is not among its arguments
            failure = FastbearerError(f"the store failed: {type(error).__name__}")
    # Not above, where what is hidden would be its context.
    raise failure


def _in_one_form(user: User) -> User:
    """Return the user with the e-mail in our form; messages go to that on record."""
    form = recorded_form(user.email)
    if form != user.email:
        user.put_on_record(user.address)
        user.email = form
    return user
