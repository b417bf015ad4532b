"""What a project makes of its accounts."""

from dataclasses import dataclass
from typing import Any

from pydantic import AliasChoices, AliasPath, BaseModel
from pydantic.fields import FieldInfo

from fastbearer.accounts.models import User
from fastbearer.accounts.names import NAMES, Name

__all__ = ["Shape", "aliases"]


GIVEN_TO_US = frozenset((*NAMES, "name", "password", "invitation"))


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

    def user_of(self, body: Any) -> User:
        """Return the new user whom a sign-up describes, without a hash."""
        user = User(email=body.email, name=body.name, password_hash="")
        fields = type(body).model_fields
        given = {
            name: getattr(body, name) for name in fields if name not in GIVEN_TO_US
        }
        user.give(given)
        return user


def aliases(name: str, field: FieldInfo) -> list[str]:
    """Return what a field may be called in JSON, the usual one first."""
    alias = field.validation_alias
    several = alias.choices if isinstance(alias, AliasChoices) else [alias]
    first = [one.path[0] if isinstance(one, AliasPath) else one for one in several]
    return [*(one for one in first if isinstance(one, str)), name]
