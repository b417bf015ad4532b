"""What the accounts refuse, in the words of their routes."""

from collections.abc import Mapping, Sequence

from fastbearer.accounts.flows.errors import (
    NotCreatedError,
    OvertakenError,
    RefreshOffError,
    RevocationOffError,
    SignUpClosedError,
    UnchangeableError,
    UnverifiedError,
    WrongCodeError,
    WrongCredentialsError,
    WrongInvitationError,
    WrongPasswordError,
    WrongRefreshTokenError,
)
from fastbearer.accounts.judge import InvalidFieldError
from fastbearer.accounts.names import InvalidNameError, Name, listed
from fastbearer.accounts.routes.schemas import TEXTS
from fastbearer.accounts.shown import NotShownError
from fastbearer.accounts.stores.protocol import (
    NAMES_TAKEN,
    EmailTakenError,
    InvalidEmailError,
    NameTakenError,
    UnkeepableError,
    UserInUseError,
)
from fastbearer.accounts.user_claims import ClaimsError
from fastbearer.errors import FastbearerError, RevokedTokenError
from fastbearer.fastapi.challenges import ANSWERS as COMMON
from fastbearer.fastapi.challenges import Answer

__all__ = [
    "ANSWERS",
    "CLOSED",
    "CROSS_SITE",
    "EMAIL_TAKEN",
    "IN_USE",
    "NAMES_TAKEN",
    "NOT_CREATED",
    "REFRESH_OFF",
    "REVOCATION_OFF",
    "UNCHANGEABLE",
    "UNVERIFIED",
    "WRONG_CODE",
    "WRONG_INVITATION",
    "WRONG_REFRESH_TOKEN",
    "answers_for",
    "wrong_credentials",
]

EMAIL_TAKEN = "Email already registered"
NOT_CREATED = "Failed to create account"
UNVERIFIED = (
    "Email is not verified: use the code that was sent there, or ask for another"
)
UNKEEPABLE = "This cannot be kept"
UNCHANGEABLE = "This cannot be changed here"
WRONG_PASSWORD = "Current password is wrong"
WRONG_CODE = "Code is wrong, was used or has expired"
WRONG_REFRESH_TOKEN = "Invalid refresh token. Please sign in again."
REFRESH_OFF = "Refresh tokens are off"
REVOCATION_OFF = "Sessions cannot be ended here: revocation is off"
IN_USE = "The account cannot be deleted while other data refers to it"
CLOSED = "Nobody can sign up here"
WRONG_INVITATION = (
    "The invitation is missing, was used, has expired or is for another e-mail"
)
CROSS_SITE = "A cookie, and from another site"
NO_TOKEN = "Failed to make a token"
NOT_SHOWN = "The account cannot be shown"


def wrong_credentials(names: Sequence[Name]) -> str:
    """Return what to say to who signs in with a wrong name or password.

    It is the same whichever name was given.
    """
    several = listed(names, ",").replace(" ,", ",")
    return f"Invalid {several} or password"


ANSWERS: Mapping[type[FastbearerError], Answer] = {
    EmailTakenError: Answer(400, EMAIL_TAKEN),
    NameTakenError: Answer(400, None),
    InvalidNameError: Answer(400, None),
    UnkeepableError: Answer(400, UNKEEPABLE),
    InvalidFieldError: Answer(400, None),
    InvalidEmailError: Answer(400, TEXTS["email"]),
    SignUpClosedError: Answer(403, CLOSED),
    WrongInvitationError: Answer(403, WRONG_INVITATION),
    NotCreatedError: Answer(500, NOT_CREATED),
    WrongCredentialsError: Answer(401, wrong_credentials(("email",)), challenge=""),
    UnverifiedError: Answer(403, UNVERIFIED),
    UnchangeableError: Answer(404, UNCHANGEABLE),
    WrongPasswordError: Answer(403, WRONG_PASSWORD),
    WrongCodeError: Answer(400, WRONG_CODE),
    WrongRefreshTokenError: Answer(401, WRONG_REFRESH_TOKEN, challenge=""),
    OvertakenError: COMMON[RevokedTokenError],
    RefreshOffError: Answer(404, REFRESH_OFF),
    RevocationOffError: Answer(404, REVOCATION_OFF),
    UserInUseError: Answer(409, IN_USE),
    NotShownError: Answer(500, NOT_SHOWN),
    ClaimsError: Answer(500, NO_TOKEN),
}
"""Another set of routes may say the same in other words."""


def answers_for(names: Sequence[Name]) -> Mapping[type[FastbearerError], Answer]:
    """Return the same where users sign in with these names."""
    wrong = Answer(401, wrong_credentials(names), challenge="")
    return {**ANSWERS, WrongCredentialsError: wrong}
