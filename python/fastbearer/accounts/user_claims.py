"""What the tokens of a user say beside who it is."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastbearer.accounts.models import User

__all__ = ["ClaimsFunction", "UserClaims"]

ClaimsFunction = Callable[[Any], Awaitable[Mapping[str, Any]] | Mapping[str, Any]]
"""Takes the row of a user, and returns claims."""

OURS = frozenset(
    ("sub", "user_id", "email", "iss", "aud", "iat", "nbf", "exp", "jti", "sid", "gen")
)
"""The claims by which a token is judged (RFC 7519 4.1), and ours."""

RESERVED = "claims= must not give the claim {!r}: it is set here"


class UserClaims:
    """The claims that a project adds to the tokens of a user.

    They are asked for at each sign-in and at each refreshing, so that a change is in
    the next token. Without a function, the roles of our own table are ``roles``.

    Args:
        function: The project's, plain or a coroutine function.
    """

    def __init__(self, function: ClaimsFunction | None = None) -> None:
        self._function = function

    async def of(self, user: User) -> dict[str, Any]:
        """Return the claims of a user.

        Raises:
            ValueError: One of them is not the project's to give.
        """
        if self._function is None:
            return {"roles": list(user.roles)} if user.roles else {}
        answer = self._function(user.row)
        claims = dict(await answer if inspect.isawaitable(answer) else answer)
        for name in claims:
            if name in OURS or name == "requestType":
                raise ValueError(RESERVED.format(name))
        return claims
