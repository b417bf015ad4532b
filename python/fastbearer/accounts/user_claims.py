"""What the tokens of a user say beside who it is."""

import inspect
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from fastbearer.accounts.models import User
from fastbearer.connections.engine import sql_outages
from fastbearer.connections.values import hide_values
from fastbearer.errors import FastbearerError
from fastbearer.fastapi.scopes import is_scope

__all__ = ["ClaimsError", "ClaimsFunction", "UserClaims"]

ClaimsFunction = Callable[[Any], Awaitable[Mapping[str, Any]] | Mapping[str, Any]]
"""Takes the row of a user, and returns claims."""

OURS = frozenset(
    (
        *("sub", "user_id", "email", "iss", "aud", "iat", "nbf", "exp", "jti"),
        *("sid", "gen", "amr", "auth_time"),
    )
)
"""The claims by which a token is judged (RFC 7519 4.1), and those of sessions."""

RESERVED = "claims= must not give the claim {!r}: it is set here"
NO_MAPPING = "claims= must return a mapping of claims, and has returned a {}"
FAILED = "claims= has failed for user %s"
NO_SCOPE = "claims= has given a scope that is none: printable ASCII, without spaces"

logger: logging.Logger = logging.getLogger("fastbearer")


class ClaimsError(FastbearerError):
    """What a project gives for the tokens of a user cannot be in one.

    Its text shows no value of a claim.
    """

    code = "claims"


class UserClaims:
    """The claims that a project adds to the tokens of a user.

    They are asked for at each sign-in and at each refreshing, so that a change is in
    the next token. Without a function, the roles of the user are ``roles``.

    Args:
        function: The project's, plain or a coroutine function.
    """

    def __init__(self, function: ClaimsFunction | None = None) -> None:
        self._function = function

    async def of(self, user: User, reserved: Collection[str] = ()) -> dict[str, Any]:
        """Return the claims of a user.

        Args:
            user: Whose.
            reserved: Further claims that are not the project's to give.

        Raises:
            ClaimsError: The function has failed, or one of them is not the project's
                to give.
            StoreUnavailableError: A database that the function asks cannot be reached.
        """
        if self._function is None:
            return {"roles": list(user.roles)} if user.roles else {}
        claims = await self._asked(self._function, user)
        for name in claims:
            if name in OURS or name in reserved:
                raise ClaimsError(RESERVED.format(name))
        if "scope" in claims:
            claims["scope"] = _scope(claims["scope"])
        return claims

    async def _asked(self, function: ClaimsFunction, user: User) -> dict[str, Any]:
        answer: Any
        try:
            with sql_outages():
                answer = function(user.row)
                if inspect.isawaitable(answer):
                    answer = await answer
        except FastbearerError:
            raise
        except Exception as error:
            hide_values(error, user.password_hash)
            logger.exception(FAILED, user.id)
            raise ClaimsError("claims= has failed") from error
        if not isinstance(answer, Mapping):
            raise ClaimsError(NO_MAPPING.format(type(answer).__name__))
        return dict(answer)


def _scope(given: Any) -> str:
    """Return scopes as a token has them (RFC 8693 4.2); a list is as good.

    Raises:
        ClaimsError: One of them is none.
    """
    scopes = given.split() if isinstance(given, str) else given
    several = isinstance(scopes, (list, tuple, set, frozenset))
    if not several or not all(map(is_scope, scopes)):
        raise ClaimsError(NO_SCOPE)
    ordered = sorted(scopes) if isinstance(scopes, (set, frozenset)) else scopes
    return " ".join(ordered)
