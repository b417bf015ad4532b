"""JWKs as other packages take them: less is asked of them than by the core."""

from __future__ import annotations

import base64
from typing import Any

from fastbearer._core import Key, base64url_bytes
from fastbearer.compat.primes import primes_of

__all__ = ["key_of_jwk"]

PRIMES = {"p", "q", "dp", "dq", "qi"}
MOST_BITS = 16384
# They take no notice of what a key is for, nor of its name.
UNNOTICED = ("use", "key_ops", "kid", "alg")


def key_of_jwk(jwk: dict[str, Any], algorithm: str | None = None) -> Key:
    """Return the key of a JWK for an asymmetric algorithm.

    Raises:
        FastbearerError: It breaks a rule of the core.
        TypeError: A number is no text.
        ValueError: A number is out of range.
    """
    bare = {name: value for name, value in jwk.items() if name not in UNNOTICED}
    if jwk.get("kty") == "RSA" and "d" in jwk and not jwk.keys() & PRIMES:
        bare |= _primes(jwk)
    return Key.from_jwk(bare, algorithm)


def _primes(jwk: dict[str, Any]) -> dict[str, str]:
    """RFC 7518 6.3.2: a producer may give d alone."""
    n, e, d = (_number(jwk[name]) for name in ("n", "e", "d"))
    if n.bit_length() > MOST_BITS or max(e, d) >= n:
        raise ValueError("an RSA key out of range")
    found = primes_of(n, e, d)
    if found is None:
        raise ValueError("d is not of this RSA key")
    p, q = found
    numbers = {"p": p, "q": q, "dp": d % (p - 1), "dq": d % (q - 1)}
    numbers["qi"] = pow(q, -1, p)
    return {name: _text(number) for name, number in numbers.items()}


def _number(text: str) -> int:
    return int.from_bytes(base64url_bytes(text), "big")


def _text(number: int) -> str:
    content = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")
