"""Signing in and out, as ``get_auth_router`` of fastapi-users has it."""

from typing import Annotated, Any

from fastapi import Depends, Response
from fastapi.security import OAuth2PasswordRequestForm
from starlette.requests import Request
from starlette.responses import JSONResponse

from fastbearer.accounts.flows.entry import Entry, typed_login
from fastbearer.accounts.flows.parts import Parts
from fastbearer.accounts.routes.answers import Answers
from fastbearer.accounts.routes.fastapi_users.schemas import BearerToken
from fastbearer.accounts.routes.fastapi_users.words import LoginRoute, responses
from fastbearer.accounts.routes.table import Routes, Row, given_by
from fastbearer.fastapi import TokenUser

__all__ = ["LoginRoutes"]

LOGIN: dict[int | str, dict[str, Any]] = {
    200: {"model": BearerToken, "description": "Signed in"},
    204: {"description": "Signed in; the token is in a cookie"},
}


class LoginRoutes(Routes):
    """``/login`` and ``/logout``.

    Args:
        prefix: Of their paths.
        parts: Of the accounts.
        entry: Does it.
        answers: Knows the tokens of browsers.
    """

    def __init__(
        self, prefix: str, parts: Parts, entry: Entry, answers: Answers
    ) -> None:
        self._prefix = prefix
        self._parts = parts
        self._entry = entry
        self._answers = answers

    async def login(
        self, form: Annotated[OAuth2PasswordRequestForm, Depends()], request: Request
    ) -> Response:
        """Get a token for an e-mail, as ``username``, and its password."""
        names = self._parts.shape.names
        login = typed_login(form.username, form.password, names)
        former = self._answers.former(request)
        entered = await self._entry.sign_in(login, request, former)
        cookie, token = self._parts.auth.cookie, entered.tokens.access
        response: Response
        if cookie is None:
            response = JSONResponse(BearerToken(access_token=token).model_dump())
        else:
            response = Response(status_code=204)
            self._clear(response, but=cookie)
            cookie.set(response, token, self._parts.auth.lifetime)
        response.headers["Cache-Control"] = "no-store"  # RFC 6749 5.1
        return response

    async def logout(
        self, request: Request, user: TokenUser, claims: dict[str, Any]
    ) -> Response:
        """End the session; the token is good no more where revocation is on."""
        found = await self._parts.user_of(user)
        await self._entry.sign_out(claims, None, request, found)
        response = Response(status_code=204)
        self._clear(response)
        return response

    def _clear(self, response: Response, but: object = None) -> None:
        """Let a browser forget its tokens, that of fastapi-users' time too."""
        for cookie in self._parts.auth.token_cookies:
            if cookie is not but:
                cookie.clear(response)

    def rows(self) -> list[Row]:
        """As in `Routes`."""
        auth = self._parts.auth
        return [
            Row(
                f"{self._prefix}/login",
                self.login,
                {**LOGIN, **responses(400, 403, 413, 422, 429, 503)},
                checks=[self._parts.check_address, self._answers.check_site],
                route_class=LoginRoute,
            ),
            Row(
                f"{self._prefix}/logout",
                given_by(
                    self.logout, user=auth.verify_home_user, claims=auth.token_claims
                ),
                responses(401, 403, 503),
                status=204,
                route_class=LoginRoute,
            ),
        ]
