"""Sign-up, sign-in, refreshing and sign-out."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, TypeVar

from starlette.requests import HTTPConnection

from fastbearer.accounts.flows.admission import Admission
from fastbearer.accounts.flows.errors import (
    NotCreatedError,
    RefreshOffError,
    RevocationOffError,
    UnverifiedError,
    UnverifiedLoginError,
    WrongCredentialsError,
    WrongInvitationError,
    WrongRefreshTokenError,
)
from fastbearer.accounts.flows.parts import Parts, unless_away, verified
from fastbearer.accounts.flows.registration import Registration
from fastbearer.accounts.models import Invitation, User
from fastbearer.accounts.names import InvalidNameError, Name, given_name, name_of
from fastbearer.accounts.records import utc_now
from fastbearer.accounts.refresh import ReusedTokenError
from fastbearer.accounts.sessions import Tokens
from fastbearer.accounts.stores.protocol import (
    EmailTakenError,
    InvalidEmailError,
    NameTakenError,
    UnkeepableError,
)
from fastbearer.accounts.throttle import by_name, by_user
from fastbearer.errors import (
    KeySourceError,
    StoreUnavailableError,
    TokenError,
)
from fastbearer.utf8 import utf8_of

__all__ = ["Entered", "Entry", "Former", "Login", "typed_login"]

PASSES = (
    EmailTakenError,
    NameTakenError,
    InvalidEmailError,
    InvalidNameError,
    StoreUnavailableError,
    UnkeepableError,
    WrongInvitationError,
)
"""What is said of a new user without the store having failed."""

FORMER_GOES_ON = "former session not ended"

logger: logging.Logger = logging.getLogger("fastbearer")

T = TypeVar("T")


class Entered(NamedTuple):
    """A user, and the tokens of their session."""

    user: User
    tokens: Tokens


class Login(NamedTuple):
    """What somebody says who they are.

    Attributes:
        name: The kind of name.
        value: In its one form.
        password: As it was typed.
    """

    name: Name
    value: str
    password: str


def typed_login(text: str, password: str, names: Sequence[Name]) -> Login:
    """Return who somebody says they are: the shape of a name tells its kind.

    Args:
        text: As it was typed.
        password: As it was typed.
        names: What users sign in with.

    Raises:
        WrongCredentialsError: Nobody can have such a name here, or such a password.
    """
    name = name_of(text)
    if utf8_of(text + password) is None:
        raise WrongCredentialsError("nobody can have such a name or password")
    try:
        value = given_name(name, text)
    except ValueError:
        raise WrongCredentialsError("nobody can have such a name") from None
    if name not in names or "\0" in text + password:
        raise WrongCredentialsError("nobody signs in with such a name")
    return Login(name, value, password)


class Former(NamedTuple):
    """The tokens that a browser has had until now; any of them may be bad."""

    accesses: Sequence[str] = ()
    refreshes: Sequence[str] = ()


NO_SESSION = Former()


class Entry:
    """How sessions begin, go on and end.

    Args:
        parts: What it works with.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._admission = Admission(parts)
        self._registration = Registration(parts)

    async def sign_up(
        self,
        user: User,
        password: str,
        request: HTTPConnection,
        former: Former = NO_SESSION,
        invitation: str | None = None,
    ) -> Entered | None:
        """Add a user, and begin their first session.

        Where only verified users have one, a message is sent and None returned,
        whether or not somebody has the e-mail.

        Args:
            user: Without a hash.
            password: As it was typed.
            request: By which it is asked for.
            former: The session that the browser has had.
            invitation: The code of one.

        Raises:
            SignUpClosedError: Nobody may sign up.
            WrongInvitationError: There must be an invitation, and it is not good.
            PasswordRuleError: The password breaks a rule.
            EmailTakenError: Somebody has the e-mail.
            NameTakenError: Somebody has the user name or the phone number.
            InvalidEmailError: The store does not keep such e-mails.
            UnkeepableError: It does not keep what they give.
            NotCreatedError: The store has failed.
            TooManyAttemptsError: There were too many.
        """
        parts = self._parts
        ticket = await self._prepare(user, password, request, invitation)
        if not parts.may_enter(user):
            add = partial(self._admission.add, user, ticket)
            use_up = partial(self._admission.use_up, ticket)
            await _created(self._registration.register(user, request, add, use_up))
            return None
        tokens = await _created(self._added(user, ticket))
        await parts.let_in(user, request)
        await self._end_former(former)
        await parts.tell("signed_up", request, user.email, user=user)
        self._registration.welcome(user, request)
        return Entered(user, tokens)

    async def register(
        self,
        user: User,
        password: str,
        request: HTTPConnection,
        invitation: str | None,
        show: Callable[[User], T],
    ) -> T:
        """Add a user, whose first session is to come; otherwise as `sign_up`.

        Whether somebody has the e-mail is told.

        Args:
            user: As in `sign_up`, like the next three.
            password: As it was typed.
            request: By which it is asked for.
            invitation: The code of one.
            show: Makes of the new user what is answered.
        """
        parts = self._parts
        ticket = await self._prepare(user, password, request, invitation)
        shown = await _created(self._seen(user, ticket, show))
        await parts.tell("signed_up", request, user.email, user=user)
        self._registration.welcome(user, request)
        return shown

    async def _seen(
        self, user: User, ticket: Invitation | None, show: Callable[[User], T]
    ) -> T:
        """Keep a new user and make what is answered: both, or neither."""
        await self._admission.add(user, ticket)
        try:
            return show(await self._parts.store.find(user.id) or user)
        except BaseException:
            await self._admission.undo(user, ticket)
            raise

    async def _prepare(
        self,
        user: User,
        password: str,
        request: HTTPConnection,
        invitation: str | None,
    ) -> Invitation | None:
        """Let a new user in, and hash the password, if it is one.

        Returns:
            The invitation, where there must be one.
        """
        parts = self._parts
        self._admission.check_open()
        names = user.other_names
        parts.credentials.check_new(password, user.email, *names)
        # First, for who may not sign up must not use up the attempts of who may.
        ticket = await self._admission.admit(user, invitation, request)
        named = parts.shape.called(user)
        await parts.attempt("signup", request, named, by_name(named))
        newer = await parts.credentials.hash_new(password, user.email, *names)
        user.password_hash = newer
        user.created_at = user.updated_at = utc_now()
        return ticket

    async def _added(self, user: User, ticket: Invitation | None) -> Tokens:
        """Keep a new user and begin their session: both, or neither."""
        parts = self._parts
        # First, for what fails after it would leave an account behind.
        parts.auth.generate_jwt_token(user.id, user.email)
        await parts.sessions.generation(user.id)
        await self._admission.add(user, ticket)
        try:
            parts.shape.shown.of(user, parts.shape.public)
            return await parts.sessions.issue(user)
        except BaseException:
            await self._admission.undo(user, ticket)
            raise

    async def sign_in(
        self, login: Login, request: HTTPConnection, former: Former = NO_SESSION
    ) -> Entered:
        """Begin a session for a name and its password.

        That a user has been guessed at by too many names looks like a wrong password:
        of an unknown name nobody could be told anything else.

        Raises:
            WrongCredentialsError: It is nobody's, or not theirs.
            UnverifiedLoginError: It is right, but the e-mail is to be verified first.
            PasswordRuleError: The password is longer than any may be.
            TooManyAttemptsError: There were too many.
        """
        parts = self._parts
        parts.credentials.check_length(login.password)
        found = await self._guessed(login, request)
        counted = by_name(login.value, found), by_user(found, login.value)
        user = await self._matched(login, found, request)
        try:
            tokens = await parts.sessions.start(user)
        except TokenError:
            # Another hash of the same password may just have been stored.
            found = await parts.store.find_by(login.name, login.value)
            user = await self._matched(login, found, request)
            tokens = await self._started(user)
        await parts.succeed("signin", request, *counted, user=user)
        await self._end_former(former)
        await parts.tell("signed_in", request, user.email, user=user)
        return Entered(user, tokens)

    async def _guessed(self, login: Login, request: HTTPConnection) -> User | None:
        """Count a guess, and return whose password may be compared, if anybody's.

        Raises:
            TooManyAttemptsError: There were too many for the name.
        """
        parts, name = self._parts, login.value
        user = await parts.store.find_by(login.name, name)
        await parts.attempt("signin", request, name, by_name(name, user))
        counted = by_user(user, name)
        if await parts.is_within_limits("signin", request, name, counted):
            return user
        return None

    async def _matched(
        self, login: Login, user: User | None, request: HTTPConnection
    ) -> User:
        """Return the user whose password is right.

        Raises:
            WrongCredentialsError: It is nobody's.
            UnverifiedLoginError: It is theirs, but they may not have a session.
        """
        parts = self._parts
        counted = by_name(login.value, user), by_user(user, login.value)
        compared = partial(parts.keep, "signin", request, *counted)
        right = await parts.credentials.match(login.password, user, compared)
        if user is None or not right:
            await parts.tell("sign_in_failed", request, login.value, user=user)
            raise WrongCredentialsError("nobody has this name and this password")
        if not parts.may_enter(user):
            await parts.tell("sign_in_failed", request, login.value, user=user)
            raise UnverifiedLoginError("the e-mail is not verified")
        return user

    async def _started(self, user: User) -> Tokens:
        """Begin a session, or fail as for a wrong password."""
        try:
            return await self._parts.sessions.start(user)
        except TokenError:
            raise WrongCredentialsError("the user has changed meanwhile") from None

    async def refresh(self, token: str | None, request: HTTPConnection) -> Entered:
        """Go on with the session of a refresh token.

        Raises:
            RefreshOffError: There are no refresh tokens here.
            WrongRefreshTokenError: It is not good.
            UnverifiedError: The e-mail is to be verified first; the session has ended.
        """
        parts = self._parts
        if not parts.auth.settings.refresh_tokens:
            raise RefreshOffError("refresh tokens are off")
        try:
            entered = Entered(*await parts.sessions.refresh(token))
        except ReusedTokenError as error:
            await parts.tell("token_reused", request, "", user_id=error.user_id)
            raise WrongRefreshTokenError("the refresh token was used before") from None
        except TokenError as error:
            raise WrongRefreshTokenError(str(error)) from None
        if parts.may_enter(entered.user):
            return entered
        if entered.tokens.refresh is not None:
            await parts.sessions.end_family(entered.tokens.refresh.family)
        raise UnverifiedError("the e-mail is not verified")

    async def sign_out(
        self,
        claims: dict[str, Any] | None,
        refresh: str | None,
        on: HTTPConnection,
        user: User | None = None,
    ) -> None:
        """End a session, by its access token, its refresh token, or both.

        Args:
            claims: Those of the access token of the request; None without a good one.
            refresh: The refresh token, if one was given.
            on: The request.
            user: Whose session it is, where that is known.

        Raises:
            WrongRefreshTokenError: There is no token that is good.
        """
        parts = self._parts
        found = None if refresh is None else await parts.sessions.session_of(refresh)
        email: str
        user_id: str | None
        if claims is None:
            if found is None:
                raise WrongRefreshTokenError("there is no good token")
            email, user_id = "", found[0]
        else:
            token = parts.auth.token_claims.token(on) or ""
            email, user_id = self._named(token, claims)
            await parts.sessions.end(token, claims)
        if found is not None:
            await parts.sessions.end_family(found[1])
        email = email if user is None else user.email
        await parts.tell("signed_out", on, email, user_id=user_id)

    async def sign_out_everywhere(
        self, claims: dict[str, Any], on: HTTPConnection
    ) -> None:
        """End every session of whom the token of a request names.

        Raises:
            RevocationOffError: They cannot be ended.
        """
        parts = self._parts
        token = parts.auth.token_claims.token(on) or ""
        email, user_id = self._named(token, claims)
        if not parts.sessions.can_end:
            raise RevocationOffError("revocation is off")
        await parts.sessions.end_all_of(token, claims)
        await parts.tell("sessions_ended", on, email, user_id=user_id)

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

    async def _end_former(self, former: Former) -> None:
        """End the session that a browser has had until now (ASVS 5.0 7.2.4).

        That it cannot end does not undo the one that has begun.
        """
        sessions = self._parts.sessions
        for access in former.accesses:
            with suppress(TokenError, KeySourceError), unless_away(FORMER_GOES_ON):
                claims = await verified(self._parts.auth.verifier, access)
                await sessions.end(access, claims)
        for refresh in former.refreshes:
            with unless_away(FORMER_GOES_ON):
                found = await sessions.session_of(refresh)
                if found is not None:
                    await sessions.end_family(found[1])


async def _created(work: Awaitable[T]) -> T:
    """Do what keeps a new user.

    Raises:
        NotCreatedError: It has failed.
    """
    try:
        return await work
    except PASSES:
        raise
    except Exception as error:
        logger.exception("account not created")
        raise NotCreatedError("account not created") from error
