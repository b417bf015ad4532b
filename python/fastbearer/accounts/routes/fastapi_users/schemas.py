"""What the routes of fastapi-users read and answer."""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from fastbearer.accounts.routes.schemas import (
    Body,
    Email,
    GivenEmail,
    Password,
)
from fastbearer.fastapi.strict_routes import Text

__all__ = [
    "BearerToken",
    "ErrorModel",
    "GivenToken",
    "InvalidModel",
    "KnownEmail",
    "ResetPassword",
    "UserRead",
    "UserUpdate",
]


class UserRead(BaseModel):
    """What is shown of a user: the fields of fastapi-users' ``BaseUser``.

    Derive from it for more; each field is read from the user's row.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(from_attributes=True)

    id: int | UUID | str
    email: str
    is_active: bool
    is_superuser: bool
    is_verified: bool


class UserUpdate(Body):
    """What changes of a user: the fields of fastapi-users' ``BaseUserUpdate``.

    Derive from it for more; each further field is a column of the user's row. Null is
    as good as left out, but in further fields.
    """

    email: Email | None = None
    password: Text | None = Field(
        default=None, repr=False, json_schema_extra={"format": "password"}
    )
    is_active: StrictBool | None = Field(default=None, description="For superusers")
    is_superuser: StrictBool | None = Field(default=None, description="For superusers")
    is_verified: StrictBool | None = Field(default=None, description="For superusers")


class KnownEmail(Body):
    """An e-mail that somebody may have."""

    email: GivenEmail


class GivenToken(Body):
    """A token from a message."""

    token: Text = Field(repr=False)


class ResetPassword(GivenToken):
    """A token from a message, and the password to be."""

    password: Password


class BearerToken(BaseModel):
    """The answer to who has signed in (RFC 6749 5.1)."""

    access_token: str = Field(repr=False)
    token_type: Literal["bearer"] = "bearer"


class Reason(BaseModel):
    """A code, and why."""

    code: str
    reason: str


class ErrorModel(BaseModel):
    """Why a request was refused: a code of fastapi-users, or a sentence."""

    detail: str | Reason


class InvalidField(BaseModel):
    """A field that is invalid."""

    type: str
    loc: list[str | int]
    msg: str


class InvalidModel(BaseModel):
    """The fields of a body that are invalid; without what was sent."""

    detail: list[InvalidField]
