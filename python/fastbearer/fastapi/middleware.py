"""A whole application behind bearer tokens: Starlette's, FastAPI's, any."""

from collections.abc import Iterable

from fastapi import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from fastbearer.fastapi.auth import Auth
from fastbearer.fastapi.auth import auth as default_auth
from fastbearer.fastapi.bearer import READY, BearerReader
from fastbearer.fastapi.paths import ExemptPaths, root_path_of
from fastbearer.fastapi.starlette_user import (
    AnonymousUser,
    TokenCredentials,
    credentials_with,
    user_with,
)
from fastbearer.fastapi.subprotocols import echoing
from fastbearer.fastapi.token_header import Header, token_headers

__all__ = ["BearerMiddleware"]


class BearerMiddleware:
    """Lets requests and WebSockets through that have a good token.

    ``app.add_middleware(BearerMiddleware, exempt=["/healthz"])``; then
    ``request.user`` is the `TokenUser`, and ``request.auth`` the claims. Both have the
    names of ``starlette.authentication``, too, so its ``@requires`` can be used: with
    "authenticated", and with the scopes of the token. The others get the answers that
    the dependencies give. Middleware that must see refused requests, like
    CORSMiddleware, is to be added after this one. Preflights (CORS) have no
    credentials and go through.

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
            then ``request.user`` and ``request.auth`` are empty, and false.
        header: Where the token is, as in ``Auth``; the cookies are those of ``auth``.
        scheme: What stands before the token there.

    Raises:
        ConfigurationError: ``header`` is not a header name (RFC 9110 5.1), ``scheme``
            is not a scheme, or ``exempt`` is one string, or has what would open
            everything or nothing: "", "/", a relative path, a pattern with wildcards.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        auth: Auth = default_auth,
        exempt: Iterable[str] = (),
        optional: bool = False,
        header: Header = "Authorization",
        scheme: str | None = "Bearer",
    ) -> None:
        self._app = app
        self._auth = auth
        self._root_path = root_path_of(app)
        self._reader = BearerReader(auth, token_headers(header, scheme))
        self._claims = self._reader.claims
        self._is_exempt = ExemptPaths(exempt).has
        self._optional = optional

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, a WebSocket or a lifespan."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if self._is_exempt(scope, self._root_path):
            # Others may have said who it is; what asks finds nobody otherwise.
            scope.setdefault("user", AnonymousUser())
            scope.setdefault("auth", TokenCredentials())
            await self._app(scope, receive, send)
            return
        try:
            claims = self._claims(scope)
            if not isinstance(claims, READY):
                claims = await claims
            if claims is None:
                if not self._optional and not _is_preflight(scope):
                    raise self._reader.nothing(scope)
                scope["user"], scope["auth"] = AnonymousUser(), TokenCredentials()
            else:
                auth = self._auth
                scope["user"] = user_with(auth.user_of(claims), claims)
                scope["auth"] = credentials_with(claims, auth.scopes_of)
            if scope["type"] == "websocket":
                offer = self._reader.offer(scope)
                send = send if offer is None else echoing(send, offer)
        except HTTPException as refusal:
            await _refuse(refusal, scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_preflight(scope: Scope) -> bool:
    """Tell whether a browser asks if a page may send a request (WHATWG Fetch 4.9)."""
    if scope["type"] != "http" or scope["method"] != "OPTIONS":
        return False
    names = {name for name, _ in scope["headers"]}
    return {b"origin", b"access-control-request-method"} <= names


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
