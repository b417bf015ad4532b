"""Any store of users, whose answers are not taken on trust."""

import logging
from collections.abc import Awaitable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from fastbearer import PasswordHash
from fastbearer.accounts.database import Database
from fastbearer.accounts.emails import is_same_email, nobodys_email, recorded_form
from fastbearer.accounts.models import User
from fastbearer.accounts.names import NAMES, Name, wanted_name
from fastbearer.accounts.stores.protocol import (
    NAMES_TAKEN,
    NameTakenError,
    UnkeepableError,
    UserStore,
)
from fastbearer.connections.unfit import is_unfit
from fastbearer.connections.values import hide_values, shows
from fastbearer.errors import ConfigurationError, FastbearerError

__all__ = ["CheckedUserStore"]

LEAST_HIDDEN = 6
LACKS = "the store of users ({}) needs a method {} for {}"

UNFIT = "the database does not keep what a user is to have: %s"

logger: logging.Logger = logging.getLogger("fastbearer")

T = TypeVar("T")


class CheckedUserStore:
    """What all of the accounts ask for users.

    A user whom the store returns is the one that was asked for only if the name or
    the id agree here, whatever the database holds to be equal. Who is not active is
    as good as unknown. Errors of a database come without the values that were to be
    stored.

    Args:
        store: The store itself.
        shows_inactive: Whether those who are not active are known, too.
    """

    def __init__(self, store: UserStore, *, shows_inactive: bool = False) -> None:
        self._store: Any = store
        self._shows_inactive = shows_inactive

    @property
    def everybody(self) -> "CheckedUserStore":
        """The same store with those who are not active: for administration."""
        return CheckedUserStore(self._store, shows_inactive=True)

    @property
    def hasher(self) -> PasswordHash | None:
        """The store's own hasher, or None for that of ``PASSWORD_SCHEME``."""
        return getattr(self._store, "hasher", None)

    @property
    def attribute_names(self) -> Mapping[str, str]:
        """Field of `User` -> the attribute in which the store keeps it, if it tells."""
        names: Mapping[str, str] = getattr(self._store, "attribute_names", {})
        return names

    def password_length(self, password: str) -> int:
        """Return how long a password is for the store: in characters, as a rule."""
        length: int = getattr(self._store, "password_length", len)(password)
        return length

    def is_in(self, database: Database) -> bool:
        """Tell whether users are added in the transactions of a database of ours."""
        is_in = getattr(self._store, "is_in", None)
        return is_in is not None and bool(is_in(database))

    def can(self, method: str) -> bool:
        """Tell whether the store has a method that not every store has."""
        return callable(getattr(self._store, method, None))

    def keeps(self, field: str) -> bool:
        """Tell whether a field of a user is kept; a store need not say so."""
        return not self.can("keeps") or bool(self._store.keeps(field))

    def require(self, method: str, purpose: str) -> None:
        """Make sure that the store can do what not every store does.

        Args:
            method: Its name, of one of the protocols.
            purpose: What it is needed for, to be shown.

        Raises:
            ConfigurationError: The store lacks the method.
        """
        if not self.can(method):
            kind = type(self._store).__name__
            raise ConfigurationError(LACKS.format(kind, method, purpose))

    def lacks(self, field: str) -> bool:
        """Tell whether it is known that the store has no place for a field of users."""
        names = getattr(self._store, "attribute_names", None)
        return names is not None and field not in names

    def check_roles(self, roles: Sequence[str]) -> None:
        """Make sure that a user may have these roles, if the store can tell.

        Raises:
            ConfigurationError: They are not kept.
        """
        if self.can("check_roles") and self.keeps("roles"):
            self._store.check_roles(roles)

    async def check_hash_length(self, length: int) -> None:
        """Check that the store keeps hashes of a length, if it can tell.

        Args:
            length: In characters.

        Raises:
            ConfigurationError: The store cuts them.
        """
        check = getattr(self._store, "check_hash_length", None)
        if check is not None:
            await check(length)

    async def check_fields(self, fields: Collection[str]) -> None:
        """Check that the store keeps what sign-up gives, if it can tell.

        Args:
            fields: ``email``, ``password`` and the others.

        Raises:
            ConfigurationError: A field is not kept.
        """
        check = getattr(self._store, "check_fields", None)
        if check is not None:
            await check(fields)

    async def add(self, user: User) -> None:
        """As in `UserStore`, with every name in its one form.

        Raises:
            InvalidNameError: A name is not in order.
        """
        for name in NAMES:
            if user.called(name):
                setattr(user, name, wanted_name(name, user.called(name)))
        await _kept(self._store.add(user), *_secrets(user), user.email)

    async def rehearse(self, user: User) -> bool:
        """Judge whether a new user would be kept if nobody had their e-mail.

        Args:
            user: With every name in its one form.

        Returns:
            Whether the store can tell; if not, nothing was done.

        Raises:
            UnkeepableError: As in `UserStore.add`, like its other errors.
        """
        if not self.can("rehearse"):
            return False
        nobody = User(**{**user.model_dump(), "email": nobodys_email(user.email)})
        nobody.give(user.given)
        await _kept(self._store.rehearse(nobody), *_secrets(nobody), nobody.email)
        return True

    async def find_by_email(self, email: str) -> User | None:
        """As in `UserStore`; nobody where the user's e-mail is another."""
        return await self.find_by("email", email)

    async def find_by(self, name: Name, value: str) -> User | None:
        """As in `NamedUserStore`; nobody where the user's name is another."""
        if name == "email":
            found = self._store.find_by_email(value)
        else:
            found = self._store.find_by(name, value)
        user: User | None = await _quietly(found, value)
        if user is None or not _is_called(user, name, value):
            return None
        return self._shown(user)

    async def find(self, user_id: str) -> User | None:
        """As in `UserStore`; nobody where the user's id is another."""
        user: User | None = await _quietly(self._store.find(user_id))
        return None if user is None or user.id != user_id else self._shown(user)

    async def find_in(self, session: Any, user_id: str) -> User | None:
        """As in `SessionUserStore`; nobody where the user's id is another."""
        found = self._store.find_in(session, user_id)
        user: User | None = await _quietly(found)
        return None if user is None or user.id != user_id else self._shown(user)

    async def list_users(self, after: str | None, limit: int) -> Sequence[User]:
        """As in `ListingUserStore`."""
        users: Sequence[User] = await _quietly(self._store.list_users(after, limit))
        return [_in_one_form(user) for user in users]

    async def replace_password_hash(self, user: User, password_hash: str) -> bool:
        """As in `UserStore`."""
        replaced = self._store.replace_password_hash(user, password_hash)
        return bool(await _quietly(replaced, *_secrets(user), password_hash))

    async def change(self, user: User, values: Mapping[str, Any]) -> bool:
        """As in `WritableUserStore`, with every name in its one form.

        Raises:
            InvalidNameError: A name is not in order.
        """
        written = {**values, **_new_names(user, values)}
        texts = [one for one in written.values() if isinstance(one, str) and one]
        changed = self._store.change(user, written)
        return bool(await _kept(changed, *_secrets(user), *texts))

    async def verify_email(self, user: User) -> None:
        """As in `UserStore`."""
        await _quietly(self._store.verify_email(user), *_secrets(user))

    async def remove(self, user: User) -> bool:
        """As in `UserStore`."""
        removed = await _quietly(self._store.remove(user), *_secrets(user))
        return removed is not False

    def _shown(self, user: User) -> User | None:
        if user.is_active or self._shows_inactive:
            return _in_one_form(user)
        return None


