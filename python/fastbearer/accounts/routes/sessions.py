"""Sign-up, sign-in, refreshing and sign-out."""

import logging
from contextlib import suppress
from typing import Any

from fastapi import HTTPException, Response
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection, Request

from fastbearer.accounts.models import User
from fastbearer.accounts.records import utc_now
from fastbearer.accounts.refresh import ReusedTokenError
from fastbearer.accounts.routes.parts import Routes, Row, given_by, verified
from fastbearer.accounts.routes.schemas import (
    TEXTS,
    Done,
    Refresh,
    SignedIn,
    SignIn,
    SignUp,
)
from fastbearer.accounts.sessions import Tokens
from fastbearer.accounts.stores.protocol import EmailTakenError, InvalidEmailError
from fastbearer.errors import KeySourceError, StoreUnavailableError, TokenError
from fastbearer.fastapi.challenges import unauthorized
from fastbearer.fastapi.dependencies import ClaimsDependency
from fastbearer.fastapi.strict_routes import refusals

__all__ = ["SessionRoutes", "wrong_credentials"]

EMAIL_TAKEN = "Email already registered"
WRONG_CREDENTIALS = "Invalid email or password"
NOT_CREATED = "Failed to create account"
WRONG_REFRESH_TOKEN = "Invalid refresh token. Please sign in again."
REFRESH_OFF = "Refresh tokens are off"
REVOCATION_OFF = "Sessions cannot be ended here: revocation is off"

CROSS_SITE = "A cookie, and from another site"

SIGN_UP = refusals(
    *(400, 403, 413, 429, 500, 503),
    texts={
        400: f"Invalid input, or: {EMAIL_TAKEN}",
        403: CROSS_SITE,
        500: NOT_CREATED,
    },
)
SIGN_IN = refusals(
    *(400, 401, 403, 413, 429, 503),
    texts={400: "Invalid input", 401: WRONG_CREDENTIALS, 403: CROSS_SITE},
)
REFRESH = refusals(
    *(400, 401, 403, 404, 413, 429, 503),
    texts={
        400: "Invalid input",
        401: WRONG_REFRESH_TOKEN,
        403: CROSS_SITE,
        404: REFRESH_OFF,
    },
)
SIGN_OUT = refusals(400, 401, 403, 413, 503, texts={403: CROSS_SITE})
SIGN_OUT_EVERYWHERE = refusals(
    *(400, 401, 403, 404, 503), texts={403: CROSS_SITE, 404: REVOCATION_OFF}
)

logger = logging.getLogger("fastbearer")


