"""Small things that users of python-jose call too."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from fastbearer.base64url import base64url_decode, base64url_encode
from fastbearer.utf8 import utf8_of

__all__ = [
    "base64_to_long",
    "base64url_decode",
    "base64url_encode",
    "calculate_at_hash",
    "ensure_binary",
    "is_pem_format",
    "is_ssh_key",
    "long_to_base64",
    "long_to_bytes",
    "timedelta_total_seconds",
]

BEGIN = re.compile(rb"-----BEGIN [A-Z0-9 ]+-----")
END = re.compile(rb"-----END [A-Z0-9 ]+-----")
SSH_KEY_TYPES = (b"ssh-rsa", b"ssh-dss", b"ssh-ed25519", b"ecdsa-sha2-nistp")


def calculate_at_hash(access_token: str, hash_alg: Any) -> str:
    """Return the left half of the token's digest (OpenID Connect Core 3.1.3.6).

    Raises:
        ValueError: The token has a lone surrogate.
    """
    digest = hash_alg(ensure_binary(access_token)).digest()
    return base64url_encode(digest[: len(digest) // 2]).decode("ascii")


def ensure_binary(text: str | bytes) -> bytes:
    """Return bytes; of a str its UTF-8.

    Raises:
        TypeError: The value is neither.
        ValueError: The text has a lone surrogate.
    """
    if isinstance(text, bytes):
        return text
    if not isinstance(text, str):
        raise TypeError(f"not expecting type '{type(text)}'")
    found = utf8_of(text)
    if found is None:
        raise ValueError("the text has a lone surrogate")
    return found


def long_to_bytes(number: int, blocksize: int = 0) -> bytes:
    """Return the big-endian bytes of a number, filled up to ``blocksize``."""
    size = max(1, (number.bit_length() + 7) // 8)
    if blocksize:
        size += -size % blocksize
    return number.to_bytes(size, "big")


def long_to_base64(data: int, size: int = 0) -> bytes:
    """Return the base64url of a number, at least of ``size`` bytes."""
    return base64url_encode(long_to_bytes(data).rjust(size, b"\0"))


def base64_to_long(data: str | bytes) -> int:
    """Return the number that base64url stands for."""
    return int.from_bytes(base64url_decode(ensure_binary(data)), "big")


def timedelta_total_seconds(delta: timedelta) -> int:
    """Return whole seconds."""
    return delta.days * 86_400 + delta.seconds


def is_pem_format(key: bytes) -> bool:
    """Tell whether there is a PEM string."""
    begin = BEGIN.search(key)
    return begin is not None and END.search(key, begin.end()) is not None


def is_ssh_key(key: bytes) -> bool:
    """Tell whether there is a key of SSH."""
    return any(kind in key for kind in SSH_KEY_TYPES)
