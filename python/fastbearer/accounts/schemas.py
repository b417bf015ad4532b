"""What sign-up, sign-in and sign-out read and answer."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from fastbearer.accounts.models import EMAIL_LENGTH, NAME_LENGTH
from fastbearer.accounts.strict import Text, WithoutNul

__all__ = ["Email", "Session", "SignIn", "SignUp", "SignedIn", "SignedOut"]

TEXTS = {
    "email": f"Email must be a valid address of at most {EMAIL_LENGTH} characters",
    "password": "Password must be a string without NUL characters",
    "name": f"Name must be a string of at most {NAME_LENGTH} characters, or null",
}


def normalize_email(text: str) -> str:
    """Return the form in which e-mails are kept, compared and shown.

    Without the white space around it, and in lower case: the mailbox names
    that differ only in case belong to one person nearly everywhere (RFC 5321
    2.4 leaves that to the receiving host). Whether an address works only a
    message to it can tell, so its shape is checked but coarsely.

    Raises:
        ValueError: It is longer than 254 characters, or not two texts without
            spaces and control characters around one "@".
    """
    email = text.strip().lower()
    local, at, domain = email.partition("@")
    whole = bool(local and at and domain) and "@" not in domain
    if not whole or len(email) > EMAIL_LENGTH:
        raise ValueError("not an e-mail address")
    if " " in email or not email.isprintable():
        raise ValueError("not an e-mail address")
    return email


Email = Annotated[
    Text,
    AfterValidator(normalize_email),
    Field(description=TEXTS["email"], examples=["ada@example.com"]),
]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=NAME_LENGTH),
    WithoutNul,
]


class SignIn(BaseModel):
    """An e-mail and its password."""

    # An error that shows its input would show a password.
    model_config = ConfigDict(hide_input_in_errors=True)

    email: Email
    password: Text = Field(repr=False, json_schema_extra={"format": "password"})


class SignUp(SignIn):
    """A new user."""

    name: Name | None = Field(default=None, description=TEXTS["name"])


class PublicUser(BaseModel):
    """What a user is shown of themselves."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    email: str
    name: str | None


class Session(BaseModel):
    """A token, and whose it is."""

    token: str = Field(repr=False)
    user: PublicUser


class SignedIn(BaseModel):
    """The answer to sign-up and sign-in."""

    success: Literal[True] = True
    data: Session


class SignedOut(BaseModel):
    """The answer to sign-out."""

    success: Literal[True] = True