def _is_called(user: User, name: Name, value: str) -> bool:
    if name == "email":
        return is_same_email(user.email, value)
    return user.called(name) == value


def _new_names(user: User, values: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the names among some values; one that stays may have an older form."""
    names: dict[str, str | None] = {}
    for name in NAMES:
        value = values.get(name)
        if value and value != user.called(name):
            names[name] = wanted_name(name, value)
        elif name in values and not value:
            names[name] = value if name == "email" else None
    return names


def _secrets(user: User) -> tuple[str, ...]:
    """Return the values of a user that no error shows, but for the shortest.

    Short ones are part of many words, and an error without its words is of no use.
    """
    given = (value for value in user.given.values() if isinstance(value, str))
    return (user.password_hash, *(one for one in given if len(one) >= LEAST_HIDDEN))


async def _quietly(work: Awaitable[T], *values: str) -> T:
    """Do what a store is asked for; an error that leaves it shows no values."""
    try:
        return await work
    except Exception as error:
        hide_values(error, *values)
        failure: Exception = error
        if isinstance(error, NameTakenError) and error.name in NAMES_TAKEN:
            failure = NameTakenError(NAMES_TAKEN[error.name], error.name)
        elif shows(error, values):  # by a text that is not among its arguments
            failure = FastbearerError(f"the store failed: {type(error).__name__}")
    # Not above, where what is hidden would be its context.
    raise failure


async def _kept(work: Awaitable[T], *values: str) -> T:
    """Do what keeps values that somebody gives.

    Raises:
        UnkeepableError: They do not fit; what the database said is not shown.
    """
    try:
        return await _quietly(work, *values)
    except Exception as error:
        if not is_unfit(error):
            raise
        logger.warning(UNFIT, type(error).__name__)
    raise UnkeepableError("the store does not keep such values")


def _in_one_form(user: User) -> User:
    """Return the user with the e-mail in our form; messages go to that on record."""
    form = recorded_form(user.email)
    if form != user.email:
        user.put_on_record(user.address)
        user.email = form
    return user
