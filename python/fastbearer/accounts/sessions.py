"""What begins with a sign-in, goes on by refreshing, and ends."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

from fastbearer.accounts.database import Database
from fastbearer.accounts.models import User
from fastbearer.accounts.records import new_id
from fastbearer.accounts.refresh import Issued, RefreshTokens, ReusedTokenError
from fastbearer.accounts.stores.protocol import UserStore
from fastbearer.accounts.user_claims import ClaimsError, UserClaims
from fastbearer.errors import (
    ConfigurationError,
    FastbearerError,
    StoreUnavailableError,
    TokenError,
)
from fastbearer.fastapi import Auth
from fastbearer.revocation.protocol import names_of, session_id

__all__ = ["Sessions", "Tokens"]

CLOCK_DIFFERENCE_SECONDS = 3600
"""By which the clocks of two processes may differ."""
MOST_LENGTH = 4000
"""Of a token with claims of the project's: with its name, a cookie has 4096 octets
(RFC 6265 6.1), and many servers take no header of more than 8 KiB."""
NO_JSON = "claims= gives what cannot be in a token: {}"
TOO_LONG = (
    "claims= gives so much that the token would have {} characters: more than {} fit"
    " into no cookie; put an id there, and look up the rest"
)
NEVER = 253_370_764_800  # the first second of the year 9999
"""When a token expires of which that is not known."""


logger: logging.Logger = logging.getLogger("fastbearer")


class Tokens(NamedTuple):
    """What a session gives to its client.

    Attributes:
        access: The access token.
        refresh: The refresh token, where there are such.
        scope: What the access token allows (RFC 6749 3.3), if it says so.
    """

    access: str
    refresh: Issued | None
    scope: str | None = None


class Sessions:
    """The tokens of signed-in users.

    A session has an id, which all its tokens carry (``sid``), and the generation of
    its user (``gen``), a number that grows whenever all sessions of the user end.
    Neither depends on a clock.

    Passwords change and accounts go while somebody signs in. Whoever begins a
    session reads the generation first, then looks whether the user is as before;
    whoever changes something stores the change, then raises the generation. One of
    the two sees the other.

    Args:
        auth: Signs the tokens.
        store: Where the users are.
        database: Where the refresh tokens are.
        claims: What the tokens say beside who the user is.
        names_email: Whether they say the user's e-mail. Where it may change while a
            session goes on, they must not: somebody else may have it then.
    """

    def __init__(
        self,
        auth: Auth,
        store: UserStore,
        database: Database,
        claims: UserClaims | None = None,
        *,
        names_email: bool = True,
    ) -> None:
        self._auth = auth
        self._names_email = names_email
        self._claims = UserClaims() if claims is None else claims
        self._store = store
        self._refresh = RefreshTokens(
            lambda: auth.settings, database, lambda: auth.clock()
        )
        self._unfinished: set[str] = set()

    @property
    def can_end(self) -> bool:
        """Whether there is anything to be ended on the server."""
        return self._can_refresh or self._auth.revocations is not None

    @property
    def _can_refresh(self) -> bool:
        return self._auth.settings.refresh_tokens

    async def start(self, user: User) -> Tokens:
        """Begin a session for a user whose password was right.

        Args:
            user: With the hash that the password was compared with.

        Raises:
            TokenError: The user has changed meanwhile.
            ClaimsError: The project's claims cannot be in a token.
        """
        return await self._begun(user, is_new=False)

    async def issue(self, user: User) -> Tokens:
        """Begin a session of a user who was just made.

        Raises:
            ClaimsError: The project's claims cannot be in a token.
        """
        return await self._begun(user, is_new=True)

    async def _begun(self, user: User, *, is_new: bool) -> Tokens:
        await self._finish()
        generation = await self.generation(user.id)
        if not self._can_refresh:
            known = user if is_new else await self._as_before(user)
            return await self._signed(known, None, new_id(), generation)
        refresh = await self._refresh.start(user.id, generation)
        try:
            known = user if is_new else await self._as_before(user)
            return await self._signed(known, refresh, refresh.family, generation)
        except Exception:
            with suppress(StoreUnavailableError):
                await self._refresh.end(refresh.family)
            raise

    async def _as_before(self, user: User) -> User:
        """Return a user as they are now, for what the token says of them.

        Raises:
            TokenError: They have another password or an e-mail that is not verified
                any more, or are gone.
        """
        if not self.can_end:
            return user
        now = await self._store.find(user.id)
        if now is None or now.password_hash != user.password_hash:
            raise TokenError("the user has changed meanwhile")
        if user.email_verified and not now.email_verified:
            raise TokenError("the e-mail is verified no more")
        return now

    async def check_claims(self, user: User) -> None:
        """Make sure that a token of a user can be made.

        Raises:
            ClaimsError: The project's claims cannot be in one.
        """
        await self._signed(user, None, new_id(), 0)

    async def refresh(self, token: str | None) -> tuple[User, Tokens]:
        """Go on with the session of a refresh token.

        What may fail comes before the token is used: a client that comes again with it
        later, because it had no answer, would look like a thief.

        Raises:
            ReusedTokenError: The token was used before; its session has ended.
            TokenError: The token is not good, or its user is gone.
            ClaimsError: The project's claims cannot be in a token.
        """
        if token is None:
            raise TokenError("there is no refresh token")
        await self._finish()
        try:
            row = await self._refresh.check(token)
            # The generation comes first: whatever the token says is as old, or newer.
            generation = await self.generation(row.user_id)
            if row.generation is not None and row.generation < generation:
                # The row is left to whoever ends them all, perhaps at this moment: two
                # deletions of the same rows may each wait for the other.
                raise TokenError("all sessions of the user have ended")
            user = await self._store.find(row.user_id)
            if user is None:
                raise TokenError("the user is gone")
            tokens = await self._signed(user, None, row.family, generation)
            issued = await self._refresh.rotate(token)
        except ReusedTokenError as error:
            await self.end_family(error.family)
            raise
        # The token is used up: an outage must not keep its successor from the client.
        # Of a session that has just ended neither it nor the access token is good.
        with suppress(StoreUnavailableError):
            if not await self._refresh.is_alive(issued.family):
                raise TokenError("the session has ended")
        return user, tokens._replace(refresh=issued)

    async def session_of(self, refresh_token: str) -> tuple[str, str] | None:
        """Return user and session of a refresh token, used or not, or None."""
        if not self._can_refresh:
            return None
        return await self._refresh.session_of(refresh_token)

    async def end(self, token: str, claims: Mapping[str, Any]) -> None:
        """End the session of a verified token, as far as that can be done.

        A token without ``sid`` ends alone.
        """
        scope = self._auth.scope_of(token, claims)
        names = names_of(token, self._auth.named(claims), scope)
        if names.session is not None:
            try:
                await self._end_session(names.session, self._expiry(claims))
            finally:
                if not scope and self._can_refresh:
                    await self._refresh.end(names.session)
        elif self._auth.revocations is not None:
            await self._auth.revocations.revoke(names.token, self._expiry(claims))

    def _expiry(self, claims: Mapping[str, Any]) -> float:
        """Return how long it is remembered that a verified token has ended.

        A token without ``exp`` (RFC 7662 2.2 lets introspection leave it out) is good
        for as long as its issuer says so, and so may be one that was accepted though
        its time was over: nothing that is forgotten may bring them back. Verifiers give
        a leeway to the others.
        """
        exp: Any = claims.get("exp")
        is_time = isinstance(exp, (int, float)) and not isinstance(exp, bool)
        if is_time and self._auth.clock() < exp < NEVER - CLOCK_DIFFERENCE_SECONDS:
            return float(exp) + CLOCK_DIFFERENCE_SECONDS
        return NEVER

    async def end_family(self, family: str) -> None:
        """End a session by its id: every access token, and its refresh tokens.

        These come last: whoever has one alone comes again with it where this fails.
        """
        try:
            await self._end_session(family)
        finally:
            if self._can_refresh:
                await self._refresh.end(family)

    async def end_all(self, user_id: str) -> None:
        """End every session of a user.

        Their generation comes first: once it has ended, refresh tokens that are left
        are good no more. Whether or not it can be, they are deleted.

        Raises:
            StoreUnavailableError: Some may not have ended.
        """
        try:
            if self._auth.revocations is not None:
                await self._auth.revocations.end_sessions(user_id)
        finally:
            if self._can_refresh:
                await self._refresh.end_all(user_id)

    async def end_all_of(self, token: str, claims: Mapping[str, Any]) -> None:
        """End every session of whom a verified token names."""
        scope = self._auth.scope_of(token, claims)
        user_id = names_of(token, self._auth.named(claims), scope).user_id
        if not scope:
            await self.end_all(user_id)
        elif self._auth.revocations is not None:
            await self._auth.revocations.end_sessions(user_id)

    @asynccontextmanager
    async def ending_all(
        self, user_id: str, *, before: bool = True
    ) -> AsyncIterator[None]:
        """End every session of a user around a change of the user.

        Before it: where that fails, nothing was changed yet. After it: what was begun
        meanwhile. Where that fails, it is done before the next session begins here.

        Nothing but the change itself belongs inside, and one change alone: whatever
        else may fail there would stand between the change and the end of the sessions.
        Of a change that has failed, but was not refused, nobody knows whether it was
        stored: the sessions end.

        Args:
            user_id: Whose.
            before: False for a change that may be refused, and leave the sessions as
                they are: then it is only made sure that they can be ended.

        Raises:
            StoreUnavailableError: The store of sessions cannot be reached.
        """
        if before:
            await self.end_all(user_id)
        else:
            await self.generation(user_id)
        try:
            yield
        except BaseException as error:
            if not _is_refusal(error):
                with suppress(StoreUnavailableError):
                    await self._end_at_last(user_id)
            raise
        await self._end_at_last(user_id)

    async def generation(self, user_id: str) -> int:
        """Return the generation of a user's sessions, from the store itself."""
        revocations = self._auth.revocations
        return 0 if revocations is None else await revocations.not_before(user_id)

    async def _finish(self) -> None:
        """End what could not be ended when the store was away."""
        while self._unfinished:
            await self._end_at_last(self._unfinished.pop())

    async def _end_at_last(self, user_id: str) -> None:
        """End every session of a user; one of whom that fails is not forgotten.

        Raises:
            StoreUnavailableError: Some may not have ended yet.
        """
        try:
            await self.end_all(user_id)
        except BaseException:  # whoever asks may have hung up
            self._unfinished.add(user_id)
            raise

    async def _end_session(self, session: str, until: float = 0) -> None:
        """End every access token of a session.

        Args:
            session: Its id.
            until: When a token expires that may live longer than those of today.
        """
        revocations: Any = self._auth.revocations
        if revocations is None:
            return
        latest = self._auth.clock() + self._auth.lifetime + CLOCK_DIFFERENCE_SECONDS
        until = max(until, latest)
        if hasattr(revocations, "end_session"):
            await revocations.end_session(session, until)
        else:
            await revocations.revoke(session_id(session), until)

    async def _signed(
        self, user: User, refresh: Issued | None, session: str, generation: int
    ) -> Tokens:
        try:
            return await self._made(user, refresh, session, generation)
        except ClaimsError as error:
            logger.error("no token for user %s: %s", user.id, error)
            raise

    async def _made(
        self, user: User, refresh: Issued | None, session: str, generation: int
    ) -> Tokens:
        given = await self._claims.of(user, self._auth.own_claims)
        claims = {**given, "sid": session}
        if self._auth.revocations is not None:
            claims["gen"] = generation
        try:
            email = user.email if self._names_email else ""
            token = self._auth.generate_jwt_token(user.id, email, claims=claims)
        except ConfigurationError:
            raise
        except (TypeError, ValueError) as error:
            raise ClaimsError(NO_JSON.format(error)) from None
        if given and len(token) > MOST_LENGTH:
            raise ClaimsError(TOO_LONG.format(len(token), MOST_LENGTH))
        scope = claims.get("scope")
        return Tokens(token, refresh, scope if isinstance(scope, str) else None)


def _is_refusal(error: BaseException) -> bool:
    """Tell whether an error says that a change was not stored.

    That of an outage does not, nor the one that stands for what a store of the
    project's own has raised.
    """
    if type(error) is FastbearerError or isinstance(error, StoreUnavailableError):
        return False
    return isinstance(error, FastbearerError)
