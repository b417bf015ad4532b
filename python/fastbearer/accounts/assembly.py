"""Accounts, assembled from their parts."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import APIRouter
from pydantic import BaseModel

from fastbearer import PasswordHash
from fastbearer.accounts.codes import Codes
from fastbearer.accounts.credentials import Credentials
from fastbearer.accounts.database import Database
from fastbearer.accounts.events import EventName, Events, Handler
from fastbearer.accounts.flows.administration import CreateUser, Users
from fastbearer.accounts.flows.email_change import EmailChange
from fastbearer.accounts.flows.entry import Entry
from fastbearer.accounts.flows.inviting import Invite, Inviting
from fastbearer.accounts.flows.outbox import Outbox
from fastbearer.accounts.flows.parts import Parts
from fastbearer.accounts.flows.recovery import Recovery
from fastbearer.accounts.home import set_home
from fastbearer.accounts.invitations import Invitations
from fastbearer.accounts.judge import Judge
from fastbearer.accounts.mail import ConfiguredSender, check_without_sender
from fastbearer.accounts.messages import Sender
from fastbearer.accounts.names import Name
from fastbearer.accounts.places import Places, log_sessions
from fastbearer.accounts.routes.answers import Answers
from fastbearer.accounts.routes.changes import Changes
from fastbearer.accounts.routes.current_account import AccountDependency
from fastbearer.accounts.routes.email_change import EmailChangeRoutes
from fastbearer.accounts.routes.fastapi_users.every import every_route
from fastbearer.accounts.routes.fastapi_users.layout import Layout, layout_of
from fastbearer.accounts.routes.profile import ProfileRoutes
from fastbearer.accounts.routes.reader import AccountsRequest
from fastbearer.accounts.routes.recovery import RecoveryRoutes
from fastbearer.accounts.routes.refusals import answers_for
from fastbearer.accounts.routes.schemas import TEXTS, PublicUser, SignUp
from fastbearer.accounts.routes.sessions import SessionRoutes
from fastbearer.accounts.routes.shaped import Shaped, check_schemas
from fastbearer.accounts.routes.token import TokenRoutes
from fastbearer.accounts.sessions import Sessions
from fastbearer.accounts.shape import Shape
from fastbearer.accounts.stores.better_auth import BetterAuthUserStore
from fastbearer.accounts.stores.checked import CheckedUserStore
from fastbearer.accounts.stores.configured import ConfiguredUserStore
from fastbearer.accounts.stores.protocol import UserStore
from fastbearer.accounts.throttle import Throttle
from fastbearer.accounts.user_claims import ClaimsFunction, UserClaims
from fastbearer.errors import ConfigurationError
from fastbearer.fastapi import Auth
from fastbearer.fastapi.client_address import ClientAddresses
from fastbearer.fastapi.start import told_start
from fastbearer.fastapi.strict_routes import StrictRoute

__all__ = ["Accounts"]

NOT_WITH_LAYOUT = (
    "layout= has a password form and schemas of its own: leave out password_form,"
    " changes and public"
)
NO_FORM = "password_form= must be True, False or a URL of the token endpoint"
NOT_NOTED = (
    "REQUIRE_VERIFIED_EMAIL=1, and the store of users does not keep email_verified"
)
PROBE = "readyz"
PREFIX = "/api/auth"
TOKEN_URL = f"{PREFIX[1:]}/token"

logger: logging.Logger = logging.getLogger("fastbearer")


def route_class(names: Sequence[Name]) -> type[StrictRoute]:
    """Return the class of the routes: it refuses in the words of the schemas."""

    class AccountsRoute(StrictRoute):
        texts = TEXTS
        reader = AccountsRequest
        answers = answers_for(names)

    return AccountsRoute


def _check_form(given: object) -> None:
    """Make sure that it is said whether there is a password form, or where.

    Raises:
        ConfigurationError: Neither is said.
    """
    if not (isinstance(given, bool) or (isinstance(given, str) and given)):
        raise ConfigurationError(NO_FORM)


class Accounts:
    """Sign-up, sign-in, sign-out and the rest, over a store of users.

    ``app.include_router(accounts.router)`` is all that an application needs:
    the router's lifespan opens the database and closes it. One object serves
    one running application.

    Args:
        auth: Signs the tokens, and has the settings; they are read when the
            application starts.
        store: In place of the table ``fastbearer_user``, or of Better Auth's where
            the settings have its database. The database of ``DATABASE_URL`` is then
            opened only for what else is kept there: codes (with ``send``),
            refresh tokens and revocations, where the settings ask for them. If the
            store has a ``lifespan``, that runs with the accounts'.
        hasher: In place of the store's ``hasher``, if it has one, and of the one
            of ``PASSWORD_SCHEME``.
        send: Sends a `Message`, as a function or a coroutine function. Without
            it, they go where the settings say: through ``SMTP_URL``, or with
            ``MAIL_CONSOLE=1`` to standard error; with a store of your own, there
            are then no routes that send any.
        sign_up: What somebody gives who signs up: a model derived from `SignUp`.
        public: What a user is shown of themselves: a model derived from `PublicUser`,
            whose fields are read from the user's row.
        claims: A function, plain or a coroutine function, that takes a user's row and
            returns further claims of their tokens; asked at sign-in and at refreshing.
        names: What users sign in with: "email", "username", "phone", or several.
        password_form: Whether there is ``/token`` as well, the token endpoint of OAuth
            2.0, which OpenAPI then names for Swagger UI's Authorize button and for
            generated clients; or its URL as seen from the OpenAPI document, where that
            is not ``api/auth/token``.
        layout: "fastapi-users", or a `FastAPIUsersLayout`, for its routes in place of
            ours: for a frontend that was made for them.
        changes: What users may change of themselves: a model of pydantic whose fields
            may all be left out. Without it, that is the name, and the user name where
            users sign in with it.

    Raises:
        ConfigurationError: ``names`` has none, or one that there is not; or a schema is
            not derived from ours, lets a sign-up set what is not the user's to set, or
            shows a secret; or ``changes`` has a field that must be given or is not the
            user's to set, or the store cannot change users.

    Attributes:
        router: The routes, under ``/api/auth`` or where the layout has them.
        database: The database of ``DATABASE_URL``.
        store: Where the users are.
        current_account: Dependency: the row of the signed-in user, who must be one of
            ours; 401 where they are gone or may not sign in. The row is in the session
            that the handler gets of the store's ``session_dependency``; without such a
            store, it is a `User` in no session.
        users: Creates, finds and changes users, for those who administer them;
            ``create_user`` is its ``create``.
        invitations: Makes invitations, lists and revokes them; ``invite`` is its
            ``make``.
    """

    def __init__(
        self,
        auth: Auth,
        *,
        store: UserStore | None = None,
        hasher: PasswordHash | None = None,
        send: Sender | None = None,
        sign_up: type[SignUp] = SignUp,
        public: type[PublicUser] = PublicUser,
        claims: ClaimsFunction | None = None,
        names: Sequence[Name] = ("email",),
        password_form: bool | str = False,
        layout: Layout | None = None,
        changes: type[BaseModel] | None = None,
    ) -> None:
        check_schemas(sign_up, public)
        _check_form(password_form)
        kept = getattr(store, "attribute_names", {})
        self._shape = Shape(sign_up, public, names, kept)
        self._is_own_store = store is not None
        self._has_tables = store is None or send is not None
        self._places = Places(
            auth, is_own_store=self._is_own_store, has_codes=self._has_tables
        )
        self.database: Database = self._places.database
        configured = ConfiguredUserStore(lambda: auth.settings, self.database)
        self.store: UserStore = configured if store is None else store
        self._auth = auth
        auth.database_revocations = self._places.database_revocations
        self._sender = ConfiguredSender(lambda: auth.settings)
        self._events = Events()
        self._throttle = Throttle(
            lambda: auth.settings,
            lambda: auth.clock(),
            len(self._shape.names),
            redis=lambda: auth.redis,
        )
        users = CheckedUserStore(self.store)
        self._credentials = Credentials(lambda: auth.settings, users, hasher)
        codes = Codes(self.database) if self._has_tables else None
        invitations = Invitations(self.database)
        self._is_sender_used = codes is not None and send is None
        self._layout = layout_of(layout)
        self._sessions = Sessions(
            *(auth, users, self.database, UserClaims(claims)),
            # There users change their e-mails while their sessions go on.
            names_email=self._layout is None,
        )
        self._users = users
        clients = auth.clients
        self._codes = codes
        shaped = Shaped(self._shape)
        parts = Parts(
            auth=auth,
            store=users,
            credentials=self._credentials,
            sessions=self._sessions,
            throttle=self._throttle,
            clients=clients,
            events=self._events,
            codes=codes,
            shape=self._shape,
            judge=Judge(shaped.sign_up, shaped.sign_up_texts),
            invitations=invitations,
            sending=None if codes is None else self._outbox(codes, clients, send),
        )
        sessions = getattr(store, "session_dependency", None)
        self.current_account: AccountDependency = AccountDependency(parts, sessions)
        self.users: Users = Users(parts, shaped.sign_up)
        self.create_user: CreateUser = self.users.create
        self.invitations: Inviting = Inviting(parts, invitations, send or self._sender)
        self.invite: Invite = self.invitations.make
        # What the store of the settings can is known when they are read.
        known = None if store is None else users
        self._changes = Changes(changes, names, known, kept)
        answers = Answers(auth, shaped)
        self.router: APIRouter = APIRouter(
            prefix=PREFIX if self._layout is None else "",
            tags=["accounts"],
            route_class=route_class(self._shape.names),
            lifespan=self.lifespan,
        )
        entry = Entry(parts)
        if self._layout is not None:
            if password_form or changes is not None or public is not PublicUser:
                raise ConfigurationError(NOT_WITH_LAYOUT)
            for routes in every_route(self._layout, parts, entry, answers):
                routes.add_to(self.router)
            return
        if password_form:
            url = TOKEN_URL if password_form is True else password_form
            auth.show_password_form(url)
            TokenRoutes(parts, entry).add_to(self.router)
        SessionRoutes(parts, entry, answers).add_to(self.router)
        ProfileRoutes(parts, answers, self._changes).add_to(self.router)
        if codes is not None:
            RecoveryRoutes(parts, Recovery(parts, codes)).add_to(self.router)
            if store is None or (users.can("change") and users.keeps("email")):
                change = EmailChange(parts, codes)
                EmailChangeRoutes(parts, change, answers).add_to(self.router)

    def on_event(self, *names: EventName) -> Callable[[Handler], Handler]:
        """Return a decorator for functions that shall know what happens.

        ``@accounts.on_event("signed_up")``, or ``@accounts.on_event()`` for all
        events. The function takes an `AccountEvent`; it may be a coroutine
        function. It runs before the answer is sent, and cannot change it: when
        it fails, that is logged.

        Raises:
            ValueError: There is no event of such a name.
        """
        return self._events.register(*names)

    async def end_sessions(self, user_id: str) -> None:
        """End every session of a user, refresh tokens included.

        Call it after you have disabled a user, or changed what a token says.

        Raises:
            StoreUnavailableError: Some may not have ended. Call it again.
        """
        await self._sessions.end_all(user_id)

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Read the settings and keep the database open while the app runs.

        The router brings it along; it is here for applications that do not
        run the lifespans of their routers.

        Raises:
            ConfigurationError: The environment is not fit for use.
        """
        async with AsyncExitStack() as stack:
            with told_start():
                await self._start(app, stack)
            yield

    async def _start(self, app: object, stack: AsyncExitStack) -> None:
        self._auth.revocations_of_accounts = self._places.own_revocations
        set_home(self._auth, is_better_auths=self._is_better_auths())
        if self._layout is not None:
            self._layout.check(self._auth.settings, self._users)
        _ = self._auth.signer
        self._credentials.prepare()
        self._sender.prepare(is_used=self._is_sender_used)
        self._check_verification()
        self._changes.check(self._users)
        log_sessions(self._auth)
        await stack.enter_async_context(self._auth.lifespan(app))
        await stack.enter_async_context(self._throttle.opened())
        if self._places.needs_database:
            await stack.enter_async_context(self.database.lifespan(app))
        if hasattr(self.store, "lifespan"):
            await stack.enter_async_context(self.store.lifespan(app))
        await self._credentials.check_store()
        await self._check_shape()

    async def check_redis(self) -> None:
        """Try what sign-in needs of Redis, over the connections that are there.

        Without any there is nothing to try.

        Raises:
            StoreUnavailableError: It cannot be reached, or refuses a command.
        """
        if self._auth.redis is None:
            return
        await self._throttle.check_store()
        # Redis is asked for, so its extra is there.
        from fastbearer.revocation.redis import RedisRevocations

        revocations = self._auth.revocations
        if isinstance(revocations, RedisRevocations):
            await revocations.replicate_once()
            await revocations.not_before(PROBE)

    async def probe_redis(self) -> None:
        """As `check_redis`, where no application runs: it hangs up in the end."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._throttle.opened())
            close = getattr(self._auth.revocations, "aclose", None)
            if close is not None:
                stack.push_async_callback(close)
            await self.check_redis()

    async def _check_shape(self) -> None:
        """Check that the store keeps what a sign-up gives, and what is to be shown.

        Raises:
            ConfigurationError: It lacks something.
        """
        given = self._shape.given
        for name in self._shape.names:
            if name != "email":
                self._users.require("find_by", f'names=("{name}", ...)')
        await self._users.check_fields(given.fields)
        await self._users.check_fields(given.always)
        self._shape.shown.check_row(getattr(self.store, "row_type", None))

    def _outbox(
        self, codes: Codes, clients: ClientAddresses, send: Sender | None
    ) -> Outbox:
        auth = self._auth
        return Outbox(lambda: auth.settings, codes, clients, send or self._sender)

    def _check_verification(self) -> None:
        """Make sure that e-mails can be verified where they have to be.

        Raises:
            ConfigurationError: They cannot.
        """
        settings = self._auth.settings
        if self._codes is None:
            check_without_sender(settings)
        if settings.require_verified_email and not self._users.keeps("email_verified"):
            raise ConfigurationError(NOT_NOTED)

    def _is_better_auths(self) -> bool:
        """Tell whether our users are those of a Better Auth server."""
        url = self._auth.settings.better_auth_database_url
        return isinstance(self.store, BetterAuthUserStore) or (
            not self._is_own_store and url is not None
        )
