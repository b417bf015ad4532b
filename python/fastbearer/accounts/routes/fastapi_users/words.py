"""What the routes of fastapi-users refuse, in its words."""

from collections.abc import Mapping
from json import JSONDecodeError
from typing import Any, ClassVar

from fastapi import HTTPException
from fastapi.exceptions import RequestValidationError

from fastbearer.accounts.flows.errors import (
    UnknownUserError,
    UnverifiedLoginError,
    WrongCodeError,
    WrongCredentialsError,
)
from fastbearer.accounts.names import InvalidNameError
from fastbearer.accounts.routes.fastapi_users.schemas import ErrorModel, InvalidModel
from fastbearer.accounts.routes.reader import AccountsRequest
from fastbearer.accounts.routes.refusals import ANSWERS
from fastbearer.accounts.routes.schemas import TEXTS
from fastbearer.accounts.stores.protocol import EmailTakenError, UnkeepableError
from fastbearer.errors import FastbearerError, PasswordRuleError
from fastbearer.fastapi.challenges import Answer
from fastbearer.fastapi.strict_routes import NulInBodyError, StrictRequest, StrictRoute

__all__ = [
    "AlreadyVerifiedError",
    "FastAPIUsersRoute",
    "LoginRoute",
    "NotSuperuserError",
    "RegisterRoute",
    "ResetPasswordRoute",
    "UsersRoute",
    "VerifyRoute",
    "responses",
]

REGISTER_PASSWORD = "REGISTER_INVALID_PASSWORD"
RESET_PASSWORD = "RESET_PASSWORD_INVALID_PASSWORD"
UPDATE_PASSWORD = "UPDATE_USER_INVALID_PASSWORD"
MOST_ERRORS = 20
INVALID = (InvalidNameError, UnkeepableError)
NO_PASSWORD = frozenset(("missing", "string_type"))
"""Types of errors: there is no password that a rule could be asked for."""


class AlreadyVerifiedError(FastbearerError):
    """The e-mail of a user is verified already."""

    code = "already_verified"


class NotSuperuserError(FastbearerError):
    """The user may not do that with other users."""

    code = "not_superuser"


class LaxJSONRequest(AccountsRequest):
    """A request whose body is JSON, or is refused as FastAPI refuses it."""

    async def json(self) -> Any:
        """Return the parsed body.

        Raises:
            JSONDecodeError: It cannot be read.
        """
        try:
            return await super().json()
        except HTTPException as error:
            if error.status_code != 400 or isinstance(error, NulInBodyError):
                raise
            raise JSONDecodeError("not JSON in UTF-8", "", 0) from None


class FastAPIUsersRoute(StrictRoute):
    """A route that refuses in the words of fastapi-users: what is invalid is a 422."""

    texts: ClassVar[dict[str, str]] = TEXTS
    reader: ClassVar[type[StrictRequest]] = LaxJSONRequest
    answers: ClassVar[Mapping[type[FastbearerError], Answer]] = {
        **ANSWERS,
        NotSuperuserError: Answer(403, "Forbidden"),
        UnknownUserError: Answer(404, "Not Found"),
    }

    def invalid(self, error: RequestValidationError) -> HTTPException:
        """Return the answer to invalid input: FastAPI's, but for what was sent."""
        told = [
            {"type": one["type"], "loc": list(one["loc"]), "msg": self._message(one)}
            for one in error.errors()[:MOST_ERRORS]
        ]
        return HTTPException(422, told)

    def refused(self, error: FastbearerError) -> HTTPException:
        """Return the answer to an error of ours; one to invalid input as above."""
        answer = super().refused(error)
        if not isinstance(error, INVALID):
            return answer
        told = {"type": "value_error", "loc": ["body"], "msg": answer.detail}
        return HTTPException(422, [told])

    def _message(self, error: Mapping[str, Any]) -> str:
        place = error["loc"][-1] if error["loc"] else ""
        own = self.texts.get(str(place)) if error["type"] == "value_error" else None
        return own or str(error["msg"])


