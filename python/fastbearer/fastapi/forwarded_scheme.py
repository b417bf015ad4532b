"""The scheme of a request, as the header Forwarded has it (RFC 7239 5.4)."""

from starlette.types import ASGIApp, Receive, Scope, Send

from fastbearer.fastapi.auth import Auth
from fastbearer.fastapi.auth import auth as default_auth

__all__ = ["ForwardedScheme"]

OF_WEBSOCKETS = {"http": "ws", "https": "wss"}


class ForwardedScheme:
    """Gives each request the scheme by which its client has sent it.

    ``app.add_middleware(ForwardedScheme)``, as the outermost one, where
    ``FORWARDED_HEADER=forwarded``: an ASGI server knows ``X-Forwarded-Proto`` at best,
    and is then told to read nothing (``uvicorn --no-proxy-headers``). The trusted proxy
    to which the client is connected says it, in ``proto``; where it does not, the
    header ``X-Forwarded-Proto`` counts. With another ``FORWARDED_HEADER``, nothing is
    changed.

    Args:
        app: The application within.
        auth: Whose settings name the proxies.
    """

    def __init__(self, app: ASGIApp, *, auth: Auth = default_auth) -> None:
        self._app = app
        self._proxies = auth.clients.proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, a WebSocket or a lifespan."""
        if scope["type"] != "lifespan" and self._proxies.write_forwarded_alone:
            named = self._proxies.scheme(scope)
            if named in OF_WEBSOCKETS:
                is_socket = scope["type"] == "websocket"
                # In place, as servers do: others keep what is within in the scope.
                scope["scheme"] = OF_WEBSOCKETS[named] if is_socket else named
        await self._app(scope, receive, send)
