"""A whole application behind bearer tokens: Starlette's, FastAPI's, any."""

from collections.abc import Iterable

from fastapi import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from fastbearer.fastapi.auth import Auth
from fastbearer.fastapi.auth import auth as default_auth
from fastbearer.fastapi.bearer import READY, BearerReader
from fastbearer.fastapi.challenges import not_authenticated
from fastbearer.fastapi.paths import ExemptPaths, root_path_of

__all__ = ["BearerMiddleware"]


class BearerMiddleware:
    """Lets requests and WebSockets through that have a good token.

    ``app.add_middleware(BearerMiddleware, exempt=["/healthz"])``; then
    ``request.user`` is the `TokenUser`, and ``request.auth`` the claims. The
    others get the answers that the dependencies give. Middleware that must see
    refused requests, like CORSMiddleware, is to be added after this one.

    Args:
        app: The application within.
        auth: What the tokens are verified with.
        exempt: Paths that are open to all. One that ends with "/" stands for
            everything below it. They are compared with the path that Starlette
            routes by: percent-decoded, without the prefix of a proxy or of the
            mounts around (``root_path``). A path with dot segments, empty
            segments, backslashes, or escaped dots and slashes is never exempt.
            What decides is the path, not the route: a route like ``/{page}/edit``
            is open at ``/public/edit`` where ``/public/`` is.
        optional: Whether a request without credentials goes through, too;
            then ``request.user`` is None, and ``request.auth`` empty.
        header: Name of the request header that has the token.

    Raises:
        ConfigurationError: ``header`` is not a header name (RFC 9110 5.1), or
            ``exempt`` is one text, or has what would open everything or nothing:
            "", "/", a relative path, a pattern with wildcards.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        auth: Auth = default_auth,
        exempt: Iterable[str] = (),
        optional: bool = False,
        header: str = "Authorization",
    ) -> None:
        self._app = app
        self._auth = auth
        self._root_path = root_path_of(app)
        self._claims = BearerReader(auth, header).claims
        self._is_exempt = ExemptPaths(exempt).has
        self._optional = optional

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, a WebSocket or a lifespan."""
        if scope["type"] == "lifespan" or self._is_exempt(scope, self._root_path):
            await self._app(scope, receive, send)
            return
        try:
            claims = self._claims(scope)
            if not isinstance(claims, READY):
                claims = await claims
            if claims is None:
                if not self._optional:
                    raise not_authenticated()
                scope["user"], scope["auth"] = None, {}
            else:
                scope["user"], scope["auth"] = self._auth.user_of(claims), claims
        except HTTPException as refusal:
            await _refuse(refusal, scope, receive, send)
            return
        await self._app(scope, receive, send)


async def _refuse(
    refusal: HTTPException, scope: Scope, receive: Receive, send: Send
) -> None:
    response = JSONResponse(
        {"detail": refusal.detail}, refusal.status_code, refusal.headers
    )
    if scope["type"] == "http":
        await response(scope, receive, send)
        return
    socket = WebSocket(scope, receive, send)
    if "websocket.http.response" in scope.get("extensions", {}):
        # Before it is accepted, a WebSocket can be denied like a request.
        await socket.send_denial_response(response)
    else:
        await socket.close(1008)  # RFC 6455 7.4.1: a policy is violated
