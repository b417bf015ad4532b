"""The ways in to one configuration: dependencies, and coroutines that do the same."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from fastapi import HTTPException
from fastapi.exceptions import WebSocketException
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket, WebSocketState

from fastbearer.fastapi.cookie import named_cookies
from fastbearer.fastapi.dependencies import (
    BearerDependency,
    ClaimsDependency,
    OptionalUserDependency,
    PathUserDependency,
    ScopesDependency,
    UserDependency,
)
from fastbearer.fastapi.home_users import (
    HomePathUserDependency,
    HomeUserDependency,
    OwnerDependency,
)
from fastbearer.fastapi.roles import RoleDependency
from fastbearer.fastapi.starlette_user import AuthenticatedUser
from fastbearer.fastapi.token_header import Header, token_headers

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from fastbearer.fastapi.bearer import TokenSource

__all__ = ["Doors"]

POLICY_VIOLATION = 1008  # RFC 6455 7.4.1


class Doors:
    """What an ``Auth`` offers to routes; made once, because identity counts.

    Attributes:
        verify_home_user: Dependency: the user, if ``home_issuers`` has their issuer, or
            401. For what is kept by the id of a user alone, as accounts are.
        verify_home_user_id: Dependency: the same on the path of ``verify_user_id``.
        verify_owner_id: Dependency: as ``verify_user_id``, and keeps equal subjects of
            several issuers apart; see `fastbearer.fastapi.home_users.owner`.
    """

    verify_jwt_token: UserDependency
    verify_user_id: PathUserDependency
    verify_home_user: HomeUserDependency
    verify_home_user_id: HomePathUserDependency
    verify_owner_id: OwnerDependency
    optional_user: OptionalUserDependency
    token_claims: ClaimsDependency
    requires: ScopesDependency
    path_users: dict[str, PathUserDependency]

    def _open(
        self, header: Header, scheme: str | None, cookies: Iterable[str]
    ) -> tuple[str, ...]:
        """Make the dependencies.

        Args:
            header: Where the token is: as in ``Auth``.
            scheme: What stands before it.
            cookies: The names of cookies that may have it.

        Returns:
            The names of those cookies.

        Raises:
            ConfigurationError: One of these cannot be so.
        """
        source: TokenSource = self  # type: ignore[assignment]
        names = named_cookies(cookies)
        places = token_headers(header, scheme), names
        self.verify_jwt_token = UserDependency(source, *places)
        self.verify_user_id = PathUserDependency(source, *places)
        self.verify_home_user = HomeUserDependency(source, *places)
        self.verify_home_user_id = HomePathUserDependency(source, *places)
        self.verify_owner_id = OwnerDependency(source, *places)
        self.optional_user = OptionalUserDependency(source, *places)
        self.token_claims = ClaimsDependency(source, *places)
        self.requires = ScopesDependency(source, *places)
        self.path_users = {PathUserDependency.parameter: self.verify_user_id}
        self._roles: dict[frozenset[str], RoleDependency] = {}
        self._make_role = partial(RoleDependency, source, *places)
        self._make_path_user = partial(PathUserDependency, source, *places)
        self._token_url: str | None = None
        return names

    def show_password_form(self, url: str) -> None:
        """Let OpenAPI say that a token is given for a name and its password.

        Then the Authorize button of Swagger UI asks for both. What is accepted stays
        the same.

        Args:
            url: Of the token endpoint (RFC 6749 4.3), as seen from the document.
        """
        self._token_url = url
        for one in (*vars(self).values(), *self.path_users.values()):
            if isinstance(one, BearerDependency):
                one.show_password_form(url)

    def verify_path_user(self, parameter: str) -> PathUserDependency:
        """Return ``verify_user_id`` for a path that names its user otherwise.

        For ``Depends(auth.verify_path_user("uid"))`` on ``/users/{uid}``. Each name has
        one dependency, however often it is asked for.

        Args:
            parameter: The parameter of the path.
        """
        found = self.path_users.get(parameter)
        if found is None:
            found = self.path_users[parameter] = self._make_path_user()
            found.parameter = parameter
            if self._token_url is not None:
                found.show_password_form(self._token_url)
        return found

    def requires_role(self, *roles: str) -> RoleDependency:
        """Return the dependency: the user, if the token has one of some roles, or 403.

        For ``Depends(auth.requires_role("admin"))``. The claim ``roles`` is a list of
        strings, as in the tokens of the accounts. The users are our own, as for
        ``verify_home_user``: what another issuer calls a role is none here. The same
        roles have one dependency, however often it is asked for.

        Args:
            roles: One of them is enough.

        Raises:
            ConfigurationError: There are none.
        """
        several = frozenset(roles)
        found = self._roles.get(several)
        if found is None:
            found = self._roles[several] = self._make_role(several)
        return found

    async def authenticate(self, conn: HTTPConnection) -> AuthenticatedUser:
        """Return the user of a request or a WebSocket, outside of dependencies.

        Args:
            conn: The request or WebSocket.

        Returns:
            What ``verify_jwt_token`` gives, with the attribute ``claims``.

        Raises:
            HTTPException: As that does.
            WebSocketException: In its place where ``conn`` is a WebSocket that has been
                accepted: nothing but closing it can be answered then.
        """
        return await _as_fits(self.verify_jwt_token.authenticated(conn), conn)

    async def authenticate_token(
        self, token: str, conn: HTTPConnection | None = None
    ) -> AuthenticatedUser:
        """Return the user of a token that came in another way, as in a message.

        Args:
            token: The token alone.
            conn: Over what it came, like a WebSocket: an issuer that has to be asked
                about the token is asked for its client.

        Returns:
            What ``verify_jwt_token`` gives, with the attribute ``claims``.

        Raises:
            HTTPException: As that does.
            WebSocketException: As in ``authenticate``.
        """
        found = self.verify_jwt_token.authenticated_by(token, conn)
        return await _as_fits(found, conn)


async def _as_fits(
    found: Coroutine[Any, Any, AuthenticatedUser], conn: HTTPConnection | None
) -> AuthenticatedUser:
    try:
        return await found
    except HTTPException as refusal:
        if (
            not isinstance(conn, WebSocket)
            or conn.application_state is WebSocketState.CONNECTING
        ):
            raise
        raise WebSocketException(POLICY_VIOLATION, refusal.detail) from refusal
