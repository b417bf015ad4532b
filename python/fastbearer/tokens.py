"""What a verified token is made of."""

from __future__ import annotations

from collections import namedtuple
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, NamedTuple

    class _Token(NamedTuple):
        header: dict[str, Any]
        claims: dict[str, Any]

else:  # a tenth of the cost of importing this package
    _Token = namedtuple("_Token", ("header", "claims"))

__all__ = ["Token"]


class Token(_Token):
    """A verified token: a named tuple.

    Attributes:
        header: The JOSE header (RFC 7515 4).
        claims: The claims (RFC 7519 4).
    """

    __slots__ = ()
