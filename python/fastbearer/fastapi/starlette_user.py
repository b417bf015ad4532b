"""Users and credentials with the names that Starlette's own have, and still mappings.

``request.user`` and ``request.auth`` work with ``@requires`` of
``starlette.authentication``, and can be read and sent as JSON like the dicts that they
are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.authentication import AuthCredentials, BaseUser

__all__ = ["AnonymousUser", "AuthenticatedUser", "TokenCredentials"]

AUTHENTICATED = "authenticated"
"""The scope that Starlette's documentation gives to whoever is signed in."""


class AuthenticatedUser(dict[str, Any], BaseUser):
    """The signed-in user: ``{"user_id": ..., "email": ...}``.

    Args:
        user: Such a dict.
        claims: Those of the token.

    Attributes:
        claims: The verified claims.
    """

    def __init__(self, user: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
        super().__init__(user)
        self.claims = claims

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
    """The claims of a token, and its scopes; both empty where there is none.

    Args:
        claims: The verified claims.
        scopes: Those of the token.

    Attributes:
        scopes: ``"authenticated"``, and those of the token; empty for nobody.
    """

    def __init__(
        self, claims: Mapping[str, Any] = {}, scopes: Iterable[str] | None = None
    ) -> None:
        super().__init__(claims)
        self.scopes = [] if scopes is None else [AUTHENTICATED, *scopes]
