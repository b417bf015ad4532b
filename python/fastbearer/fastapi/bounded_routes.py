"""Routes that read no more of a request's head than any browser or proxy sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import HTTPException
from fastapi.routing import APIRoute

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["BoundedRoute", "check_head"]

HEAD_BYTES = 65_536
"""Of all headers, and of the URL: as h11 has it, and eight times what nginx takes."""

LONG_HEADERS = f"The headers must have at most {HEAD_BYTES} bytes together"
LONG_URL = f"The URL must have at most {HEAD_BYTES} bytes"


def check_head(scope: Mapping[str, Any]) -> None:
    """Refuse a request whose head is too long.

    FastAPI parses every cookie and every parameter of the query in Python, whether or
    not a route asks for them, and not every server has a bound of its own.

    Args:
        scope: ASGI's, of the request.

    Raises:
        HTTPException: 431 for long headers (RFC 6585 5), 414 for a long URL.
    """
    if sum(len(name) + len(value) for name, value in scope["headers"]) > HEAD_BYTES:
        raise HTTPException(431, LONG_HEADERS)
    if len(scope["path"]) + len(scope["query_string"]) > HEAD_BYTES:
        raise HTTPException(414, LONG_URL)


class BoundedRoute(APIRoute):
    """A route that refuses a long head before anything of it is parsed."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return FastAPI's handler, with that check before it."""
        handler = super().get_route_handler()

        async def bounded_handler(request: Request) -> Response:
            check_head(request.scope)
            return await handler(request)

        return bounded_handler
