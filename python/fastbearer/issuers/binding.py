"""What says that a token is bound, and is of no use without a proof."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastbearer.errors import BoundTokenError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["binding_of", "check_unbound", "is_dpop"]

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


def check_unbound(claims: Mapping[str, Any]) -> None:
    """Refuse a bound token that came without a proof (RFC 9449 7.2).

    Raises:
        BoundTokenError: The token has ``cnf`` (RFC 7800 3.1): it is bound to a key, to
            a certificate (RFC 8705 3.1), or in a way that nobody here knows. Or its
            issuer calls it a DPoP token, and does not say to which key it is bound.
    """
    if "cnf" in claims:
        raise BoundTokenError(
            "the token is bound to a key or certificate, and has no proof", "no_proof"
        )
    if is_dpop(claims):
        raise BoundTokenError(
            "the token is of the type DPoP, and has no cnf", "dpop_without_cnf"
        )


def _is_dpop(kind: object) -> bool:
    return isinstance(kind, str) and kind.lower() == "dpop"
