"""What a project makes of its accounts."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from fastbearer.accounts.given import Given
from fastbearer.accounts.models import User
from fastbearer.accounts.names import NAME_TEXTS, NAMES, InvalidNameError, Name, listed
from fastbearer.accounts.shown import Shown
from fastbearer.errors import ConfigurationError

__all__ = ["Shape"]

WRONG_NAMES = "names= must be one or several of email, username and phone"


class Shape:
    """What a project makes of its accounts.

    Args:
        sign_up: What somebody gives who signs up.
        public: What a user is shown of themselves.
        names: What users sign in with; the first is what a client is asked for first.
        attributes: Field of `User` -> the attribute in which the store keeps it, where
            that is known.

    Attributes:
        sign_up: As given.
        public: As given.
        names: Each once.
        given: What is done with the one schema.
        shown: What is done with the other.

    Raises:
        ConfigurationError: There are no such names, a sign-up would set what is not the
            user's to set, or a secret would be shown.
    """

    def __init__(
        self,
        sign_up: type[BaseModel],
        public: type[BaseModel],
        names: Sequence[Name] = ("email",),
        attributes: Mapping[str, str] = {},
    ) -> None:
        # A text is a sequence, too: ("email") is one.
        if isinstance(names, str) or not names or not set(names) <= set(NAMES):
            raise ConfigurationError(WRONG_NAMES)
        self.names: tuple[Name, ...] = tuple(dict.fromkeys(names))
        self.sign_up = sign_up
        self.public = public
        self.given: Given = Given(sign_up, self.names, attributes)
        self.shown: Shown = Shown(public, attributes)

    @property
    def one_name(self) -> str:
        """What to say to who gives none of the names to sign in, or several."""
        return f"Give exactly one of {listed(self.names, 'and')}"

    def called(self, user: User) -> str:
        """Return what a user is counted by: the first of their names that they have."""
        names = (user.called(name) for name in self.names)
        return next((name for name in names if name), user.email)

    def check_kept_names(self, values: Mapping[str, Any]) -> None:
        """Make sure that nobody loses a name with which they sign in.

        Args:
            values: Field -> what it is to be.

        Raises:
            InvalidNameError: One of the names is to be none.
        """
        for name in self.names:
            if name in values and not values[name]:
                raise InvalidNameError(NAME_TEXTS[name])

    def login_of(self, body: BaseModel) -> tuple[Name, str]:
        """Return which of the names somebody has given to sign in, and the name.

        Raises:
            InvalidNameError: None of them was given, or several.
        """
        found = [(name, getattr(body, name, None)) for name in self.names]
        given = [(name, value) for name, value in found if value is not None]
        if len(given) != 1:
            raise InvalidNameError(self.one_name)
        return given[0]
