"""The primes of an RSA key that comes with its exponents alone."""

from __future__ import annotations

import math

__all__ = ["primes_of"]


def primes_of(n: int, e: int, d: int) -> tuple[int, int] | None:
    """Return p and q, the greater first, or None (NIST SP 800-56B rev. 2, C.2).

    Nothing is tried: whatever the numbers are, they cost a greatest common divisor,
    two divisions and a square root. The answer is found for every key whose d is less
    than n. The numbers need not belong together.

    Args:
        n: The modulus, odd and greater than 3.
        e: The public exponent, of at most 256 bits.
        d: The private exponent, less than n.
    """
    multiple = e * d - 1  # of the least common multiple of p - 1 and q - 1
    multiple *= math.gcd(n - 1, multiple)  # of (p - 1) * (q - 1)
    if multiple <= 0:
        return None
    times, rest = divmod(multiple, n)
    sum_but_one, odd = divmod(n - rest, times + 1)
    p_and_q = sum_but_one + 1
    square = p_and_q**2 - 4 * n  # of p - q
    if odd or square < 0 or math.isqrt(square) ** 2 != square:
        return None
    p, q = (p_and_q + math.isqrt(square)) // 2, (p_and_q - math.isqrt(square)) // 2
    return (p, q) if q > 1 else None
