"""What the routes ask of a store of users."""

from typing import Protocol

from fastbearer.accounts.models import User
from fastbearer.errors import FastbearerError

__all__ = [
    "EmailTakenError",
    "InvalidEmailError",
    "UserInUseError",
    "UserStore",
]

TAKEN = "this e-mail is registered already"


class EmailTakenError(FastbearerError):
    """A user with this e-mail exists already."""

    code = "email_taken"


class InvalidEmailError(FastbearerError):
    """The store does not keep such e-mails."""

    code = "invalid_email"


class UserInUseError(FastbearerError):
    """The user cannot be removed while rows of other tables refer to them."""

    code = "user_in_use"


class UserStore(Protocol):
    """Keeps users.

    E-mails come in one form: in lower case, in NFC, the domain in ASCII. Whether
    a user whom the store returns is the one asked for is decided by the accounts.
    A user whose ``password_hash`` is empty has no password, and cannot sign in.
    """

    async def add(self, user: User) -> None:
        """Keep a new user, wholly or not at all; it may give them another id.

        Raises:
            EmailTakenError: A user with this e-mail exists; decided by the
                store alone, so that of several at a time one succeeds.
            InvalidEmailError: It does not keep such e-mails.
        """
        ...

    async def find_by_email(self, email: str) -> User | None:
        """Return the user with this e-mail, if there is one."""
        ...

    async def find(self, user_id: str) -> User | None:
        """Return the user with this id, if there is one; it may be any text."""
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

    async def remove(self, user: User) -> None:
        """Forget a user.

        Raises:
            UserInUseError: Rows of other tables refer to them.
        """
        ...
