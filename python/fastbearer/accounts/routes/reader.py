"""How the routes of accounts read bodies."""

from typing import ClassVar

from fastbearer.fastapi.strict_routes import StrictRequest

__all__ = ["AccountsRequest"]


class AccountsRequest(StrictRequest):
    """A request with a body that is short enough to be anybody's.

    What a project's schema makes of a list takes long for each of its items, and so
    does every error.
    """

    body_bytes: ClassVar[int] = 65_536
