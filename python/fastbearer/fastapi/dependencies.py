"""The dependencies that turn a bearer token into a user (RFC 6750).

No ``from __future__ import annotations`` here: FastAPI has to see the real
class in the signature of ``__call__``.
"""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from fastapi.openapi.models import SecurityBase as SecurityScheme
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from fastbearer.better_auth.secrets import is_link
from fastbearer.errors import ConfigurationError
from fastbearer.fastapi.bearer import (
    READY,
    BearerReader,
    TokenSource,
    TokenUser,
)
from fastbearer.fastapi.challenges import (
    Challenges,
    insufficient_scope,
    not_authenticated,
    other_user,
)
from fastbearer.fastapi.refusal_log import log_refusal
from fastbearer.fastapi.security_schemes import (
    BEARER,
    alternatives,
    password_form,
    security_schemes,
    shown,
)
from fastbearer.fastapi.starlette_user import AuthenticatedUser, user_with
from fastbearer.fastapi.subprotocols import echoing
from fastbearer.fastapi.token_header import TokenHeader
from fastbearer.fastapi.users import UserOf, link_refused

__all__ = [
    "BearerDependency",
    "ClaimsDependency",
    "OptionalUserDependency",
    "PathUserDependency",
    "ScopesDependency",
    "UserDependency",
]

NO_SUCH_PARAMETER = (
    "the user of the token is compared with the path parameter {name!r}, and the path"
    " of this route has {others}: auth.verify_path_user(name) compares another"
)


class BearerDependency(SecurityBase):
    """What all flavours share: the reader, and a place in OpenAPI.

    Serves HTTP and WebSocket routes alike. Instances are compared and hashed
    by identity, which ``dependency_overrides`` relies on.

    Args:
        source: Gives the verifier.
        headers: The request headers that may have the token.
        cookies: The names of cookies that may have it, where they are known.
    """

    reader: ClassVar[type[BearerReader]] = BearerReader
    model: SecurityScheme
    scheme_name: str
    __signature__: inspect.Signature
    """What finds and verifies the token."""

    def __init__(
        self,
        source: TokenSource,
        headers: Sequence[TokenHeader] = (TokenHeader(),),
        cookies: Sequence[str] = (),
    ) -> None:
        self._source = source
        self._user_of: UserOf = self._first_user
        self._reader = reader = self.reader(source, headers)
        self._claims = reader.claims
        self._nothing = reader.nothing
        first, *others = security_schemes(headers, cookies)
        self.model, self.scheme_name = first.model, first.name
        self.__signature__ = shown(type(self), alternatives(others))

    def show_password_form(self, url: str) -> None:
        """Let OpenAPI say where a token is given for a name and its password.

        Only a token in the header ``Authorization`` is what such clients send.

        Args:
            url: As seen from the document.
        """
        if self.scheme_name == BEARER:
            self.scheme_name, self.model = password_form(url)

    @property
    def _challenges(self) -> Challenges:
        return self._source.protection.challenges

    def _first_user(self, claims: Mapping[str, Any]) -> TokenUser:
        """Return the user; from now on without asking who names them."""
        self._user_of = self._source.user_of
        return self._user_of(claims)

    def token(self, conn: HTTPConnection) -> str | None:
        """Return the token of a request, unverified, or None."""
        return self._reader.token(conn.scope)

    async def check(self, conn: HTTPConnection) -> None:
        """Refuse a request without good credentials: 401."""
        claims = self._claims(conn.scope)
        if not isinstance(claims, READY):
            claims = await claims
        if claims is None:
            raise self._nothing(conn.scope)

    def _answer_subprotocols(self, conn: HTTPConnection) -> None:
        """Let a WebSocket be accepted with the subprotocol that had the token."""
        offer = self._reader.offer(conn.scope)
        if offer is not None and isinstance(conn, WebSocket):
            # Starlette has no other way to say it before the application accepts.
            conn.send = echoing(conn.send, offer)  # type: ignore[assignment,method-assign]


class ClaimsDependency(BearerDependency):
    """The whole payload of the token."""

    async def __call__(self, conn: HTTPConnection, **_: None) -> dict[str, Any]:
        """Return the claims; 401 without a good token.

        A link that Better Auth has mailed is not one, though it is signed with the
        same secret.
        """
        claims = self._claims(conn.scope)
        if not isinstance(claims, READY):
            claims = await claims
        if claims is None:
            raise self._nothing(conn.scope)
        if conn.scope["type"] == "websocket":
            self._answer_subprotocols(conn)
        if is_link(claims):
            is_proven = self._reader.is_proven(conn.scope)
            raise link_refused(self._challenges, is_proven=is_proven)
        return claims

    async def of_token(self, token: str) -> dict[str, Any]:
        """Return the claims of a token that came in another way; as a dependency."""
        claims = self._reader.claims_of(token)
        if not isinstance(claims, dict):
            claims = await claims
        if is_link(claims):
            raise link_refused(self._challenges)
        return claims


