"""Sign-up, sign-in and sign-out."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, Depends, HTTPException, Response

from fastbearer import PasswordHash
from fastbearer.accounts.credentials import Credentials
from fastbearer.accounts.database import Database, StoreUnavailableError
from fastbearer.accounts.models import User, utc_now
from fastbearer.accounts.schemas import (
    TEXTS,
    PublicUser,
    Session,
    SignedIn,
    SignedOut,
    SignIn,
    SignUp,
)
from fastbearer.accounts.store import DatabaseUserStore, EmailTakenError, UserStore
from fastbearer.accounts.strict import StrictRoute, refusals
from fastbearer.fastapi import Auth

__all__ = ["Accounts"]

EMAIL_TAKEN = "Email already registered"
WRONG_CREDENTIALS = "Invalid email or password"
NOT_CREATED = "Failed to create account"

logger = logging.getLogger("fastbearer")


class AccountsRoute(StrictRoute):
    """Invalid input is refused in the words of the schemas."""

    texts = TEXTS


class Accounts:
    """Sign-up, sign-in and sign-out over a store of users.

    ``app.include_router(accounts.router)`` is all that an application needs:
    the router's lifespan opens the database and closes it. One object serves
    one running application.

    Args:
        auth: Signs the tokens, and has the settings; they are read when the
            application starts.
        store: In place of the table ``fastbearer_user``; then no database is
            opened for the routes.
        hasher: In place of the one of ``PASSWORD_SCHEME``.

    Attributes:
        router: The routes, under ``/api/auth``.
        database: The database of ``DATABASE_URL``.
        store: Where the users are.
    """

    def __init__(
        self,
        auth: Auth,
        *,
        store: UserStore | None = None,
        hasher: PasswordHash | None = None,
    ) -> None:
        self.database = Database(lambda: auth.settings.database_url)
        self.store = DatabaseUserStore(self.database) if store is None else store
        self._owns_store = store is None
        self._auth = auth
        self._credentials = Credentials(lambda: auth.settings, self.store, hasher)
        self.router = self._make_router()

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Read the settings and keep the database open while the app runs.

        The router brings it along; it is here for applications that do not
        run the lifespans of their routers.

        Raises:
            ConfigurationError: The environment is not fit for use.
        """
        _ = self._auth.signer
        if not self._owns_store:
            yield
            return
        async with self.database.lifespan(app):
            yield

    async def sign_up(self, body: SignUp, response: Response) -> SignedIn:
        """Create an account and sign in.

        The e-mail is kept without the spaces around it and in lower case.
        """
        password_hash = await self._credentials.hash_new(body.password)
        now = utc_now()
        user = User(
            email=body.email,
            name=body.name,
            password_hash=password_hash,
            created_at=now,
            updated_at=now,
        )
        try:
            answer = self._signed_in(user, response)
            # Last, for what fails after it would leave an account behind.
            await self.store.add(user)
        except EmailTakenError:
            raise HTTPException(400, EMAIL_TAKEN) from None
        except StoreUnavailableError:
            raise
        except Exception as error:
            logger.exception("account not created")
            raise HTTPException(500, NOT_CREATED) from error
        return answer

    async def sign_in(self, body: SignIn, response: Response) -> SignedIn:
        """Get a token for an e-mail and its password."""
        user = await self.store.find_by_email(body.email)
        right = await self._credentials.match(body.password, user)
        if user is None or not right:
            raise _wrong_credentials()
        return self._signed_in(user, response)

    async def sign_out(self) -> SignedOut:
        """End a session: the client forgets its token.

        Nothing is kept about tokens, so the token itself stays valid until it
        expires.
        """
        return SignedOut()

    def _signed_in(self, user: User, response: Response) -> SignedIn:
        response.headers["Cache-Control"] = "no-store"  # RFC 6749 5.1
        token = self._auth.generate_jwt_token(user.id, user.email)
        session = Session(token=token, user=PublicUser.model_validate(user))
        return SignedIn(data=session)

    def _make_router(self) -> APIRouter:
        router = APIRouter(
            prefix="/api/auth",
            tags=["accounts"],
            route_class=AccountsRoute,
            lifespan=self.lifespan,
        )
        router.add_api_route(
            "/signup",
            self.sign_up,
            methods=["POST"],
            status_code=201,
            responses=refusals(
                *(400, 413, 500, 503),
                texts={400: f"Invalid input, or: {EMAIL_TAKEN}", 500: NOT_CREATED},
            ),
        )
        router.add_api_route(
            "/signin",
            self.sign_in,
            methods=["POST"],
            responses=refusals(
                *(400, 401, 413, 503),
                texts={400: "Invalid input", 401: WRONG_CREDENTIALS},
            ),
        )
        router.add_api_route(
            "/signout",
            self.sign_out,
            methods=["POST"],
            dependencies=[Depends(self._auth.verify_jwt_token)],
            responses=refusals(400, 401),
        )
        return router


def _wrong_credentials() -> HTTPException:
    # RFC 9110 15.5.2 asks for a challenge in every 401.
    challenge = {"WWW-Authenticate": 'Bearer realm="fastbearer"'}
    return HTTPException(401, WRONG_CREDENTIALS, headers=challenge)
