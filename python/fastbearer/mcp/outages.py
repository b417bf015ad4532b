"""What an MCP server says while it cannot be told whether a token is good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from fastbearer.errors import KeySourceError, StoreUnavailableError
from fastbearer.fastapi.challenges import answer_to

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["OutageMiddleware"]


class OutageMiddleware:
    """Answers with a 503 where the issuer's keys, or a store, cannot be reached.

    A verifier of the SDK can only say that a token is good or bad, and neither is known
    then: it raises, and the SDK would answer with a 500. This middleware is to be
    around the SDK's own: ``app = server.streamable_http_app()``, then
    ``app.add_middleware(OutageMiddleware)``.

    Args:
        app: The application within.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        has_begun = False

        async def send_and_note(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except (KeySourceError, StoreUnavailableError) as error:
            if has_begun or scope["type"] != "http":
                raise
            answer = answer_to(error)
            response = JSONResponse(
                {
                    "error": "temporarily_unavailable",
                    "error_description": answer.detail,
                },
                answer.status_code,
                answer.headers,
            )
            await response(scope, receive, send)
