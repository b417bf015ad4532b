"""Signed tokens (RFC 7515)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from fastbearer._core import base64url_bytes, json_object, key_set_max
from fastbearer.compat._shared.memo import TextMemo
from fastbearer.compat.jose import jwk
from fastbearer.compat.jose.backends._asymmetric import OtherKindError
from fastbearer.compat.jose.backends.base import Key
from fastbearer.compat.jose.constants import ALGORITHMS
from fastbearer.compat.jose.exceptions import JWKError, JWSError, JWSSignatureError
from fastbearer.compat.jose.utils import base64url_encode
from fastbearer.errors import MalformedTokenError

__all__ = [
    "get_unverified_claims",
    "get_unverified_header",
    "get_unverified_headers",
    "sign",
    "verify",
]

Loaded = tuple[dict[str, Any], bytes, bytes, bytes]

_constructed = TextMemo(jwk.construct)


def sign(
    payload: Any,
    key: Any,
    headers: Mapping[str, Any] | None = None,
    algorithm: str = ALGORITHMS.HS256,
) -> str:
    """Return a signed token.

    Args:
        payload: Bytes, or a mapping, which becomes JSON.
        key: A secret, PEM, JWK or Key.
        headers: More members of the header, or others in place of ours.
        algorithm: What to sign with, whatever the headers say.

    Raises:
        JWSError: The payload cannot be signed.
    """
    if algorithm not in ALGORITHMS.SUPPORTED or not _may_sign(algorithm):
        raise JWSError(f"Algorithm {algorithm} not supported.")
    header = {"typ": "JWT", "alg": algorithm, **(headers or {})}
    encoded = json.dumps(header, separators=(",", ":"), sort_keys=True).encode("utf-8")
    if isinstance(payload, Mapping):
        payload = json.dumps(payload, separators=(",", ":")).encode("utf-8")
    signed = base64url_encode(encoded) + b"." + base64url_encode(payload)
    try:
        signature = key_for(key, algorithm).sign(signed)
    except Exception as error:
        raise JWSError(error) from error
    return (signed + b"." + base64url_encode(signature)).decode("ascii")


def verify(token: str | bytes, key: Any, algorithms: Any, verify: bool = True) -> bytes:
    """Return the payload of a signed token.

    Args:
        token: The text.
        key: A secret, PEM, JWK, JWK Set or Key, or several.
        algorithms: The names that its header may have; None for all.
        verify: False for no look at the signature.

    Raises:
        JWSError: The token was not accepted.
        JWKError: A key cannot be used for the algorithm of the header, or none of
            the first 256 has signed and there are more.
    """
    header, payload, signed, signature = _load(token)
    if verify:
        _verify_signature(signed, header, signature, key, algorithms)
    return payload


def get_unverified_header(token: str | bytes) -> dict[str, Any]:
    """Return the header as anybody could have written it.

    Raises:
        JWSError: The token is malformed.
    """
    return _load(token)[0]


def get_unverified_headers(token: str | bytes) -> dict[str, Any]:
    """Return the same: python-jose has both names."""
    return get_unverified_header(token)


def get_unverified_claims(token: str | bytes) -> bytes:
    """Return the payload as anybody could have written it.

    Raises:
        JWSError: The token is malformed.
    """
    return _load(token)[1]


def _load(token: Any) -> Loaded:
    """Return header, payload, what was signed, and the signature."""
    if isinstance(token, str):
        token = token.encode("utf-8", "surrogatepass")
    if not isinstance(token, bytes):
        raise JWSError("Not enough segments")
    signed, dot, signature = token.rpartition(b".")
    encoded, second, payload = signed.partition(b".")
    if not (dot and second):
        raise JWSError("Not enough segments")
    try:
        text = base64url_bytes(encoded)
    except MalformedTokenError:
        raise JWSError("Not enough segments") from None
    try:
        header = json_object(text)
    except MalformedTokenError as error:
        raise JWSError(f"Invalid header string: {_problem(error)}") from None
    return (
        header,
        _part(payload, "Invalid payload padding"),
        signed,
        _part(signature, "Invalid crypto padding"),
    )


def _problem(error: MalformedTokenError) -> str:
    is_no_object = error.reason == "json_not_object"
    return "must be a json object" if is_no_object else str(error)


def _part(text: bytes, problem: str) -> bytes:
    try:
        return base64url_bytes(text)
    except MalformedTokenError:
        raise JWSError(problem) from None


def _verify_signature(
    signed: bytes, header: dict[str, Any], signature: bytes, key: Any, algorithms: Any
) -> None:
    alg = header.get("alg")
    if not alg:
        raise JWSError("No algorithm was specified in the JWS header.")
    allowed = (algorithms,) if isinstance(algorithms, str) else algorithms
    if not isinstance(alg, str) or (allowed is not None and alg not in allowed):
        raise JWSError("The specified alg value is not allowed")
    if "crit" in header or header.get("b64") is False:
        raise JWSError("Critical extensions are not supported")  # RFC 7515 4.1.11
    if not _may_sign(alg):
        raise JWSError(f"Invalid or unsupported algorithm: {alg}")
    try:
        if not _sig_matches_keys(_get_keys(key), signed, signature, alg):
            raise JWSSignatureError
    except JWSSignatureError:
        raise JWSError("Signature verification failed.") from None
    except JWSError:
        raise JWSError(f"Invalid or unsupported algorithm: {alg}") from None


def _may_sign(alg: str) -> bool:
    """Tell whether a name is none of those that encrypt, unless it was registered."""
    return alg not in ALGORITHMS.ENCRYPTING or alg in ALGORITHMS.KEYS


def _sig_matches_keys(
    keys: Iterable[Any], signed: bytes, signature: bytes, alg: str
) -> bool:
    for tried, one in enumerate(keys):
        if tried == key_set_max:
            raise JWKError(f"There are more than {key_set_max} keys to try")
        try:
            key = key_for(one, alg)
        except OtherKindError:
            continue
        try:
            if key.verify(signed, signature):
                return True
        except Exception:  # noqa: S112 - python-jose goes on with the next key
            continue
    return False


def key_for(key: Any, algorithm: str) -> Any:
    """Return the Key of a secret, PEM or JWK; what was parsed lately is not again.

    Raises:
        JWKError: The key cannot be used for the algorithm.
    """
    if isinstance(key, Key):
        return key
    if isinstance(key, (str, bytes)):
        return _constructed(key, algorithm)
    return jwk.construct(key, algorithm)


def _get_keys(key: Any) -> Any:
    """Return the keys that a JWK Set, a mapping or a list has; else the one."""
    if isinstance(key, Key):
        return (key,)
    if isinstance(key, (str, bytes)):
        try:
            key = json.loads(key, parse_int=str, parse_float=str)
        except (ValueError, RecursionError):
            return (key,)
    if isinstance(key, Mapping):
        if "keys" in key:
            return _listed(key["keys"])
        return (key,) if "kty" in key else key.values() or (key,)
    if isinstance(key, Iterable) and not isinstance(key, (str, bytes)):
        return key
    return (key,)


def _listed(keys: Any) -> Iterable[Any]:
    if not isinstance(keys, Iterable) or isinstance(keys, (str, bytes, Mapping)):
        raise JWKError("The keys of a JWK Set are a list (RFC 7517 5.1)")
    return keys
