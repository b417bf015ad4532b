"""The token endpoint of OAuth 2.0: tokens for a password, or for a refresh token.

It is what Swagger UI's Authorize button, clients that are generated from the OpenAPI
document, and FastAPI's own tutorial speak (RFC 6749 4.3 and 6). RFC 9700 2.4 has new
clients leave the password grant alone: it is for the frontend of the service itself.
"""

from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any, ClassVar, Literal

from fastapi import Form, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException as UnreadableError
from starlette.requests import Request
from starlette.responses import JSONResponse

from fastbearer.accounts.flows.entry import Entered, Entry, Login, typed_login
from fastbearer.accounts.flows.errors import (
    RefreshOffError,
    UnverifiedError,
    WrongCredentialsError,
    WrongRefreshTokenError,
)
from fastbearer.accounts.flows.parts import Parts
from fastbearer.accounts.routes.reader import AccountsRequest
from fastbearer.accounts.routes.refusals import (
    ANSWERS,
    REFRESH_OFF,
    UNVERIFIED,
    WRONG_REFRESH_TOKEN,
)
from fastbearer.accounts.routes.schemas import TEXTS
from fastbearer.accounts.routes.table import Routes, Row
from fastbearer.errors import FastbearerError
from fastbearer.fastapi.challenges import Answer
from fastbearer.fastapi.strict_routes import StrictRequest, StrictRoute, Text, refusals

__all__ = ["TokenRoute", "TokenRoutes"]

GRANTS = "grant_type must be password or refresh_token"
NO_PASSWORD = "A form with username and password is needed"
NO_FORM = "The form cannot be read"
WRONG_LOGIN = "Incorrect username or password"
NO_REFRESH_TOKEN = "A form with refresh_token is needed"
SHORT = 255
FORM_TEXTS = {
    "grant_type": GRANTS,
    "username": NO_PASSWORD,
    "password": NO_PASSWORD,
    "refresh_token": NO_REFRESH_TOKEN,
    "scope": f"scope must be a text of at most {SHORT} characters",
}

Word = Annotated[Text, Field(max_length=SHORT)]


class TokenForm(BaseModel):
    """What RFC 6749 4.3.2 and 6 have a client send; what else comes is ignored."""

    model_config: ClassVar[ConfigDict] = ConfigDict(hide_input_in_errors=True)

    grant_type: Word = Field(
        default="password",
        description=GRANTS,
        json_schema_extra={"enum": ["password", "refresh_token"]},
    )
    username: Word | None = Field(
        default=None, description="E-mail, or another name that users sign in with"
    )
    password: Text | None = Field(
        default=None, repr=False, json_schema_extra={"format": "password"}
    )
    refresh_token: Word | None = Field(default=None, repr=False)
    scope: Word = Field(
        default="", description="Ignored: a token has the scopes of its user"
    )


class Token(BaseModel):
    """A successful answer (RFC 6749 5.1)."""

    access_token: str = Field(repr=False)
    token_type: Literal["bearer"] = "bearer"
    expires_in: int = Field(description="Seconds")
    refresh_token: str | None = Field(default=None, repr=False)
    scope: str | None = None


class TokenRefusal(BaseModel):
    """Why there is no token (RFC 6749 5.2); ``detail`` is as on other routes."""

    error: str = Field(examples=["invalid_grant"])
    error_description: str
    detail: str


class UnsupportedGrantError(FastbearerError):
    """There is no such grant here."""

    code = "unsupported_grant_type"


class MissingParameterError(FastbearerError):
    """A grant lacks one of its parameters."""

    code = "missing_parameter"


CODES: Mapping[type[BaseException], str] = {
    UnsupportedGrantError: "unsupported_grant_type",
    RefreshOffError: "unsupported_grant_type",
    UnverifiedError: "invalid_grant",
    WrongCredentialsError: "invalid_grant",
    WrongRefreshTokenError: "invalid_grant",
}
"""What RFC 6749 5.2 calls an error."""