class UserDependency(BearerDependency):
    """The signed-in user."""

    async def __call__(self, conn: HTTPConnection, **_: None) -> TokenUser:
        """Return the user; 401 without a good token."""
        claims = self._claims(conn.scope)
        if not isinstance(claims, READY):
            claims = await claims
        if claims is None:
            raise self._nothing(conn.scope)
        if conn.scope["type"] == "websocket":
            self._answer_subprotocols(conn)
        return self._user_of(claims)

    async def authenticated(self, conn: HTTPConnection) -> AuthenticatedUser:
        """Return the user and their claims; otherwise as a dependency."""
        claims = self._claims(conn.scope)
        if not isinstance(claims, READY):
            claims = await claims
        if claims is None:
            raise self._nothing(conn.scope)
        if conn.scope["type"] == "websocket":
            self._answer_subprotocols(conn)
        return user_with(self._user_of(claims), claims)

    async def authenticated_by(
        self, token: str, conn: HTTPConnection | None = None
    ) -> AuthenticatedUser:
        """Return the same of a token that came in another way, over ``conn`` if any."""
        if not isinstance(token, str) or not token:
            log_refusal("not_authenticated", "token_empty", hint="no text was given")
            raise not_authenticated(self._challenges)
        scope = None if conn is None else conn.scope
        claims = self._reader.claims_of(token, scope)
        if not isinstance(claims, dict):
            claims = await claims
        return user_with(self._user_of(claims), claims)


class OptionalUserDependency(BearerDependency):
    """The signed-in user, where there is one."""

    async def check(self, conn: HTTPConnection) -> None:
        """Refuse bad credentials: 401; none are good here."""
        await self(conn)

    async def __call__(self, conn: HTTPConnection, **_: None) -> TokenUser | None:
        """Return the user, or None without credentials; 401 for bad ones."""
        claims = self._claims(conn.scope)
        if not isinstance(claims, READY):
            claims = await claims
        if conn.scope["type"] == "websocket":
            self._answer_subprotocols(conn)
        return None if claims is None else self._user_of(claims)


class PathUserDependency(BearerDependency):
    """The signed-in user, on the paths that are theirs.

    Attributes:
        parameter: The parameter of the path that names the user.
    """

    parameter = "user_id"

    async def check(self, conn: HTTPConnection) -> None:
        """Refuse who is not the user of the path: 401, 403."""
        await self(conn)

    async def __call__(self, conn: HTTPConnection, **_: None) -> TokenUser:
        """Return the user; 403 unless the path's parameter is theirs.

        Raises:
            ConfigurationError: The path of the route has no such parameter.
        """
        if self.parameter not in conn.path_params:
            raise ConfigurationError(self.without_parameter(conn.path_params))
        claims = self._claims(conn.scope)
        if not isinstance(claims, READY):
            claims = await claims
        if claims is None:
            raise self._nothing(conn.scope)
        if conn.scope["type"] == "websocket":
            self._answer_subprotocols(conn)
        user = self._user_of(claims)
        if str(conn.path_params[self.parameter]) != user["user_id"]:
            hint = f"the path parameter {self.parameter} names another user"
            log_refusal("insufficient_scope", "other_user", hint=hint)
            raise other_user(
                self._challenges, is_proven=self._reader.is_proven(conn.scope)
            )
        return user

    def without_parameter(self, others: Iterable[str]) -> str:
        """Return what is wrong with a path that has other parameters only."""
        found = list(map(repr, others))
        names = f"only {', '.join(found)}" if found else "none"
        return NO_SUCH_PARAMETER.format(name=self.parameter, others=names)


class ScopesDependency(BearerDependency):
    """The signed-in user, if the token has the scopes that the route asks for.

    For ``Security(auth.requires, scopes=["tasks:write"])``.
    """

    async def __call__(
        self, conn: HTTPConnection, needed: SecurityScopes, **_: None
    ) -> TokenUser:
        """Return the user; 403 unless the token has every scope."""
        claims = self._claims(conn.scope)
        if not isinstance(claims, READY):
            claims = await claims
        if claims is None:
            raise self._nothing(conn.scope, needed.scopes)
        if conn.scope["type"] == "websocket":
            self._answer_subprotocols(conn)
        missing = set(needed.scopes) - self._source.scopes_of(claims)
        if missing:
            hint = f"the token lacks {' '.join(sorted(missing))}"
            log_refusal("insufficient_scope", "scope_missing", hint=hint)
            is_proven = self._reader.is_proven(conn.scope)
            raise insufficient_scope(
                needed.scopes, self._challenges, is_proven=is_proven
            )
        return self._user_of(claims)
