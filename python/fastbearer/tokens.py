"""What a verified token is made of."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Token"]


class Token(NamedTuple):
    """A verified token.

    Attributes:
        header: The JOSE header (RFC 7515 4).
        claims: The claims (RFC 7519 4).
    """

    header: dict[str, Any]
    claims: dict[str, Any]
