"""A dependency for the roles of our own users.

No ``from __future__ import annotations`` here: FastAPI has to see the real
class in the signature of ``__call__``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import HTTPConnection

from fastbearer.errors import ConfigurationError
from fastbearer.fastapi.bearer import READY, TokenSource
from fastbearer.fastapi.challenges import missing_role
from fastbearer.fastapi.home_users import HomeDependency
from fastbearer.fastapi.refusal_log import log_refusal
from fastbearer.fastapi.token_header import TokenHeader
from fastbearer.fastapi.users import TokenUser

__all__ = ["RoleDependency"]

CLAIM = "roles"
NO_ROLES = "requires_role needs one role at least, each a text that is not empty"


class RoleDependency(HomeDependency):
    """The signed-in user, if they are one of ours and the token has a role.

    Args:
        source: Gives the verifier.
        headers: The request headers that may have the token.
        cookies: The names of cookies that may have it, where they are known.
        roles: One of them is enough.

    Raises:
        ConfigurationError: There are none.
    """

    def __init__(
        self,
        source: TokenSource,
        headers: Sequence[TokenHeader],
        cookies: Sequence[str],
        roles: frozenset[str],
    ) -> None:
        if not roles or not all(isinstance(one, str) and one for one in roles):
            raise ConfigurationError(NO_ROLES)
        super().__init__(source, headers, cookies)
        self._roles = roles

    async def check(self, conn: HTTPConnection) -> None:
        """Refuse who has none of the roles: 401, 403."""
        await self(conn)

    async def __call__(self, conn: HTTPConnection, **_: None) -> TokenUser:
        """Return the user; 403 unless the token has one of the roles."""
        claims = self._claims(conn.scope)
        if not isinstance(claims, READY):
            claims = await claims
        if claims is None:
            raise self._nothing(conn.scope)
        if conn.scope["type"] == "websocket":
            self._answer_subprotocols(conn)
        user = self._user_of(claims)
        if self._roles.isdisjoint(_roles_of(claims)):
            hint = f"the token has none of the roles {', '.join(sorted(self._roles))}"
            log_refusal("insufficient_role", "role_missing", CLAIM, hint)
            raise missing_role()
        return user


def _roles_of(claims: Mapping[str, Any]) -> set[str]:
    """Return the strings of a list; one alone may have any form, and does not count."""
    found = claims.get(CLAIM)
    several = found if isinstance(found, list) else []
    return {one for one in several if isinstance(one, str)}
