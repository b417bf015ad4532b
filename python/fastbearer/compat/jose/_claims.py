"""The rules of claims, in python-jose's order and words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from fastbearer.compat._shared import clock
from fastbearer.compat.jose.constants import ALGORITHMS
from fastbearer.compat.jose.exceptions import (
    ExpiredSignatureError,
    JWTClaimsError,
    JWTError,
)
from fastbearer.compat.jose.utils import calculate_at_hash, timedelta_total_seconds

__all__ = ["DEFAULTS", "check_claims", "check_names"]

NAMES = ("aud", "iat", "exp", "nbf", "iss", "sub", "jti", "at_hash")
DEFAULTS: dict[str, Any] = {
    "verify_signature": True,
    **{f"verify_{name}": True for name in NAMES},
    **{f"require_{name}": False for name in NAMES},
    "leeway": 0,
}

INT_TEXTS = {
    "iat": "Issued At claim (iat) must be an integer.",
    "nbf": "Not Before claim (nbf) must be an integer.",
    "exp": "Expiration Time claim (exp) must be an integer.",
}


def check_claims(
    claims: dict[str, Any],
    options: Mapping[str, Any],
    audience: Any,
    issuer: Any,
    subject: Any,
    access_token: str | None,
    algorithm: Any,
) -> None:
    """Check the claims.

    Args:
        claims: The claims.
        options: All of ``DEFAULTS``, or more.
        audience: As in ``jwt.decode``, and so are the next three.
        issuer: One, or several.
        subject: The subject.
        access_token: What ``at_hash`` is of.
        algorithm: The header's; ``at_hash`` is made with its hash.

    Raises:
        ExpiredSignatureError: The token has expired.
        JWTClaimsError: A claim is wrong.
        JWTError: A claim is missing, or an argument is wrong.
    """
    leeway = options.get("leeway") or 0
    if isinstance(leeway, timedelta):
        leeway = timedelta_total_seconds(leeway)
    wanted = dict(options)
    for name, is_wanted in options.items():
        if name.startswith("require_") and is_wanted:
            claim = name.removeprefix("require_")
            if claim not in claims:
                raise JWTError(f'missing required key "{claim}" among claims')
            wanted[f"verify_{claim}"] = True
    if not (audience is None or isinstance(audience, str)):
        raise JWTError("audience must be a string or None")
    if wanted["verify_iat"]:
        _integer(claims, "iat")
    now = int(clock.now())
    if wanted["verify_nbf"]:
        nbf = _integer(claims, "nbf")
        if nbf is not None and nbf > now + leeway:
            raise JWTClaimsError("The token is not yet valid (nbf)")
    if wanted["verify_exp"]:
        exp = _integer(claims, "exp")
        if exp is not None and exp < now - leeway:
            raise ExpiredSignatureError("Signature has expired.")
    if wanted["verify_aud"]:
        _check_audience(claims, audience)
    if wanted["verify_iss"]:
        _check_issuer(claims, issuer)
    if wanted["verify_sub"]:
        _check_subject(claims, subject)
    if wanted["verify_jti"]:
        _check_jti(claims)
    if wanted["verify_at_hash"]:
        _check_at_hash(claims, access_token, algorithm)


def check_names(
    claims: dict[str, Any], audience: str | None, issuer: Any, subject: Any
) -> None:
    """Check what is no time: ``aud``, ``iss``, ``sub`` and ``jti``.

    Raises:
        JWTClaimsError: A claim is wrong.
    """
    if "aud" in claims:
        _check_audience(claims, audience)
    if issuer is not None:
        _check_issuer(claims, issuer)
    if "sub" in claims:
        _check_subject(claims, subject)
    if "jti" in claims:
        _check_jti(claims)


def _check_jti(claims: dict[str, Any]) -> None:
    if "jti" in claims and not isinstance(claims["jti"], str):
        raise JWTClaimsError("JWT ID must be a string.")


def _integer(claims: dict[str, Any], name: str) -> int | None:
    if name not in claims:
        return None
    try:
        return int(claims[name])
    except (TypeError, ValueError, OverflowError):
        raise JWTClaimsError(INT_TEXTS[name]) from None


def _check_audience(claims: dict[str, Any], audience: Any) -> None:
    if "aud" not in claims:
        return
    found = claims["aud"]
    if isinstance(found, str):
        found = [found]
    if not (isinstance(found, list) and all(isinstance(one, str) for one in found)):
        raise JWTClaimsError("Invalid claim format in token")
    if audience not in found:
        raise JWTClaimsError("Invalid audience")


def _check_issuer(claims: dict[str, Any], issuer: Any) -> None:
    if issuer is None:
        return
    issuers = (issuer,) if isinstance(issuer, str) else issuer
    found = claims.get("iss")
    if not isinstance(found, str) or found not in issuers:
        raise JWTClaimsError("Invalid issuer")


def _check_subject(claims: dict[str, Any], subject: Any) -> None:
    if "sub" not in claims:
        return
    if not isinstance(claims["sub"], str):
        raise JWTClaimsError("Subject must be a string.")
    if subject is not None and claims["sub"] != subject:
        raise JWTClaimsError("Invalid subject")


def _check_at_hash(
    claims: dict[str, Any], access_token: str | None, algorithm: Any
) -> None:
    if "at_hash" not in claims:
        return
    if not access_token:
        raise JWTClaimsError(
            "No access_token provided to compare against at_hash claim."
        )
    try:
        expected = calculate_at_hash(access_token, ALGORITHMS.HASHES[algorithm])
    except (TypeError, ValueError, KeyError):
        raise JWTClaimsError(
            "Unable to calculate at_hash to verify against token claims."
        ) from None
    if claims["at_hash"] != expected:
        raise JWTClaimsError("at_hash claim does not match access_token.")