class SessionRoutes(Routes):
    """The routes by which sessions begin, go on and end."""

    async def sign_up(
        self, body: SignUp, request: Request, response: Response
    ) -> SignedIn:
        """Create an account and sign in.

        The e-mail is kept without the spaces around it and in lower case.
        """
        parts = self._parts
        parts.credentials.check_new(body.password, body.email, body.name)
        await parts.attempt("signup", request, body.email)
        password_hash = await parts.credentials.hash_new(
            body.password, body.email, body.name
        )
        now = utc_now()
        user = User(
            email=body.email,
            name=body.name,
            password_hash=password_hash,
            created_at=now,
            updated_at=now,
        )
        try:
            tokens = await self._added(user)
        except EmailTakenError:
            raise HTTPException(400, EMAIL_TAKEN) from None
        except InvalidEmailError:
            raise HTTPException(400, TEXTS["email"]) from None
        except StoreUnavailableError:
            raise
        except Exception as error:
            logger.exception("account not created")
            raise HTTPException(500, NOT_CREATED) from error
        await parts.succeed("signin", request, user.email)
        await self._end_former(request)
        await parts.tell("signed_up", request, user.email, user=user)
        return parts.answers.signed_in(user, tokens, response)

    async def _added(self, user: User) -> Tokens:
        """Keep a new user and begin their session: both, or neither."""
        parts = self._parts
        # First, for what fails after it would leave an account behind.
        parts.auth.generate_jwt_token(user.id, user.email)
        await parts.sessions.generation(user.id)
        await parts.store.add(user)
        try:
            return await parts.sessions.issue(user)
        except BaseException:
            await parts.store.remove(user)
            raise

    async def _end_former(self, request: Request) -> None:
        """End the session that a browser has had until now (ASVS 5.0 7.2.4)."""
        sessions = self._parts.sessions
        accesses, refreshes = self._parts.answers.former(request)
        for access in accesses:
            with suppress(TokenError, KeySourceError):
                claims = await verified(self._parts.auth.verifier, access)
                await sessions.end(access, claims)
        for refresh in refreshes:
            found = await sessions.session_of(refresh)
            if found is not None:
                await sessions.end_family(found[1])

    async def sign_in(
        self, body: SignIn, request: Request, response: Response
    ) -> SignedIn:
        """Get a token for an e-mail and its password."""
        parts = self._parts
        parts.credentials.check_length(body.password)
        await parts.attempt("signin", request, body.email)
        user = await self._matched(body, request)
        try:
            tokens = await parts.sessions.start(user)
        except TokenError:
            # Another hash of the same password may just have been stored.
            user = await self._matched(body, request)
            tokens = await self._started(user)
        await parts.succeed("signin", request, body.email)
        await self._end_former(request)
        await parts.tell("signed_in", request, user.email, user=user)
        return parts.answers.signed_in(user, tokens, response)

    async def _matched(self, body: SignIn, request: Request) -> User:
        """Return the user whose password is right.

        Raises:
            HTTPException: 401 where it is nobody's.
        """
        parts = self._parts
        user = await parts.store.find_by_email(body.email)
        right = await parts.credentials.match(body.password, user)
        if user is None or not right:
            await parts.tell("sign_in_failed", request, body.email, user=user)
            raise wrong_credentials()
        return user

    async def _started(self, user: User) -> Tokens:
        """Begin a session, or answer as to a wrong password."""
        try:
            return await self._parts.sessions.start(user)
        except TokenError:
            raise wrong_credentials() from None

    async def refresh(
        self, request: Request, response: Response, body: Refresh | None = None
    ) -> SignedIn:
        """Get a new token, and a new refresh token, for a refresh token."""
        parts = self._parts
        if not parts.auth.settings.refresh_tokens:
            raise HTTPException(404, REFRESH_OFF)
        given = None if body is None else body.refresh_token
        try:
            user, tokens = await parts.sessions.refresh(
                given or parts.answers.refresh_token(request)
            )
        except ReusedTokenError as error:
            await parts.tell("token_reused", request, "", user_id=error.user_id)
            raise _wrong_refresh_token() from None
        except TokenError:
            raise _wrong_refresh_token() from None
        return parts.answers.signed_in(user, tokens, response)

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
        parts = self._parts
        given = None if body is None else body.refresh_token
        given = given or parts.answers.refresh_token(request)
        found = None if given is None else await parts.sessions.session_of(given)
        email: str
        user_id: str | None
        if isinstance(claims, HTTPException):
            if found is None:
                raise claims
            email, user_id = "", found[0]
        else:
            token = parts.auth.token_claims.token(request) or ""
            email, user_id = self._named(token, claims)
            await parts.sessions.end(token, claims)
        if found is not None:
            await parts.sessions.end_family(found[1])
        parts.answers.clear(response)
        await parts.tell("signed_out", request, email, user_id=user_id)
        return Done()

    async def sign_out_everywhere(
        self, request: Request, response: Response, claims: dict[str, Any]
    ) -> Done:
        """End every session of yours, this one too."""
        parts = self._parts
        token = parts.auth.token_claims.token(request) or ""
        email, user_id = self._named(token, claims)
        if not parts.sessions.can_end:
            raise HTTPException(404, REVOCATION_OFF)
        await parts.sessions.end_all_of(token, claims)
        parts.answers.clear(response)
        await parts.tell("sessions_ended", request, email, user_id=user_id)
        return Done()

    def _named(self, token: str, claims: dict[str, Any]) -> tuple[str, str | None]:
        """Return e-mail and id of the account of a token, for events.

        Somebody else's user has none, though we may have another of that name.

        Raises:
            HTTPException: 401 where the token names nobody.
        """
        auth = self._parts.auth
        user = auth.user_of(claims)
        if auth.scope_of(token, claims):
            return "", None
        return user["email"], user["user_id"]

    async def check_site(self, request: Request) -> None:
        """Refuse a request from another site where cookies have the tokens."""
        cookie = self._parts.auth.cookie
        if cookie is not None:
            cookie.check_origin(request.scope)

    def rows(self) -> list[Row]:
        """As in `Routes`."""
        auth = self._parts.auth
        limited = [self._parts.check_address, self.check_site]
        return [
            Row("/signup", self.sign_up, SIGN_UP, status=201, checks=limited),
            Row("/signin", self.sign_in, SIGN_IN, checks=limited),
            Row("/refresh", self.refresh, REFRESH, checks=limited),
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
        self.model = claims.model
        self.scheme_name = claims.scheme_name
        self._claims = claims

    async def __call__(self, conn: HTTPConnection) -> dict[str, Any] | HTTPException:
        """Return the one or the other; what is no 401 is raised."""
        try:
            return await self._claims(conn)
        except HTTPException as refusal:
            if refusal.status_code != 401:
                raise
            return refusal


def wrong_credentials() -> HTTPException:
    """Return the 401 of a sign-in."""
    return unauthorized(WRONG_CREDENTIALS)


def _wrong_refresh_token() -> HTTPException:
    return unauthorized(WRONG_REFRESH_TOKEN)
