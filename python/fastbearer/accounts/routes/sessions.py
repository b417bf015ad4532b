"""Sign-up, sign-in, refreshing and sign-out."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import HTTPException, Response
from fastapi.openapi.models import SecurityBase as SecurityScheme
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse

from fastbearer.accounts.flows.entry import Entry, Login
from fastbearer.accounts.flows.errors import WrongRefreshTokenError
from fastbearer.accounts.flows.parts import Parts
from fastbearer.accounts.given import INVITATION, declared
from fastbearer.accounts.routes.answers import Answers
from fastbearer.accounts.routes.refusals import (
    CLOSED,
    CROSS_SITE,
    EMAIL_TAKEN,
    NAMES_TAKEN,
    NOT_CREATED,
    REFRESH_OFF,
    REVOCATION_OFF,
    UNVERIFIED,
    WRONG_INVITATION,
    WRONG_REFRESH_TOKEN,
    wrong_credentials,
)
from fastbearer.accounts.routes.schemas import (
    CodeSent,
    Done,
    Refresh,
    SignedIn,
)
from fastbearer.accounts.routes.table import Routes, Row, given_by
from fastbearer.fastapi.dependencies import ClaimsDependency
from fastbearer.fastapi.strict_routes import refusals

__all__ = ["SessionRoutes"]

UNSEEN = "A message was sent, for the e-mail must be verified first"

REFRESH = refusals(
    *(400, 401, 403, 404, 413, 429, 503),
    texts={
        400: "Invalid input",
        401: WRONG_REFRESH_TOKEN,
        403: f"{CROSS_SITE}; or: {UNVERIFIED}",
        404: REFRESH_OFF,
    },
)
SIGN_OUT = refusals(400, 401, 403, 413, 503, texts={403: CROSS_SITE})
SIGN_OUT_EVERYWHERE = refusals(
    *(400, 401, 403, 404, 503), texts={403: CROSS_SITE, 404: REVOCATION_OFF}
)


class SessionRoutes(Routes):
    """The routes by which sessions begin, go on and end.

    Args:
        parts: Of the accounts.
        entry: Does it.
        answers: Gives tokens to clients, and takes them back.
    """

    def __init__(self, parts: Parts, entry: Entry, answers: Answers) -> None:
        self._parts = parts
        self._entry = entry
        self._answers = answers

    async def sign_up(self, body: Any, request: Request, response: Response) -> Any:
        """Create an account and sign in.

        The e-mail is kept without the spaces around it and in lower case. Where it
        must be verified first, a message is sent there, and the answer is a 202
        without a token, whether or not somebody has the e-mail.
        """
        given = self._parts.shape.given
        user, password = given.user_of(body), given.password_of(body)
        former = self._answers.former(request)
        invitation = declared(body, INVITATION)
        entered = await self._entry.sign_up(user, password, request, former, invitation)
        if entered is None:
            return JSONResponse(CodeSent().model_dump(), status_code=202)
        return self._answers.signed_in(*entered, response, request)

    async def sign_in(self, body: Any, request: Request, response: Response) -> Any:
        """Get a token for an e-mail and its password."""
        name, value = self._parts.shape.login_of(body)
        login = Login(name, value, body.password)
        former = self._answers.former(request)
        entered = await self._entry.sign_in(login, request, former)
        return self._answers.signed_in(*entered, response, request)

    async def refresh(
        self, request: Request, response: Response, body: Refresh | None = None
    ) -> SignedIn:
        """Get a new token, and a new refresh token, for a refresh token."""
        entered = await self._entry.refresh(self._refresh_token(body, request), request)
        return self._answers.signed_in(*entered, response, request)

    async def sign_out(
        self,
        request: Request,
        response: Response,
        claims: dict[str, Any] | HTTPException,
        body: Refresh | None = None,
    ) -> Done:
        """End a session: the client forgets its tokens.

        A refresh token is enough, in the body or the cookie, where the access token
        has expired. Where revocation is on, every token of the session is good no
        more; otherwise access tokens stay valid until they expire.
        """
        refresh = self._refresh_token(body, request)
        if isinstance(claims, HTTPException):
            with refused_as(claims):
                await self._entry.sign_out(None, refresh, request)
        else:
            await self._entry.sign_out(claims, refresh, request)
        self._answers.clear(response)
        return Done()

    async def sign_out_everywhere(
        self, request: Request, response: Response, claims: dict[str, Any]
    ) -> Done:
        """End every session of yours, this one too."""
        await self._entry.sign_out_everywhere(claims, request)
        self._answers.clear(response)
        return Done()

    def _refresh_token(self, body: Refresh | None, request: Request) -> str | None:
        """Return the refresh token of the body, else that of the cookie, if any."""
        given = None if body is None else body.refresh_token
        return given or self._answers.refresh_token(request)

    def _sign_up_refusals(self) -> dict[int | str, dict[str, Any]]:
        names = self._parts.shape.names
        taken = [EMAIL_TAKEN, *(NAMES_TAKEN[one] for one in names if one != "email")]
        texts = {
            400: f"Invalid input, or: {', '.join(taken)}",
            403: f"{CLOSED}, or: {WRONG_INVITATION}, or: {CROSS_SITE}",
            500: NOT_CREATED,
        }
        refused = refusals(400, 403, 413, 429, 500, 503, texts=texts)
        return {202: {"model": CodeSent, "description": UNSEEN}, **refused}

    def _sign_in_refusals(self) -> dict[int | str, dict[str, Any]]:
        wrong = wrong_credentials(self._parts.shape.names)
        texts = {400: "Invalid input", 401: wrong, 403: CROSS_SITE}
        return refusals(400, 401, 403, 413, 429, 503, texts=texts)

    def rows(self) -> list[Row]:
        """As in `Routes`."""
        auth = self._parts.auth
        schemas = self._answers.schemas
        answer = {"return": schemas.signed_in}
        limited = [self._parts.check_address, self._answers.check_site]
        return [
            Row(
                "/signup",
                given_by(self.sign_up, {"body": schemas.sign_up, **answer}),
                self._sign_up_refusals(),
                status=201,
                checks=limited,
                texts=schemas.sign_up_texts,
            ),
            Row(
                "/signin",
                given_by(self.sign_in, {"body": schemas.sign_in, **answer}),
                self._sign_in_refusals(),
                checks=limited,
            ),
            Row("/refresh", given_by(self.refresh, answer), REFRESH, checks=limited),
            Row(
                "/signout",
                given_by(self.sign_out, claims=ClaimsOrRefusal(auth.token_claims)),
                SIGN_OUT,
            ),
            Row(
                "/signout-everywhere",
                given_by(self.sign_out_everywhere, claims=auth.token_claims),
                SIGN_OUT_EVERYWHERE,
            ),
        ]


class ClaimsOrRefusal(SecurityBase):
    """The claims of a good token, else the 401 for the route to raise.

    Args:
        claims: The dependency that raises it.
    """

    def __init__(self, claims: ClaimsDependency) -> None:
        self.model: SecurityScheme = claims.model
        self.scheme_name: str = claims.scheme_name
        self._claims = claims

    async def __call__(self, conn: HTTPConnection) -> dict[str, Any] | HTTPException:
        """Return the one or the other; what is no 401 is raised."""
        try:
            return await self._claims(conn)
        except HTTPException as refusal:
            if refusal.status_code != 401:
                raise
            return refusal


@contextmanager
def refused_as(refusal: HTTPException) -> Iterator[None]:
    """Answer as to the access token where the refresh token is none either."""
    try:
        yield
    except WrongRefreshTokenError:
        raise refusal from None
