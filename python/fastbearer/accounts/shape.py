"""What a project makes of its accounts."""

from dataclasses import dataclass

from pydantic import BaseModel

from fastbearer.accounts.models import User
from fastbearer.accounts.names import Name

__all__ = ["Shape"]


@dataclass(frozen=True)
class Shape:
    """What a project makes of its accounts.

    Attributes:
        sign_up: What somebody gives who signs up.
        public: What a user is shown of themselves; read from the attributes of
            ``User.row``.
        names: What users sign in with; the first is what a client is asked for first.
    """

    sign_up: type[BaseModel]
    public: type[BaseModel]
    names: tuple[Name, ...]

    def called(self, user: User) -> str:
        """Return what a user is counted by: the first of their names that they have."""
        names = (user.called(name) for name in self.names)
        return next((name for name in names if name), user.email)
