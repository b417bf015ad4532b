"""Base64url without padding (RFC 7515 2), for the rooms written in Python."""

from __future__ import annotations

import base64

__all__ = ["base64url_decode", "base64url_encode"]


def base64url_encode(input: bytes) -> bytes:
    """Return base64url without padding (RFC 7515 2)."""
    return base64.urlsafe_b64encode(input).rstrip(b"=")


def base64url_decode(input: bytes) -> bytes:
    """Decode base64url, with or without padding.

    This is for data that the drop-ins must read as leniently as the originals do.
    Tokens are decoded by the core, which is strict.

    Raises:
        binascii.Error: The input is not base64url.
    """
    return base64.urlsafe_b64decode(input + b"=" * (-len(input) % 4))
