"""WebSockets that close when what they were opened with is good no more."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.websockets import WebSocket, WebSocketState

from fastbearer.errors import StoreUnavailableError
from fastbearer.fastapi.auth import Auth
from fastbearer.fastapi.auth import auth as default_auth
from fastbearer.fastapi.bearer import has_ended

__all__ = ["closed_with_session"]

POLICY_VIOLATION = 1008  # RFC 6455 7.4.1
INTERNAL_ERROR = 1011
UNWATCHED = "a WebSocket is closed: whether its session has ended cannot be told"

logger: logging.Logger = logging.getLogger("fastbearer")


@asynccontextmanager
async def closed_with_session(
    websocket: WebSocket,
    claims: Mapping[str, Any],
    *,
    auth: Auth = default_auth,
    every: float = 1.0,
    token: str | None = None,
) -> AsyncIterator[None]:
    """Close an accepted WebSocket once its token expires or its session ends.

    A token is verified when a WebSocket is opened, and a WebSocket may stay open for
    days. Within ``async with closed_with_session(websocket, claims):`` it is closed
    with code 1008, which ends ``receive`` as a client that leaves does. Where looking
    fails for a reason that nobody has foreseen, the code is 1011.

    Args:
        websocket: Accepted.
        claims: Those of its token, as `TokenClaims` gives them, and `authenticate` in
            the attribute ``claims`` of a user.
        auth: What the token was verified with.
        every: Seconds between two looks.
        token: The token, if it came in a message; otherwise it is that of the request.
    """
    if token is None:
        token = auth.token_claims.token(websocket) or ""
    watching = asyncio.create_task(_watch(websocket, token, claims, auth, every))
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _watch(
    websocket: WebSocket,
    token: str,
    claims: Mapping[str, Any],
    auth: Auth,
    every: float,
) -> None:
    code = POLICY_VIOLATION
    try:
        while not await _is_over(token, claims, auth):
            await asyncio.sleep(every)
    except Exception:
        # Nobody looks any more: it might stay open for days.
        logger.exception(UNWATCHED)
        code = INTERNAL_ERROR
    if websocket.application_state is WebSocketState.CONNECTED:
        await websocket.close(code)


async def _is_over(token: str, claims: Mapping[str, Any], auth: Auth) -> bool:
    expires = claims.get("exp")
    if isinstance(expires, (int, float)) and expires <= auth.clock():
        return True
    if auth.revocations is None:
        return False
    try:
        scope = auth.scope_of(token, claims)
        return await has_ended(auth.revocations, token, auth.named(claims), scope)
    except StoreUnavailableError:
        return not auth.is_open_without_revocations