INVALID = "invalid_request"
"""What it calls any other."""


class TokenRoute(StrictRoute):
    """A route that refuses as RFC 6749 5.2 has it."""

    texts: ClassVar[Mapping[str, str]] = {**TEXTS, **FORM_TEXTS}
    reader: ClassVar[type[StrictRequest]] = AccountsRequest
    answers: ClassVar[Mapping[type[FastbearerError], Answer]] = {
        **ANSWERS,
        UnsupportedGrantError: Answer(400, GRANTS),
        MissingParameterError: Answer(400, None),
        RefreshOffError: Answer(400, REFRESH_OFF),
        UnverifiedError: Answer(400, UNVERIFIED),
        WrongCredentialsError: Answer(400, WRONG_LOGIN),
        WrongRefreshTokenError: Answer(400, WRONG_REFRESH_TOKEN),
    }

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, with the form of refusals of the standard."""
        handler = super().get_route_handler()

        async def token_handler(request: Request) -> Response:
            try:
                return await handler(request)
            except UnreadableError as refusal:  # or one of ours, of a class below it
                if refusal.status_code != 400:
                    raise
                return _refusal(refusal)

        return token_handler


def _refusal(refusal: UnreadableError) -> JSONResponse:
    is_ours, cause = isinstance(refusal, HTTPException), refusal.__cause__
    detail = str(refusal.detail) if is_ours else NO_FORM
    told = TokenRefusal(
        error=next((CODES[one] for one in CODES if isinstance(cause, one)), INVALID),
        error_description=detail,
        detail=detail,
    )
    return JSONResponse(told.model_dump(), 400, {"Cache-Control": "no-store"})


class TokenRoutes(Routes):
    """The token endpoint.

    Nothing in it reads or sets a cookie: what comes from another site can neither ride
    on a session nor begin one.

    Args:
        parts: Of the accounts.
        entry: Does it.
    """

    def __init__(self, parts: Parts, entry: Entry) -> None:
        self._parts = parts
        self._entry = entry

    async def token(
        self, form: Annotated[TokenForm, Form()], request: Request, response: Response
    ) -> Token:
        """Get a token for a name and its password, or for a refresh token."""
        if form.grant_type == "password":
            entered = await self._entry.sign_in(self._login(form), request)
        elif form.grant_type == "refresh_token":
            if not form.refresh_token:
                raise MissingParameterError(NO_REFRESH_TOKEN)
            entered = await self._entry.refresh(form.refresh_token, request)
        else:
            raise UnsupportedGrantError(GRANTS)
        response.headers["Cache-Control"] = "no-store"  # RFC 6749 5.1
        response.headers["Pragma"] = "no-cache"
        return self._answer(entered)

    def _login(self, form: TokenForm) -> Login:
        """Return who somebody says they are.

        Raises:
            MissingParameterError: There is no name, or no password.
            WrongCredentialsError: Nobody can have such a name here.
        """
        if not form.username or form.password is None:
            raise MissingParameterError(NO_PASSWORD)
        names = self._parts.shape.names
        return typed_login(form.username, form.password, names)

    def _answer(self, entered: Entered) -> Token:
        tokens = entered.tokens
        return Token(
            access_token=tokens.access,
            expires_in=int(self._parts.auth.lifetime),
            refresh_token=None if tokens.refresh is None else tokens.refresh.token,
            scope=tokens.scope,
        )

    def rows(self) -> list[Row]:
        """As in `Routes`."""
        refused = refusals(400, 413, 429, 503)
        refused[400] = {"model": TokenRefusal, "description": "No token (RFC 6749 5.2)"}
        checks = [self._parts.check_address]
        return [
            Row(
                "/token",
                self.token,
                refused,
                checks=checks,
                route_class=TokenRoute,
                leaves_out_none=True,
            )
        ]
