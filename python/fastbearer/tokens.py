"""What a verified token is made of."""

from __future__ import annotations

from collections import namedtuple

__all__ = ["Token"]

DOCUMENTATION = """A verified token: a named tuple.

Attributes:
    header: The JOSE header (RFC 7515 4).
    claims: The claims (RFC 7519 4).
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NamedTuple

    class Token(NamedTuple):  # noqa: D101
        header: dict[str, Any]
        claims: dict[str, Any]

else:  # NamedTuple would be a fifth of what importing this package costs
    Token = namedtuple("Token", ("header", "claims"))
    Token.__doc__ = DOCUMENTATION
