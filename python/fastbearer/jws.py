"""Signed text of any kind (RFC 7515), for payloads that are not claims."""

from __future__ import annotations

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .keys import Key, KeySet

__all__ = ["sign", "verify"]


def sign(
    payload: bytes, key: Key, *, headers: Mapping[str, object] | None = None
) -> str:
    """Return the compact JWS of a payload.

    Args:
        payload: Any bytes.
        key: The key to sign with.
        headers: More members of the header, which has ``alg`` and ``kid``.

    Raises:
        TypeError: An argument has the wrong type.
        ValueError: A header that a verifier would refuse.
    """
    return _core.jws_sign(payload, key, None if headers is None else dict(headers))


def verify(token: str | bytes, key: Key | KeySet) -> bytes:
    """Return the payload of a token whose signature is right.

    Args:
        token: A compact JWS, str or bytes.
        key: The key, or the keys, one of which must have signed it.

    Raises:
        TokenError: The token was not accepted; the subclass says why.
    """
    return _core.jws_verify(token, key)
