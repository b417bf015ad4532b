"""Dependencies that know our own users from those of other issuers.

An issuer and its subject name a user, not the subject alone (ASVS 5.0 6.8.1). It is
asked of the very claims that were verified: another look at the request might find
another token.
"""

from collections.abc import Coroutine
from typing import Any, ClassVar

from starlette.requests import HTTPConnection

from fastbearer.errors import InvalidIssuerError
from fastbearer.fastapi.bearer import READY, BearerReader, Claims
from fastbearer.fastapi.challenges import answer_to
from fastbearer.fastapi.dependencies import (
    BearerDependency,
    PathUserDependency,
    UserDependency,
)
from fastbearer.fastapi.refusal_log import log_refusal
from fastbearer.fastapi.users import TokenUser
from fastbearer.revocation.protocol import shelf_key, since_of

__all__ = [
    "SINCE",
    "HomePathUserDependency",
    "HomeUserDependency",
    "OwnerDependency",
    "owner",
]

ISSUER_SCOPE = "fastbearer.issuer_scope"
"""Where ASGI's scope has what stands before the names of the token."""

OWNER = "fastbearer.owner"
"""Where ASGI's scope has the name of the owner."""

SINCE = "fastbearer.since"
"""Where ASGI's scope has what `since_of` tells of the token of one of our users."""

FOREIGN_USER = "the users of that issuer are not those of this application"


class JudgingReader(BearerReader):
    """Finds the token of a request, and looks at whose it is once it is good."""

    def claims(self, scope: Any) -> Coroutine[Any, Any, Claims | None]:  # type: ignore[override]
        """As in `BearerReader`, and what `judge` raises."""
        return self._judged_claims(scope)

    async def _judged_claims(self, scope: Any) -> Claims | None:
        found = super().claims(scope)
        claims = found if isinstance(found, READY) else await found
        if claims is not None:
            # Of several cookies, that which has just been found good.
            self.judge(self.token(scope) or "", claims, scope)
        return claims

    def judge(self, token: str, claims: Claims, scope: Any) -> None:
        """Look at a verified token; ``scope`` is ASGI's, or None without a request."""
        raise NotImplementedError


class HomeReader(JudgingReader):
    """Finds the token of a request, and refuses those of others' users: 401."""

    def claims_of(self, token: str, scope: Any = None) -> Coroutine[Any, Any, Claims]:
        """As in `BearerReader`; 401 for the user of another issuer."""
        return self._home_claims_of(token, scope)

    async def _home_claims_of(self, token: str, scope: Any) -> Claims:
        found = super().claims_of(token, scope)
        claims = found if isinstance(found, dict) else await found
        self.judge(token, claims, None)
        return claims

    def judge(self, token: str, claims: Claims, scope: Any) -> None:
        """Refuse the user of another issuer; keep of others when they have begun."""
        if self._source.scope_of(token, claims):
            error = InvalidIssuerError(FOREIGN_USER, "iss")
            log_refusal(error.code, "foreign_user", "iss", FOREIGN_USER)
            challenges = self._source.protection.challenges
            is_proven = scope is not None and self.is_proven(scope)
            raise answer_to(error, None, challenges, is_proven=is_proven) from error
        if scope is not None:
            scope[SINCE] = since_of(claims, "")


class HomeDependency(BearerDependency):
    """What reads the tokens of our own users."""

    reader: ClassVar[type[BearerReader]] = HomeReader


class HomeUserDependency(HomeDependency, UserDependency):
    """The signed-in user, if they are one of ours."""


class HomePathUserDependency(HomeDependency, PathUserDependency):
    """The signed-in user, if they are one of ours, on the paths that are theirs."""


class OwnerReader(JudgingReader):
    """Finds the token of a request, and keeps whose users its subjects are."""

    def judge(self, token: str, claims: Claims, scope: Any) -> None:
        """Keep it for `OwnerDependency`."""
        scope[ISSUER_SCOPE] = self._source.scope_of(token, claims)


class OwnerDependency(PathUserDependency):
    """The signed-in user, on the paths that are theirs, by a name that none shares.

    Equal subjects of two issuers are two users. Then `owner` gives the name under which
    to keep what is theirs.
    """

    reader: ClassVar[type[BearerReader]] = OwnerReader

    async def __call__(self, conn: HTTPConnection, **_: None) -> TokenUser:
        """Return the user; as `PathUserDependency`."""
        user = await super().__call__(conn)
        issuer, user_id = conn.scope[ISSUER_SCOPE], user["user_id"]
        is_ours = not issuer
        conn.scope[OWNER] = (
            user_id if is_ours else f"issuer:{shelf_key(issuer + user_id)}"
        )
        return user


def owner(scope: Any, user_id: str) -> str:
    """Return the name of a path's user: the id of one of ours, or one of 71 characters.

    Args:
        scope: ASGI's, of a request that an `OwnerDependency` has let through.
        user_id: The id of the path, for requests that no such dependency has seen.
    """
    found: str = scope.get(OWNER, user_id)
    return found
