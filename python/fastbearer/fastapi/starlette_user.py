"""Users and credentials with the names that Starlette's own have, and still mappings.

``request.user`` and ``request.auth`` work with ``@requires`` of
``starlette.authentication``, and can be read and sent as JSON like the dicts that they
are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from inspect import Parameter, Signature
from typing import Any

from starlette.authentication import AuthCredentials, BaseUser

__all__ = [
    "AnonymousUser",
    "AuthenticatedUser",
    "TokenCredentials",
    "credentials_with",
    "user_with",
]

ReadScopes = Callable[[Mapping[str, Any]], Iterable[str]]

AUTHENTICATED = "authenticated"
"""The scope that Starlette's documentation gives to whoever is signed in."""


class AuthenticatedUser(dict[str, Any], BaseUser):
    """The signed-in user: ``{"user_id": ..., "email": ...}``.

    Attributes:
        claims: The verified claims.
    """

    # Each request makes one: a dict's own constructor, and no further dict beside it.
    __slots__ = ("claims",)
    __signature__: Signature = Signature([Parameter("user", Parameter.POSITIONAL_ONLY)])
    claims: Mapping[str, Any]

    @property
    def is_authenticated(self) -> bool:
        """Always true."""
        return True

    @property
    def display_name(self) -> str:
        """The claim ``name`` if the token has one, else the e-mail, else the id."""
        name = self.claims.get("name")
        if isinstance(name, str) and name:
            return name
        return str(self["email"] or self["user_id"])

    @property
    def identity(self) -> str:
        """The id of the user."""
        return str(self["user_id"])


class AnonymousUser(dict[str, Any], BaseUser):
    """Nobody: an empty dict, which is false."""

    @property
    def is_authenticated(self) -> bool:
        """Always false."""
        return False

    @property
    def display_name(self) -> str:
        """Always empty."""
        return ""

    @property
    def identity(self) -> str:
        """Always empty."""
        return ""


class TokenCredentials(dict[str, Any], AuthCredentials):
    """The claims of a token, and its scopes; both empty where there is none."""

    __slots__ = ("_scopes", "claims", "read_scopes")
    __init__ = dict.__init__  # AuthCredentials' own takes scopes
    claims: Mapping[str, Any]
    read_scopes: ReadScopes

    @property
    def scopes(self) -> list[str]:  # type: ignore[override]
        """``"authenticated"``, and the scopes of the token; empty for nobody."""
        try:
            return self._scopes
        except AttributeError:
            own = (
                [AUTHENTICATED, *sorted(self.read_scopes(self.claims))] if self else []
            )
            self._scopes: list[str] = own
            return own


def user_with(user: Mapping[str, Any], claims: Mapping[str, Any]) -> AuthenticatedUser:
    """Return the user of a token, with its claims."""
    found = AuthenticatedUser(user)
    found.claims = claims
    return found


def credentials_with(
    claims: Mapping[str, Any], read_scopes: ReadScopes
) -> TokenCredentials:
    """Return the claims of a token, with its scopes when they are asked for."""
    found: TokenCredentials = TokenCredentials(claims)
    found.claims, found.read_scopes = claims, read_scopes
    return found
