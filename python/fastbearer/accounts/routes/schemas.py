"""What sign-up, sign-in and sign-out read and answer."""

from typing import Annotated, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
)

from fastbearer.accounts.emails import given_email, normalize_email
from fastbearer.accounts.models import NAME_LENGTH
from fastbearer.accounts.names import (
    NAME_TEXTS,
    given_username,
    normalize_phone,
    normalize_username,
)
from fastbearer.fastapi.strict_routes import Text, WithoutNul

__all__ = [
    "ChangeEmail",
    "ChangePassword",
    "CodeSent",
    "Done",
    "Email",
    "EmailOnly",
    "GivenCode",
    "GivenEmail",
    "GivenPassword",
    "GivenUserName",
    "Me",
    "NewPassword",
    "Password",
    "Phone",
    "PublicUser",
    "Refresh",
    "Session",
    "SignIn",
    "SignUp",
    "SignedIn",
    "UserName",
]

TEXTS: dict[str, str] = {
    **{str(name): text for name, text in NAME_TEXTS.items()},
    "new_email": f"New {NAME_TEXTS['email'][0].lower()}{NAME_TEXTS['email'][1:]}",
    "password": "Password must be a string without NUL characters",
    "current_password": "Current password must be a string without NUL characters",
    "new_password": "New password must be a string without NUL characters",
    "end_other_sessions": "end_other_sessions must be true or false",
    "code": "Code must be a string of at most 255 characters",
    "invitation": "Invitation must be a string of at most 255 characters",
    "refresh_token": "Refresh token must be a string of at most 255 characters",
    "name": f"Name must be a string of at most {NAME_LENGTH} characters, or null",
}


Email = Annotated[
    Text,
    AfterValidator(normalize_email),
    Field(description=TEXTS["email"], examples=["ada@example.com"]),
]
"""An e-mail that somebody is to have, in its one form."""
GivenEmail = Annotated[
    Text,
    AfterValidator(given_email),
    Field(description=TEXTS["email"], examples=["ada@example.com"]),
]
UserName = Annotated[
    Text,
    AfterValidator(normalize_username),
    Field(description=TEXTS["username"], examples=["ada"]),
]
"""A user name, in lower case."""
GivenUserName = Annotated[
    Text,
    AfterValidator(given_username),
    Field(description="A user name", examples=["ada"]),
]
Phone = Annotated[
    Text,
    AfterValidator(normalize_phone),
    Field(description=TEXTS["phone"], examples=["+41441234567"]),
]
"""A phone number, in the form of E.164."""
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=NAME_LENGTH),
    WithoutNul,
]


Password = Annotated[Text, Field(repr=False, json_schema_extra={"format": "password"})]
Secret = Annotated[str, StringConstraints(max_length=255), WithoutNul]


class Body(BaseModel):
    """What a client sends; an error that shows it would show a password."""

    model_config: ClassVar[ConfigDict] = ConfigDict(hide_input_in_errors=True)


class EmailOnly(Body):
    """An e-mail that somebody may have."""

    email: GivenEmail


class GivenPassword(Body):
    """The password of the signed-in user."""

    password: Password


class SignIn(EmailOnly):
    """An e-mail and its password."""

    password: Password


class SignUp(SignIn):
    """A new user."""

    email: Email
    name: Name | None = Field(default=None, description=TEXTS["name"])
    invitation: Secret | None = Field(
        default=None,
        repr=False,
        description="The code of an invitation, where sign-up needs one",
    )


class Refresh(Body):
    """A refresh token; it may be in the cookie instead."""

    refresh_token: Secret | None = Field(default=None, repr=False)


class ChangePassword(Body):
    """The current password, and the one to be."""

    current_password: Password
    new_password: Password
    end_other_sessions: StrictBool = True


class ChangeEmail(GivenPassword):
    """The e-mail to be, and the password of the signed-in user."""

    new_email: Email


class GivenCode(Body):
    """A code from a message."""

    code: Secret = Field(repr=False)


class NewPassword(GivenCode):
    """A code from a message, and the password to be."""

    password: Password


class PublicUser(BaseModel):
    """What a user is shown of themselves."""

    model_config: ClassVar[ConfigDict] = ConfigDict(from_attributes=True)

    id: str
    email: str
    name: str | None


class Session(BaseModel):
    """A token, and whose it is."""

    token: str = Field(repr=False)
    user: PublicUser


class RefreshableSession(Session):
    """A token, the one for the next, and whose they are."""

    refresh_token: str = Field(repr=False)


class CookieSession(BaseModel):
    """Whose session it is; its tokens are in cookies."""

    user: PublicUser


class SignedIn(BaseModel):
    """The answer to sign-up and sign-in."""

    success: Literal[True] = True
    data: RefreshableSession | Session | CookieSession


class MyUser(PublicUser):
    """What a user is shown when they ask."""

    email_verified: bool


class Me(BaseModel):
    """The signed-in user."""

    success: Literal[True] = True
    data: MyUser


class Done(BaseModel):
    """The answer where there is nothing more to say."""

    success: Literal[True] = True


class CodeSent(Done):
    """The answer to who asks for a message, whether or not one is sent."""
