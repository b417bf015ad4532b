"""Tokens with claims (RFC 7519)."""

from __future__ import annotations

from calendar import timegm
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastbearer._core import Key as CoreKey
from fastbearer._core import Signer, Verifier, json_object
from fastbearer.compat._shared import clock
from fastbearer.compat._shared.memo import TextMemo
from fastbearer.compat.jose import jws
from fastbearer.compat.jose._claims import DEFAULTS, check_claims, check_names
from fastbearer.compat.jose.constants import ALGORITHMS
from fastbearer.compat.jose.exceptions import JOSEError, JWSError, JWTError
from fastbearer.compat.jose.utils import calculate_at_hash
from fastbearer.errors import FastbearerError, InvalidKeyError, TokenError

__all__ = [
    "decode",
    "encode",
    "get_unverified_claims",
    "get_unverified_header",
    "get_unverified_headers",
]

DATES = ("exp", "iat", "nbf")
MAX_BYTES = 2**26


def encode(
    claims: dict[str, Any],
    key: Any,
    algorithm: str = ALGORITHMS.HS256,
    headers: Mapping[str, Any] | None = None,
    access_token: str | None = None,
) -> str:
    """Return a signed token.

    A datetime in ``exp``, ``iat`` or ``nbf`` becomes seconds, in ``claims``
    itself; one without a zone counts as UTC. With ``access_token`` the claims
    get ``at_hash``.

    Args:
        claims: A dict.
        key: A secret, PEM, JWK or Key.
        algorithm: What to sign with.
        headers: More members of the header.
        access_token: ASCII.

    Raises:
        JWSError: The claims cannot be signed.
    """
    for name in DATES:
        date = claims.get(name)
        if isinstance(date, datetime):
            claims[name] = timegm(date.utctimetuple())
    if access_token:
        claims["at_hash"] = calculate_at_hash(
            access_token, ALGORITHMS.HASHES[algorithm]
        )
    if headers is None and isinstance(key, (str, bytes)):
        try:
            return _signer(key, algorithm).sign(claims)
        except (FastbearerError, JOSEError, TypeError, ValueError):
            pass  # the long way is more lenient, or has python-jose's own words
    return jws.sign(claims, key, headers=headers, algorithm=algorithm)


def decode(
    token: str | bytes,
    key: Any,
    algorithms: Any = None,
    options: Mapping[str, Any] | None = None,
    audience: str | None = None,
    issuer: Any = None,
    subject: str | None = None,
    access_token: str | None = None,
) -> dict[str, Any]:
    """Return the claims of a token, once all that they promise is checked.

    Args:
        token: The token.
        key: A secret, PEM, JWK, JWK Set or Key, or several.
        algorithms: The names that its header may have; None for all.
        options: ``verify_*`` and ``require_*`` flags, and ``leeway``.
        audience: The ``aud`` that it must have, if it has one.
        issuer: The ``iss`` that it must have, or several.
        subject: The ``sub`` that it must have, if it has one.
        access_token: What ``at_hash`` is of.

    Raises:
        ExpiredSignatureError: The token has expired.
        JWTClaimsError: A claim is wrong.
        JWTError: The token was not accepted.
        JWKError: A key cannot be used for the algorithm of the header.
    """
    if not options and jws.verify is _own_verify:
        claims = _strictly(token, key, algorithms)
        if claims is not None and "at_hash" not in claims:
            if audience is not None and not isinstance(audience, str):
                raise JWTError("audience must be a string or None")
            check_names(claims, audience, issuer, subject)
            return claims
    settings = {**DEFAULTS, **(options or {})}
    try:
        payload = jws.verify(
            token, key, algorithms, verify=settings["verify_signature"]
        )
    except JWSError as error:
        raise JWTError(error) from error
    alg = jws.get_unverified_header(token).get("alg")
    claims = _claims(payload, "payload")
    check_claims(claims, settings, audience, issuer, subject, access_token, alg)
    return claims


_own_verify = jws.verify


def get_unverified_header(token: str | bytes) -> dict[str, Any]:
    """Return the header as anybody could have written it.

    Raises:
        JWTError: The token is malformed.
    """
    try:
        return jws.get_unverified_header(token)
    except JWSError:
        raise JWTError("Error decoding token headers.") from None


def get_unverified_headers(token: str | bytes) -> dict[str, Any]:
    """Return the same: python-jose has both names."""
    return get_unverified_header(token)


def get_unverified_claims(token: str | bytes) -> dict[str, Any]:
    """Return the claims as anybody could have written them.

    Raises:
        JWTError: The claims are not a JSON object.
    """
    try:
        payload = jws.get_unverified_claims(token)
    except JWSError:
        raise JWTError("Error decoding token claims.") from None
    return _claims(payload, "claims")


def _claims(payload: bytes, name: str) -> dict[str, Any]:
    try:
        return json_object(payload)
    except TokenError as error:
        problem = str(error)
        if error.reason == "json_not_object":
            problem = "must be a json object"
        raise JWTError(f"Invalid {name} string: {problem}") from None


# --- the fast way: what the strict core accepts, python-jose accepts ------------------


def _make_signer(key: str | bytes, algorithm: str) -> Signer:
    return Signer(_core_key(key, algorithm), ascii=True)


def _make_verifier(key: str | bytes, algorithm: str) -> Verifier:
    core = _core_key(key, algorithm)
    verifying = core if algorithm in ALGORITHMS.HMAC else core.public()
    return Verifier(
        verifying,
        require=(),
        ignore_audience=True,
        max_bytes=MAX_BYTES,
        clock=clock.now,
    )


def _core_key(key: str | bytes, algorithm: str) -> CoreKey:
    if algorithm not in ALGORITHMS.HASHES or algorithm in ALGORITHMS.KEYS:
        raise InvalidKeyError("the long way knows more algorithms")
    core: CoreKey = jws.key_for(key, algorithm).core
    return core


_signer = TextMemo(_make_signer)
_verifier = TextMemo(_make_verifier)


def _strictly(token: Any, key: Any, algorithms: Any) -> dict[str, Any] | None:
    """Return the claims if the strict core accepts them, or else None."""
    if not isinstance(key, (str, bytes)):
        return None
    if isinstance(algorithms, str):
        algorithm = algorithms
    elif isinstance(algorithms, (list, tuple)) and len(algorithms) == 1:
        algorithm = algorithms[0]
    else:
        return None
    try:
        return _verifier(key, algorithm).verify(token)
    except (FastbearerError, JOSEError, TypeError):
        return None
