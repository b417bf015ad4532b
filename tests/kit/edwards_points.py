"""Ed25519 in integers: points of any order, and signatures that are made of them.

It is slow, and its time tells of the secret: it makes what an attacker would, which no
library signs.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

__all__ = ["ORDER", "ORDER_8", "Forger", "P", "Point", "decode", "encode"]

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


@dataclass(frozen=True)
class Point:
    """A point of the curve."""

    x: int
    y: int

    def __add__(self, other: Point) -> Point:
        mixed = D * self.x * other.x * self.y * other.y % P
        x = (self.x * other.y + other.x * self.y) * pow(1 + mixed, -1, P)
        y = (self.y * other.y + self.x * other.x) * pow(1 - mixed, -1, P)
        return Point(x % P, y % P)

    def __rmul__(self, times: int) -> Point:
        made, doubled = Point(0, 1), self
        while times:
            made = made + doubled if times & 1 else made
            doubled, times = doubled + doubled, times >> 1
        return made


def decode(y: int, sign: int = 0) -> Point:
    """Return the point of that y, whose x is odd if the sign is 1."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square:
        raise ValueError("no point of the curve has that y")
    return Point(x if x & 1 == sign else P - x, y)


def encode(point: Point) -> bytes:
    """Return the 32 bytes of a point (RFC 8032 5.1.2)."""
    return (point.y | (point.x & 1) << 255).to_bytes(32, "little")


BASE = decode(4 * pow(5, -1, P) % P)
ORDER_8 = decode(0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7)


class Forger:
    """A key whose point has a part of small order: so many times ORDER_8."""

    def __init__(self, secret: int, torsion: int = 0) -> None:
        self.secret = secret
        self.point = secret * BASE + torsion * ORDER_8
        self.encoded = encode(self.point)

    def sign(self, message: bytes, nonce: int, torsion: int = 0) -> bytes:
        """Return a signature whose R has a part of small order, too."""
        r = encode(nonce * BASE + torsion * ORDER_8)
        return r + self.response(message, r, nonce).to_bytes(32, "little")

    def response(self, message: bytes, r: bytes, nonce: int) -> int:
        """Return the S that belongs to an R of these bytes."""
        return (nonce + self.challenge(message, r) * self.secret) % ORDER

    def challenge(self, message: bytes, r: bytes) -> int:
        """Return the number that the message becomes (RFC 8032 5.1.7)."""
        digest = hashlib.sha512(r + self.encoded + message).digest()
        return int.from_bytes(digest, "little") % ORDER

    def holds(self, message: bytes, signature: bytes, cofactor: int = 1) -> bool:
        """Return whether cofactor * S * B = cofactor * (R + h * A), for a good R."""
        y = int.from_bytes(signature[:32], "little")
        r = decode(y & (1 << 255) - 1, y >> 255)
        h = self.challenge(message, signature[:32])
        s = int.from_bytes(signature[32:], "little")
        return cofactor * (s * BASE) == cofactor * (r + h * self.point)
