"""Dependencies that take our own users alone, whoever else's tokens are good.

An issuer and its subject name a user, not the subject alone (ASVS 5.0 6.8.1). It is
asked of the very claims that were verified: another look at the request might find
another token.
"""

from collections.abc import Coroutine
from typing import Any

from fastbearer.errors import InvalidIssuerError
from fastbearer.fastapi.bearer import READY, BearerReader, Claims
from fastbearer.fastapi.challenges import answer_to
from fastbearer.fastapi.dependencies import (
    BearerDependency,
    PathUserDependency,
    UserDependency,
)
from fastbearer.fastapi.refusal_log import log_refusal

__all__ = ["HomePathUserDependency", "HomeUserDependency"]

FOREIGN_USER = "the users of that issuer are not those of this application"


class HomeReader(BearerReader):
    """Finds the token of a request, and refuses those of others' users."""

    def claims(self, scope: Any) -> Coroutine[Any, Any, Claims | None]:  # type: ignore[override]
        """As in `BearerReader`; 401 for the user of another issuer."""
        return self._home_claims(scope)

    def claims_of(self, token: str) -> Coroutine[Any, Any, Claims]:
        """As in `BearerReader`; 401 for the user of another issuer."""
        return self._home_claims_of(token)

    async def _home_claims(self, scope: Any) -> Claims | None:
        found = super().claims(scope)
        claims = found if isinstance(found, READY) else await found
        if claims is None:
            return None
        # Of several cookies, that which has just been found good.
        token = self.token(scope)
        self._check_home(token or "", claims, is_proven=self.is_proven(scope))
        return claims

    async def _home_claims_of(self, token: str) -> Claims:
        found = super().claims_of(token)
        claims = found if isinstance(found, dict) else await found
        self._check_home(token, claims)
        return claims

    def _check_home(
        self, token: str, claims: Claims, *, is_proven: bool = False
    ) -> None:
        if self._source.scope_of(token, claims):
            error = InvalidIssuerError(FOREIGN_USER, "iss")
            log_refusal(error.code, "foreign_user", "iss", FOREIGN_USER)
            challenges = self._source.protection.challenges
            raise answer_to(error, None, challenges, is_proven=is_proven) from error


class HomeDependency(BearerDependency):
    """What reads the tokens of our own users."""

    reader = HomeReader


class HomeUserDependency(HomeDependency, UserDependency):
    """The signed-in user, if they are one of ours."""


class HomePathUserDependency(HomeDependency, PathUserDependency):
    """The signed-in user, if they are one of ours, on the paths that are theirs."""
