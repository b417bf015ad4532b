"""What begins with a sign-in, goes on by refreshing, and ends."""

from typing import Any, NamedTuple

from fastbearer.accounts.database import Database
from fastbearer.accounts.models import User
from fastbearer.accounts.refresh import Issued, RefreshTokens
from fastbearer.accounts.stores.protocol import UserStore
from fastbearer.errors import TokenError
from fastbearer.fastapi import Auth
from fastbearer.revocation import revocation_id

__all__ = ["Sessions", "Tokens"]


class Tokens(NamedTuple):
    """What a session gives to its client."""

    access: str
    refresh: Issued | None


class Sessions:
    """The tokens of signed-in users.

    Passwords change and accounts go while somebody signs in: a session that
    was begun with what is no longer true does not come about. For that, whoever
    changes something stores the change first, then ends the sessions; who begins
    a session does so first, and then looks whether the user is as before.

    Args:
        auth: Signs the tokens.
        store: Where the users are.
        database: Where the refresh tokens are.
    """

    def __init__(self, auth: Auth, store: UserStore, database: Database) -> None:
        self._auth = auth
        self._store = store
        self._refresh = RefreshTokens(lambda: auth.settings, database)

    @property
    def can_end(self) -> bool:
        """Whether there is anything to be ended on the server."""
        return self._can_refresh or self._auth.revocations is not None

    @property
    def _can_refresh(self) -> bool:
        return self._auth.settings.refresh_tokens

    async def start(self, user: User) -> Tokens:
        """Begin a session for a user whose password was right.

        Raises:
            TokenError: The user has changed meanwhile.
        """
        tokens = await self.issue(user)
        if self.can_end:
            now = await self._store.find(user.id)
            if now is None or now.password_hash != user.password_hash:
                raise TokenError("the user has changed meanwhile")
        return tokens

    async def issue(self, user: User) -> Tokens:
        """Begin a session, whatever happens to the user meanwhile."""
        refresh = await self._refresh.start(user.id) if self._can_refresh else None
        return self._signed(user, refresh, await self._moment(user.id))

    async def refresh(self, token: str | None) -> tuple[User, Tokens]:
        """Go on with the session of a refresh token.

        Raises:
            ReusedTokenError: The token was used before.
            TokenError: The token is not good, or its user is gone.
        """
        if token is None:
            raise TokenError("there is no refresh token")
        issued = await self._refresh.rotate(token)
        moment = await self._moment(issued.user_id)
        user = await self._store.find(issued.user_id)
        if user is None or not await self._refresh.is_alive(issued.family):
            raise TokenError("the session has ended")
        return user, self._signed(user, issued, moment)

    async def end(self, token: str, claims: dict[str, Any]) -> None:
        """End the session of a token, as far as that can be done."""
        family = claims.get("sid")
        if self._can_refresh and isinstance(family, str):
            await self._refresh.end(family)
        if self._auth.revocations is not None:
            token_id = revocation_id(token, claims)
            await self._auth.revocations.revoke(token_id, claims["exp"])

    async def end_all(self, user_id: str) -> None:
        """End every session of a user."""
        if self._can_refresh:
            await self._refresh.end_all(user_id)
        if self._auth.revocations is not None:
            await self._auth.revocations.end_sessions(user_id)

    async def _moment(self, user_id: str) -> int:
        """Return the least ``iat`` of a token that is good from now on."""
        revocations = self._auth.revocations
        return 0 if revocations is None else await revocations.not_before(user_id)

    def _signed(self, user: User, refresh: Issued | None, moment: int) -> Tokens:
        claims: dict[str, Any] = {} if refresh is None else {"sid": refresh.family}
        if moment > int(self._auth.clock()):
            claims |= {"iat": moment, "exp": moment + self._auth.lifetime}
        token = self._auth.generate_jwt_token(user.id, user.email, claims=claims)
        return Tokens(token, refresh)
