"""Why something is not done; the routes say it in their own words."""

from fastbearer.errors import FastbearerError, TokenError

__all__ = [
    "InvalidUserError",
    "NoSuchUserError",
    "NotCreatedError",
    "OvertakenError",
    "RefreshOffError",
    "RevocationOffError",
    "SignUpClosedError",
    "UnchangeableError",
    "UnknownUserError",
    "UnverifiedError",
    "WrongCodeError",
    "WrongCredentialsError",
    "WrongInvitationError",
    "WrongPasswordError",
    "WrongRefreshTokenError",
]


class WrongCredentialsError(FastbearerError):
    """Nobody has this name and this password."""

    code = "wrong_credentials"


class UnverifiedError(FastbearerError):
    """The e-mail of whom somebody is must be verified first."""

    code = "unverified"


class UnchangeableError(FastbearerError):
    """The store of users cannot change this of a user."""

    code = "unchangeable"


class WrongPasswordError(FastbearerError):
    """The signed-in user has another password than the one that was given."""

    code = "wrong_password"


class WrongCodeError(FastbearerError):
    """A code is nobody's, was used, or has expired."""

    code = "wrong_code"


class WrongRefreshTokenError(FastbearerError):
    """A refresh token is missing, or is not good."""

    code = "wrong_refresh_token"


class NoSuchUserError(TokenError):
    """The user of a token is gone, or never was."""

    code = "no_such_user"


class OvertakenError(TokenError):
    """The session ended while something was done in it."""

    code = "overtaken"


class UnverifiedLoginError(WrongCredentialsError):
    """A password is right, but the e-mail is to be verified first.

    Routes that do not say so answer as to a wrong password: whoever has just signed up
    with an e-mail would learn by it whether somebody had it before.
    """

    code = "unverified_login"


class SignUpClosedError(FastbearerError):
    """Nobody may sign up here."""

    code = "sign_up_closed"


class WrongInvitationError(FastbearerError):
    """An invitation is missing, or nobody's, or was used, or is for another e-mail."""

    code = "wrong_invitation"


class UnknownUserError(FastbearerError):
    """Whom an administrator asks for is not there."""

    code = "unknown_user"


class InvalidUserError(FastbearerError):
    """What a user is to have is not what a user may have.

    Attributes:
        fields: The names of what is missing, unknown or invalid.
    """

    code = "invalid_user"

    def __init__(self, message: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.fields = fields


class NotCreatedError(FastbearerError):
    """The store of users has failed, and nobody was added."""

    code = "not_created"


class RefreshOffError(FastbearerError):
    """There are no refresh tokens here."""

    code = "refresh_off"


class RevocationOffError(FastbearerError):
    """Sessions cannot be ended here."""

    code = "revocation_off"
