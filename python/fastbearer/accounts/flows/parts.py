"""What the flows work with."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import HTTPConnection

from fastbearer.accounts.codes import Codes
from fastbearer.accounts.credentials import Credentials
from fastbearer.accounts.events import AccountEvent, EventName, Events
from fastbearer.accounts.flows.errors import (
    NoSuchUserError,
    OvertakenError,
    UnverifiedError,
    WrongPasswordError,
)
from fastbearer.accounts.flows.outbox import Outbox
from fastbearer.accounts.given import is_privilege
from fastbearer.accounts.invitations import Invitations
from fastbearer.accounts.judge import Judge
from fastbearer.accounts.models import User
from fastbearer.accounts.names import NAMES, wanted_name
from fastbearer.accounts.sessions import Sessions, Tokens
from fastbearer.accounts.shape import Shape
from fastbearer.accounts.stores.checked import CheckedUserStore
from fastbearer.accounts.throttle import Counted, Kind, Throttle, by_name, by_user
from fastbearer.errors import (
    ConfigurationError,
    StoreUnavailableError,
    TokenError,
    TooManyAttemptsError,
)
from fastbearer.fastapi import Auth, TokenUser
from fastbearer.fastapi.client_address import UNKNOWN, ClientAddresses
from fastbearer.fastapi.home_users import SINCE
from fastbearer.fastapi.refusal_log import log_refusal
from fastbearer.fastapi.strict_routes import keep_done, on_outage
from fastbearer.revocation.protocol import is_too_old

__all__ = ["Parts", "unless_away", "verified"]

OF_TOKENS = frozenset(("email", "roles", "is_active"))
"""What a token says of its user, or whoever has one: when it changes, sessions end."""

NO_SENDER = "there is no way to send messages"
NO_SUCH_USER = "there is no such account: it may have been deleted"

logger: logging.Logger = logging.getLogger("fastbearer")


@dataclass(frozen=True)
class Parts:
    """One set of accounts, in its parts."""

    auth: Auth
    store: CheckedUserStore
    credentials: Credentials
    sessions: Sessions
    throttle: Throttle
    clients: ClientAddresses
    events: Events
    codes: Codes | None
    shape: Shape
    judge: Judge
    invitations: Invitations | None = None
    sending: Outbox | None = None

    @property
    def outbox(self) -> Outbox:
        """What writes to users.

        Raises:
            ConfigurationError: Nothing does; the start has said so.
        """
        if self.sending is None:
            raise ConfigurationError(NO_SENDER)
        return self.sending

    async def end_codes(self, user: User) -> None:
        """End the codes of a user; without a sender, there are none.

        Raises:
            StoreUnavailableError: They may not have ended.
        """
        if self.codes is not None:
            await self.codes.end_all(user.id)

    async def sweep_codes(self, user: User) -> None:
        """End codes that are good no more, as their user has changed or is gone.

        That they cannot be deleted does not undo that.
        """
        with unless_away("codes not deleted"):
            await self.end_codes(user)

    async def tell(
        self,
        name: EventName,
        request: HTTPConnection,
        email: str,
        *,
        user: User | None = None,
        user_id: str | None = None,
        former_email: str | None = None,
    ) -> None:
        """Tell what has happened."""
        known = user.id if user is not None else user_id
        address = self.clients.of(request.scope) or UNKNOWN
        await self.events.tell(
            AccountEvent(name, email, address, known, user, former_email=former_email)
        )

    async def tell_done(
        self, name: EventName, email: str, user: User | None = None
    ) -> None:
        """Tell what an administrator has done, outside of requests."""
        user_id = None if user is None else user.id
        await self.events.tell(AccountEvent(name, email, "", user_id, user))

    async def attempt(
        self, kind: Kind, request: HTTPConnection, email: str, *counted: Counted
    ) -> None:
        """Count an attempt; it is given back if we are too busy, until `keep`.

        Args:
            kind: Of attempt.
            request: By which it is made.
            email: Whose account it is about.
            counted: By what.

        Raises:
            TooManyAttemptsError: There were too many.
            StoreUnavailableError: It cannot be counted.
        """
        address = self.clients.of(request.scope)
        for one in counted:
            try:
                await self.throttle.take(kind, one, address)
            except TooManyAttemptsError:
                await self.tell("locked_out", request, email)
                raise
            undo = partial(self.throttle.give_back, kind, one, address)
            on_outage(request.scope, _attempt(kind, one), undo)

    def keep(self, kind: Kind, request: HTTPConnection, *counted: Counted) -> None:
        """Let an attempt stay counted, though we may be too busy for what follows.

        What was looked at may be learnt from how the request ends: whoever fills the
        queue would try again and again for nothing.

        Args:
            kind: As in `attempt`, like the others.
            request: By which it is made.
            counted: By what.
        """
        for one in counted:
            keep_done(request.scope, _attempt(kind, one))

    async def is_within_limits(
        self, kind: Kind, request: HTTPConnection, email: str, counted: Counted
    ) -> bool:
        """Count as `attempt` does, and tell whether there were not too many.

        Raises:
            StoreUnavailableError: It cannot be counted.
        """
        try:
            await self.attempt(kind, request, email, counted)
        except TooManyAttemptsError:
            return False
        return True

    async def attempt_message(self, user: User, request: HTTPConnection) -> None:
        """Count a message that a user causes: by the user, and by where it goes.

        What is sent to those without an e-mail goes nowhere that we know of.

        Raises:
            TooManyAttemptsError: There were too many.
            StoreUnavailableError: It cannot be counted.
        """
        counted = [by_user(user)]
        if user.email:
            counted.append(by_name(user.email, user))
        await self.attempt("message", request, user.email, *counted)

    async def attempt_names(
        self, user: User, values: Mapping[str, Any], request: HTTPConnection
    ) -> tuple[Counted, ...]:
        """Count that a user takes other names: what is tried tells who has them.

        Args:
            user: As they are.
            values: Field -> what it is to be. Without another name nothing is counted.
            request: By which it is asked for.

        Returns:
            By what it was counted, for `keep`.

        Raises:
            InvalidNameError: A name is not in order.
            TooManyAttemptsError: There were too many.
            StoreUnavailableError: It cannot be counted.
        """
        given = {name: values.get(name) for name in NAMES}
        names = [
            by_name(wanted_name(name, value), user)
            for name, value in given.items()
            if value and value != user.called(name)
        ]
        counted = (by_user(user), *names) if names else ()
        await self.attempt("signup", request, user.email, *counted)
        return counted

    async def succeed(
        self,
        kind: Kind,
        request: HTTPConnection,
        *counted: Counted,
        user: User | None = None,
    ) -> None:
        """Take an attempt back that was right, and forget those before it.

        That it cannot be stored does not undo what has succeeded.

        Args:
            kind: As in `attempt`, like the next two.
            request: By which it was made.
            counted: By what.
            user: To whom the client is known from now on.
        """
        self.keep(kind, request, *counted)  # lest it be taken back twice
        address = self.clients.of(request.scope)
        with unless_away("attempts not forgotten"):
            await self.throttle.succeed(kind, counted, address, user)

    async def let_in(self, user: User, request: HTTPConnection) -> None:
        """Forget a client's failed sign-ins: it has just set the user's password.

        That it cannot be stored does not undo that.
        """
        address = self.clients.of(request.scope)
        counted = by_name(self.shape.called(user), user), by_user(user)
        with unless_away("attempts not forgotten"):
            for one in counted:
                await self.throttle.forget("signin", one, address)

    async def check_address(self, request: HTTPConnection) -> None:
        """Count a request from its client's address: a dependency.

        Raises:
            TooManyAttemptsError: There were too many.
            StoreUnavailableError: It cannot be counted.
        """
        await self.throttle.check_address(self.clients.of(request.scope))

    async def user_of(self, user: TokenUser, session: Any = None) -> User:
        """Return the user of a token.

        Args:
            user: Of the token.
            session: Of the project, in which their row is to be; or None.

        Raises:
            NoSuchUserError: They are gone, or never were.
        """
        if session is None:
            found = await self.store.find(user["user_id"])
        else:
            found = await self.store.find_in(session, user["user_id"])
        if found is None:
            log_refusal("invalid_claim", "no_such_user", "sub", NO_SUCH_USER)
            raise NoSuchUserError(NO_SUCH_USER)
        return found

    async def user_to_change(self, user: TokenUser, request: HTTPConnection) -> User:
        """Return the user of a token that is good still, now that they were read.

        A password that was replaced since the token was looked at is not seen in what
        was read after it: only that the sessions have ended tells of it.

        Args:
            user: Of the token.
            request: With the token.

        Raises:
            NoSuchUserError: They are gone, or never were.
            OvertakenError: All their sessions have ended meanwhile.
            StoreUnavailableError: Nobody can tell, and the settings do not say that
                the token is good then.
        """
        found = await self.user_of(user)
        if SINCE in request.scope:
            try:
                least = await self.sessions.generation(found.id)
            except StoreUnavailableError:
                if not self.auth.is_open_without_revocations:
                    raise
            else:
                if is_too_old(request.scope[SINCE], least):
                    raise OvertakenError("overtaken")
        return found

    async def confirmed(
        self, user: TokenUser, password: str, on: HTTPConnection
    ) -> User:
        """Return the user of a token, who has given their password.

        Guesses count as those at sign-in do, for whatever name.

        Raises:
            NoSuchUserError: They are gone, or never were.
            WrongPasswordError: The password is wrong.
            TooManyAttemptsError: There were too many guesses.
        """
        found = await self.user_of(user)
        self.credentials.check_length(password)
        named = self.shape.called(found)
        counted = by_name(named, found), by_user(found)
        await self.attempt("signin", on, named, *counted)
        compared = partial(self.keep, "signin", on, *counted)
        if not await self.credentials.match(password, found, compared):
            await self.tell("password_refused", on, found.email, user=found)
            raise WrongPasswordError("the password is wrong")
        await self.succeed("signin", on, *counted, user=found)
        return found

    def may_enter(self, user: User) -> bool:
        """Tell whether a user may have a session, or must verify their e-mail first."""
        return user.email_verified or not self.auth.settings.require_verified_email

    def check_entry(self, user: User) -> None:
        """Make sure that a user may have a session.

        Raises:
            UnverifiedError: The e-mail is to be verified first.
        """
        if not self.may_enter(user):
            raise UnverifiedError("the e-mail is not verified")

    async def check_session(self, user: User) -> None:
        """Make sure that a session can begin, before what ends all others is done.

        Raises:
            UnverifiedError: The e-mail is to be verified first.
            ClaimsError: The project's claims cannot be in a token.
        """
        self.check_entry(user)
        await self.sessions.check_claims(user)

    def ends_sessions(self, values: Mapping[str, Any]) -> bool:
        """Tell whether sessions end when fields of their user get some values.

        That is so where a token says something of them, or what a project may have
        made of them with ``claims=``, or nobody with such values may have one.
        """
        grants = any(map(is_privilege, values.keys() - User.model_fields.keys()))
        if grants or OF_TOKENS & values.keys():
            return True
        needs_proof = self.auth.settings.require_verified_email
        return needs_proof and not values.get("email_verified", True)

    def ending(
        self, user: User, *, only_if: bool = True, before: bool = True
    ) -> AbstractAsyncContextManager[None]:
        """End every session of a user around one change of theirs.

        Args:
            user: Whose.
            only_if: Whether the change ends them at all.
            before: As in `Sessions.ending_all`.
        """
        if not only_if:
            return nullcontext()
        return self.sessions.ending_all(user.id, before=before)

    async def issued_to(self, user: User) -> Tokens:
        """Begin the session that goes on after all others have ended.

        Raises:
            UnverifiedError: The e-mail is to be verified first.
            OvertakenError: The user has changed once more meanwhile.
        """
        self.check_entry(user)
        try:
            return await self.sessions.start(user)
        except TokenError as error:
            raise OvertakenError("overtaken") from error

    async def delete(self, user: User, request: HTTPConnection) -> None:
        """Delete a user, and end their sessions and codes.

        Raises:
            OvertakenError: Their password has changed meanwhile.
            UserInUseError: Rows of other tables refer to the user.
        """
        async with self.ending(user, before=False):
            if not await self.store.remove(user):
                raise OvertakenError("overtaken")
        await self.sweep_codes(user)
        await self.tell("account_deleted", request, user.email, user=user)


def _attempt(kind: Kind, counted: Counted) -> tuple[Any, ...]:
    """Return what names an attempt: that remains when a hash is renewed."""
    return kind, counted.key, counted.is_name


@contextmanager
def unless_away(undone: str) -> Iterator[None]:
    """Do what may be left undone, once what was asked for has succeeded.

    Args:
        undone: What to log where a store is away.
    """
    try:
        yield
    except StoreUnavailableError as error:
        logger.error("%s: %s", undone, error.__cause__ or error)


async def verified(verifier: Any, token: str) -> dict[str, Any]:
    """Return the claims of a token that is good, whether or not it has ended."""
    averify = getattr(verifier, "averify", None)
    claims: dict[str, Any] = (
        verifier.verify(token) if averify is None else await averify(token)
    )
    return claims
