"""JWKs as other packages read them, which is less strictly than the core does."""

from __future__ import annotations

import base64
from typing import Any

from fastbearer._core import Key
from fastbearer.base64url import base64url_encode
from fastbearer.compat._shared.memo import TextMemo
from fastbearer.compat._shared.primes import primes_of
from fastbearer.errors import FastbearerError

__all__ = ["COORDINATE_BYTES", "key_of_jwk"]

PRIMES = ("p", "q", "dp", "dq", "qi")
# What a key is made of. Neither original looks at what the key is for, or its ID.
MEMBERS = {
    "RSA": ("n", "e", "d", *PRIMES),
    "EC": ("x", "y", "d"),
    "OKP": ("x", "d"),
}
PUBLIC_RSA = ("n", "e")  # without a d, nothing else is looked at
COORDINATE_BYTES = {"P-256": 32, "P-384": 48, "P-521": 66, "secp256k1": 32}


def key_of_jwk(jwk: dict[str, Any], algorithm: str | None = None) -> Key:
    """Return the key of a JWK for an asymmetric algorithm.

    Numbers may have leading zeros, padding and either alphabet of base64; the primes
    of an RSA key may be missing (RFC 7518 6.3.2).

    Raises:
        ValueError: The JWK breaks a rule of the core, or is not base64.
    """
    kty = jwk.get("kty")
    names = MEMBERS.get(kty, ()) if isinstance(kty, str) else ()
    used = names if kty != "RSA" or jwk.get("d") is not None else PUBLIC_RSA
    numbers = tuple(jwk.get(name) if name in used else None for name in names)
    try:
        return _keys("", kty, jwk.get("crv"), numbers, algorithm)
    except (FastbearerError, TypeError) as error:
        raise ValueError(str(error)) from None


def _make_key(_: str, kty: str, crv: Any, numbers: Any, algorithm: str | None) -> Key:
    texts = zip(MEMBERS.get(kty, ()), numbers, strict=True)
    found = {name: _decoded(text) for name, text in texts if text is not None}
    bare: dict[str, Any] = {"kty": kty}
    if kty == "RSA":
        found = _rsa(found)
    else:
        bare["crv"] = crv
        if kty == "EC":
            size = COORDINATE_BYTES.get(crv, 0)
            found = {
                name: number.lstrip(b"\0").rjust(size, b"\0")
                for name, number in found.items()
            }
    return Key.from_jwk({**bare, **_encoded(found)}, algorithm)


_keys = TextMemo(_make_key)


def _rsa(found: dict[str, bytes]) -> dict[str, bytes]:
    numbers = {name: number.lstrip(b"\0") or b"\0" for name, number in found.items()}
    if "d" not in numbers:
        return numbers
    if not numbers.keys() & set(PRIMES):
        numbers |= _primes(numbers)
    return numbers


def _primes(numbers: dict[str, bytes]) -> dict[str, bytes]:
    # The core's limits of n and e come before any work with the numbers.
    public = {name: numbers[name] for name in PUBLIC_RSA if name in numbers}
    Key.from_jwk({"kty": "RSA", **_encoded(public)})
    n, e, d = (int.from_bytes(numbers[name], "big") for name in "ned")
    found = primes_of(n, e, d) if d < n else None
    if found is None:
        raise ValueError("d is not of this RSA key")
    p, q = found
    made = (p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
    return {
        name: number.to_bytes((number.bit_length() + 7) // 8, "big")
        for name, number in zip(PRIMES, made, strict=True)
    }


def _encoded(numbers: dict[str, bytes]) -> dict[str, str]:
    return {name: base64url_encode(number).decode() for name, number in numbers.items()}


def _decoded(text: Any) -> bytes:
    if not isinstance(text, str):
        raise TypeError("a member of the JWK is not text")
    if not text.isascii():
        raise ValueError("a member of the JWK is not base64url")
    plain = text.rstrip("=").replace("+", "-").replace("/", "_").encode("ascii")
    return base64.b64decode(
        plain + b"=" * (-len(plain) % 4), altchars=b"-_", validate=True
    )