class LoginRoute(FastAPIUsersRoute):
    """Of ``get_auth_router``."""

    answers: ClassVar[Mapping[type[FastbearerError], Answer]] = {
        **FastAPIUsersRoute.answers,
        WrongCredentialsError: Answer(400, "LOGIN_BAD_CREDENTIALS"),
        UnverifiedLoginError: Answer(400, "LOGIN_USER_NOT_VERIFIED"),
        # It cannot be anybody's.
        PasswordRuleError: Answer(400, "LOGIN_BAD_CREDENTIALS"),
    }


class RegisterRoute(FastAPIUsersRoute):
    """Of ``get_register_router``.

    Attributes:
        password_text: Why the project's schema refuses a password; None where it has no
            rule for it.
    """

    password_text: ClassVar[str | None] = None

    answers: ClassVar[Mapping[type[FastbearerError], Answer]] = {
        **FastAPIUsersRoute.answers,
        EmailTakenError: Answer(400, "REGISTER_USER_ALREADY_EXISTS"),
        PasswordRuleError: Answer(400, None, code=REGISTER_PASSWORD),
    }

    @classmethod
    def saying(cls, texts: Mapping[str, str]) -> type[StrictRoute]:
        """Return the class of a route with these messages of a project's schema."""
        text = texts["password"]
        own = None if text == TEXTS["password"] else text
        return type(cls.__name__, (cls,), {"password_text": own})

    def invalid(self, error: RequestValidationError) -> HTTPException:
        """Return the answer to invalid input; a password may break a project's rule."""
        is_rule = all(
            one["loc"] == ("body", "password") and one["type"] not in NO_PASSWORD
            for one in error.errors()
        )
        if self.password_text is None or not is_rule:
            return super().invalid(error)
        return HTTPException(
            400, {"code": REGISTER_PASSWORD, "reason": self.password_text}
        )


class ResetPasswordRoute(FastAPIUsersRoute):
    """Of ``get_reset_password_router``."""

    answers: ClassVar[Mapping[type[FastbearerError], Answer]] = {
        **FastAPIUsersRoute.answers,
        WrongCodeError: Answer(400, "RESET_PASSWORD_BAD_TOKEN"),
        PasswordRuleError: Answer(400, None, code=RESET_PASSWORD),
    }


class VerifyRoute(FastAPIUsersRoute):
    """Of ``get_verify_router``."""

    answers: ClassVar[Mapping[type[FastbearerError], Answer]] = {
        **FastAPIUsersRoute.answers,
        WrongCodeError: Answer(400, "VERIFY_USER_BAD_TOKEN"),
        AlreadyVerifiedError: Answer(400, "VERIFY_USER_ALREADY_VERIFIED"),
    }


class UsersRoute(FastAPIUsersRoute):
    """Of ``get_users_router``."""

    answers: ClassVar[Mapping[type[FastbearerError], Answer]] = {
        **FastAPIUsersRoute.answers,
        EmailTakenError: Answer(400, "UPDATE_USER_EMAIL_ALREADY_EXISTS"),
        PasswordRuleError: Answer(400, None, code=UPDATE_PASSWORD),
    }


DESCRIPTIONS = {
    400: "Refused, with a code",
    401: "Missing token or inactive user",
    403: "Not a superuser, not verified, not invited, or a cookie from another site",
    404: "The user does not exist",
    409: "Data of others refers to the user",
    413: "The body is too large",
    422: "Invalid input",
    429: "Too many attempts: try again after the seconds of Retry-After",
    503: "Too busy, or a store is down: try again after the seconds of Retry-After",
}


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI shall say about refusals with these statuses."""
    return {
        status: {
            "model": InvalidModel if status == 422 else ErrorModel,
            "description": DESCRIPTIONS[status],
        }
        for status in statuses
    }
