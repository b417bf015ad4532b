"""The verifiers that settings and issuers describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastbearer import Verifier
from fastbearer.issuers import IssuersVerifier
from fastbearer.issuers.naming import DEFAULT_NAMING
from fastbearer.issuers.rules import Rules

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from fastbearer.fastapi.bearer import TokenVerifier
    from fastbearer.fastapi.issuers_in_force import Issuers
    from fastbearer.issuers import Issuer

__all__ = ["make_verifier"]


def make_verifier(
    issuers: Issuers, clock: Callable[[], float] | None = None
) -> TokenVerifier:
    """Return what verifies the tokens of issuers.

    Raises:
        ConfigurationError: Nothing tells the tokens of two issuers apart, their keys'
            URL is none that may be fetched, or the extra ``jwks`` is not installed.
    """
    if issuers.own is not None and len(issuers.every) == 1:
        plain = _plain(issuers.own, clock)
        if plain is not None:
            return plain
    # Beside a secret that takes any iss, BETTER_AUTH_URL alone names one: it is the
    # server whose secret that is, and its frontends sign with both.
    one_server = () if issuers.own is None else (issuers.own, *issuers.others)
    return IssuersVerifier(issuers.every, clock, one_server=one_server)


def _plain(issuer: Issuer, clock: Callable[[], float] | None) -> Verifier | None:
    """Return the core's verifier of an issuer, where that judges everything."""
    rules = Rules(issuer, clock)
    if rules.judges_header or rules.judges_claims or rules.naming != DEFAULT_NAMING:
        return None
    keys: Any = issuer.keys
    return Verifier(keys, **rules.options)
