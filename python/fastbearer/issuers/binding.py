"""What says that a token is bound, and is of no use without a proof."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["binding_of", "is_dpop"]

TYPES = ("token_type", "typ")
"""Where a token's type is: RFC 9449 6.2, Keycloak."""


def is_dpop(claims: Mapping[str, Any]) -> bool:
    """Tell whether the type of a token is DPoP, in any case (RFC 6749 5.1)."""
    return any(_is_dpop(claims[name]) for name in TYPES if name in claims)


def binding_of(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims that say that a token is bound; none where it is not.

    A ``cnf`` of any kind does (RFC 7800 3.1).
    """
    return {
        name: claims[name]
        for name in ("cnf", *TYPES)
        if name in claims and (name == "cnf" or _is_dpop(claims[name]))
    }


def _is_dpop(kind: object) -> bool:
    return isinstance(kind, str) and kind.lower() == "dpop"
