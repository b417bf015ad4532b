"""Sign-up, sign-in, refreshing and sign-out."""

import logging
from typing import Any

from fastapi import HTTPException, Response
from starlette.requests import Request

from fastbearer.accounts.models import User
from fastbearer.accounts.records import utc_now
from fastbearer.accounts.refresh import ReusedTokenError
from fastbearer.accounts.routes.parts import Routes, Row, given_by
from fastbearer.accounts.routes.schemas import (
    TEXTS,
    Done,
    Refresh,
    SignedIn,
    SignIn,
    SignUp,
)
from fastbearer.accounts.stores.protocol import EmailTakenError, InvalidEmailError
from fastbearer.errors import StoreUnavailableError, TokenError
from fastbearer.fastapi import TokenUser
from fastbearer.fastapi.challenges import unauthorized
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
SIGN_OUT = refusals(400, 401, 403, 503, texts={403: CROSS_SITE})
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
            # First, for what fails after it would leave an account behind.
            parts.auth.generate_jwt_token(user.id, user.email)
            await parts.store.add(user)
            tokens = await parts.sessions.issue(user)
        except EmailTakenError:
            raise HTTPException(400, EMAIL_TAKEN) from None
        except InvalidEmailError:
            raise HTTPException(400, TEXTS["email"]) from None
        except StoreUnavailableError:
            raise
        except Exception as error:
            logger.exception("account not created")
            raise HTTPException(500, NOT_CREATED) from error
        await parts.tell("signed_up", request, user.email, user=user)
        return parts.answers.signed_in(user, tokens, response)

    async def sign_in(
        self, body: SignIn, request: Request, response: Response
    ) -> SignedIn:
        """Get a token for an e-mail and its password."""
        parts = self._parts
        parts.credentials.check_length(body.password)
        await parts.attempt("signin", request, body.email)
        user = await parts.store.find_by_email(body.email)
        right = await parts.credentials.match(body.password, user)
        if user is None or not right:
            await parts.tell("sign_in_failed", request, body.email, user=user)
            raise wrong_credentials()
        try:
            tokens = await parts.sessions.start(user)
        except TokenError:
            raise wrong_credentials() from None
        await parts.throttle.forget("signin", body.email)
        await parts.tell("signed_in", request, user.email, user=user)
        return parts.answers.signed_in(user, tokens, response)

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
        claims: dict[str, Any],
        user: TokenUser,
    ) -> Done:
        """End a session: the client forgets its token.

        Where revocation is on, the token is good no more; otherwise nothing is
        kept about tokens, and it stays valid until it expires.
        """
        parts = self._parts
        token = parts.auth.token_claims.token(request) or ""
        await parts.sessions.end(token, claims)
        parts.answers.clear(response)
        await parts.tell("signed_out", request, user["email"], user_id=user["user_id"])
        return Done()

    async def sign_out_everywhere(self, request: Request, user: TokenUser) -> Done:
        """End every session of yours, this one too."""
        parts = self._parts
        if not parts.sessions.can_end:
            raise HTTPException(404, REVOCATION_OFF)
        await parts.sessions.end_all(user["user_id"])
        await parts.tell(
            "sessions_ended", request, user["email"], user_id=user["user_id"]
        )
        return Done()

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
                given_by(
                    self.sign_out, claims=auth.token_claims, user=auth.verify_jwt_token
                ),
                SIGN_OUT,
            ),
            Row(
                "/signout-everywhere",
                given_by(self.sign_out_everywhere, user=auth.verify_jwt_token),
                SIGN_OUT_EVERYWHERE,
            ),
        ]


def wrong_credentials() -> HTTPException:
    """Return the 401 of a sign-in."""
    return unauthorized(WRONG_CREDENTIALS)


def _wrong_refresh_token() -> HTTPException:
    return unauthorized(WRONG_REFRESH_TOKEN)
