"""The primes of an RSA key that comes with its exponents alone."""

from __future__ import annotations

import math
import secrets

__all__ = ["primes_of"]

ATTEMPTS = 100  # each fails for at most half of all numbers


def primes_of(n: int, e: int, d: int) -> tuple[int, int] | None:
    """Return p and q, the greater first, or None (NIST SP 800-56B rev. 2, C.1).

    The modulus has two primes; the numbers need not belong together.

    Args:
        n: The modulus, odd and greater than 3.
        e: The public exponent.
        d: The private exponent.
    """
    even = e * d - 1
    if n < 9 or n % 2 == 0 or even <= 0 or even % 2:
        return None
    twos = (even & -even).bit_length() - 1
    odd = even >> twos
    for _ in range(ATTEMPTS):
        root = pow(secrets.randbelow(n - 3) + 2, odd, n)
        for _ in range(twos):
            square = pow(root, 2, n)
            if square == 1 and root not in (1, n - 1):
                p = math.gcd(root - 1, n)
                return max(p, n // p), min(p, n // p)
            root = square
    return None
