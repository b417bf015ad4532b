"""Numbers for RSA keys that are nobody's."""

from __future__ import annotations

import base64

__all__ = ["b64", "of_bits"]


def b64(number: int) -> str:
    """Return a number as a JWK has it (RFC 7518 2)."""
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _odd(bits: int) -> int:
    return int("b7e15162" * (bits // 32 + 1), 16) >> (32 - bits % 32) % 32 + 32 | 1


def of_bits(bits: int) -> int:
    """Return an odd number of so many bits that is no secret of anybody."""
    number = _odd(bits)
    return number >> max(number.bit_length() - bits, 0) | 1 | 1 << (bits - 1)
