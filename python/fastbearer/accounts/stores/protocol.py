"""What the routes ask of a store of users."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from fastbearer.accounts.models import User
from fastbearer.accounts.names import Name
from fastbearer.errors import FastbearerError

__all__ = [
    "NAMES_TAKEN",
    "EmailTakenError",
    "InvalidEmailError",
    "ListingUserStore",
    "NameTakenError",
    "NamedUserStore",
    "RehearsingUserStore",
    "SessionUserStore",
    "UnkeepableError",
    "UserInUseError",
    "UserStore",
    "WritableUserStore",
    "taken",
]

TAKEN = "this e-mail is registered already"
NAME_TAKEN = "this user name or phone number is registered already"
NAMES_TAKEN: Mapping[Name, str] = {
    "email": "Email already registered",
    "username": "User name already registered",
    "phone": "Phone number already registered",
}
"""What may be told to who wants to have the name."""


class EmailTakenError(FastbearerError):
    """A user with this e-mail exists already."""

    code = "email_taken"


class NameTakenError(FastbearerError):
    """A user with this user name or phone number exists already.

    Attributes:
        name: "username" or "phone".
    """

    code = "name_taken"

    def __init__(self, message: str, name: Name) -> None:
        super().__init__(message)
        self.name = name


def taken(name: Name) -> EmailTakenError | NameTakenError:
    """Return the error that says which name somebody else has."""
    if name == "email":
        return EmailTakenError(TAKEN)
    return NameTakenError(NAME_TAKEN, name)


class InvalidEmailError(FastbearerError):
    """The store does not keep such e-mails."""

    code = "invalid_email"


class UnkeepableError(FastbearerError):
    """What a user is to have does not fit the store.

    It is too long or too large, missing where there must be something, or somebody
    else's where there is one of a kind.
    """

    code = "unkeepable"


class UserInUseError(FastbearerError):
    """The user cannot be removed while rows of other tables refer to them."""

    code = "user_in_use"


class UserStore(Protocol):
    """Keeps users.

    E-mails come in one form: in lower case, in NFC, the domain in ASCII. Whether
    a user whom the store returns is the one asked for is decided by the accounts,
    and so is what may be done by one who is not active.
    A user whose ``password_hash`` is empty has no password, and cannot sign in.
    """

    async def add(self, user: User) -> None:
        """Keep a new user, wholly or not at all; it may give them another id.

        Args:
            user: What they gave beside its fields is ``user.given``.

        Raises:
            EmailTakenError: A user with this e-mail exists; decided by the
                store alone, so that of several at a time one succeeds.
            NameTakenError: The same for a user name or a phone number.
            InvalidEmailError: It does not keep such e-mails.
            UnkeepableError: It does not keep such values; errors of SQLAlchemy that
                say so become one.
        """
        ...

    async def find_by_email(self, email: str) -> User | None:
        """Return the user with this e-mail, if there is one."""
        ...

    async def find(self, user_id: str) -> User | None:
        """Return the user with this id, if there is one; it may be any string."""
        ...

    async def replace_password_hash(self, user: User, password_hash: str) -> bool:
        """Store another hash, unless the user's has changed meanwhile.

        Returns:
            Whether it was stored.
        """
        ...

    async def verify_email(self, user: User) -> None:
        """Note that the e-mail is the user's, if it is still the same."""
        ...

    async def remove(self, user: User) -> bool:
        """Forget a user, unless the user's hash has changed meanwhile.

        Returns:
            Whether they are gone, whoever was first; False where the hash is another:
            who gave the password of before may not delete whose it is no more. None
            of an older store counts as True.

        Raises:
            UserInUseError: Rows of other tables refer to them.
        """
        ...


class NamedUserStore(UserStore, Protocol):
    """Keeps users who have other names than an e-mail, too."""

    async def find_by(self, name: Name, value: str) -> User | None:
        """Return the user with this name, in its one form, if there is one."""
        ...


class SessionUserStore(UserStore, Protocol):
    """Keeps users in rows that the sessions of a project give.

    Attributes:
        session_dependency: What FastAPI's ``Depends`` makes such a session of, or None.
    """

    session_dependency: Callable[[], Any] | None

    async def find_in(self, session: Any, user_id: str) -> User | None:
        """Return the user with this id, if there is one, whose row is of a session.

        Args:
            session: Open, and then still open.
            user_id: Any string.
        """
        ...


class RehearsingUserStore(UserStore, Protocol):
    """Keeps users, and tells beforehand whether it would keep one."""

    async def rehearse(self, user: User) -> None:
        """Do what `add` does for a new user, with as much work, and keep nothing.

        Args:
            user: Their e-mail is one that nobody has.

        Raises:
            UnkeepableError: As in `UserStore.add`, like its other errors.
        """
        ...


class WritableUserStore(UserStore, Protocol):
    """Keeps users whose fields can change."""

    async def change(self, user: User, values: Mapping[str, Any]) -> bool:
        """Write fields of a user, all or none, if they are still who they were.

        Args:
            user: Whose.
            values: Field -> value: fields of `User` (``email``, ``email_verified``,
                ``is_active``, ``roles``, ``name`` and the other names), or further
                ones of the project's model.

        Returns:
            Whether they were written: not where the user is gone, or their e-mail or
            their hash has changed meanwhile, for one who has chosen another password
            is not to be changed by whoever knew the one of before.

        Raises:
            EmailTakenError: Somebody else has the e-mail.
            NameTakenError: Somebody else has the user name or the phone number.
            InvalidEmailError: The store does not keep such e-mails.
            UnkeepableError: As in `UserStore.add`.
        """
        ...


class ListingUserStore(UserStore, Protocol):
    """Keeps users who can be gone through."""

    async def list_users(self, after: str | None, limit: int) -> Sequence[User]:
        """Return the next users in the order of their ids, active or not.

        Args:
            after: The id of the last one before them, or None.
            limit: How many at most.
        """
        ...
