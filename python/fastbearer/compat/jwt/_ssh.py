"""Public keys in the one-line form of SSH (RFC 4253 6.6, RFC 5656 3.1, RFC 8709 4)."""

from __future__ import annotations

import binascii
from collections.abc import Iterator

from fastbearer.compat.jwt.utils import base64url_encode

__all__ = ["is_ssh", "jwk_of"]

CURVES = {b"nistp256": "P-256", b"nistp384": "P-384", b"nistp521": "P-521"}
UNCOMPRESSED = 4  # SEC 1 2.3.3


def is_ssh(text: bytes) -> bool:
    """Tell whether a string begins as such a key does."""
    return text.startswith((b"ssh-", b"ecdsa-sha2-"))


def jwk_of(text: bytes) -> dict[str, str]:
    """Return the members of a JWK.

    Raises:
        ValueError: The text is not such a key.
    """
    words = text.split()
    if len(words) < 2:
        raise ValueError("an SSH key without its content")
    kind, *fields = _fields(binascii.a2b_base64(words[1], strict_mode=True))
    match kind, fields:
        case b"ssh-rsa", [e, n]:
            return {"kty": "RSA", "e": _text(e), "n": _text(n)}
        case b"ssh-ed25519", [x]:
            crv = {"kty": "OKP", "crv": "Ed25519"}
            return {**crv, "x": base64url_encode(x).decode("ascii")}
        case _, [name, point] if kind == b"ecdsa-sha2-" + name and name in CURVES:
            return _ec(CURVES[name], point)
    raise ValueError("an SSH key of another kind")


def _ec(crv: str, point: bytes) -> dict[str, str]:
    if not point or point[0] != UNCOMPRESSED:
        raise ValueError("an SSH key whose point is compressed")
    half = len(point) // 2
    x, y = (
        base64url_encode(one).decode("ascii")
        for one in (point[1 : half + 1], point[half + 1 :])
    )
    return {"kty": "EC", "crv": crv, "x": x, "y": y}


def _fields(content: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(content):
        end = at + 4 + int.from_bytes(content[at : at + 4], "big")
        if end > len(content):
            raise ValueError("an SSH key that is cut short")
        yield content[at + 4 : end]
        at = end


def _text(number: bytes) -> str:
    return base64url_encode(number.lstrip(b"\0")).decode("ascii")
