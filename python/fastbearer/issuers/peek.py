"""Whose token it says it is, before anything of it is believed."""

from __future__ import annotations

from fastbearer._core import base64url_bytes, json_object
from fastbearer.errors import TokenError

__all__ = ["unverified_issuer"]


def unverified_issuer(token: str | bytes, max_bytes: int = 16384) -> str | None:
    """Return the ``iss`` of a token's payload, or None."""
    if len(token) > max_bytes:
        return None
    text = token if isinstance(token, str) else token.decode("latin-1")
    if text.count(".") != 2:
        return None
    try:
        found = json_object(base64url_bytes(text.split(".")[1])).get("iss")
    except TokenError:
        return None
    return found if isinstance(found, str) else None
