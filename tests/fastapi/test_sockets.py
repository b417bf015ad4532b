"""WebSockets that are closed when their token expires or their session ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastapi import Depends, FastAPI, WebSocket
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from fastbearer.errors import StoreUnavailableError
from fastbearer.fastapi import Auth, Settings, closed_with_session
from fastbearer.revocation import MemoryRevocations
from fastbearer.testing import FrozenClock
from project import SECRET

SESSION = {"sid": "s1", "gen": 0}


class World:
    """An application that echoes, and what its tokens depend on."""

    def __init__(self) -> None:
        self.clock = FrozenClock()
        self.revocations = MemoryRevocations(self.clock)
        settings = Settings(better_auth_secret=SECRET)
        self.auth = Auth(settings, revocations=self.revocations, clock=self.clock)
        app = FastAPI()
        needed = Depends(self.auth.token_claims)

        @app.websocket("/echo")
        async def echo(websocket: WebSocket, claims: dict[str, Any] = needed) -> None:
            await websocket.accept()
            async with closed_with_session(
                websocket, claims, auth=self.auth, every=0.01
            ):
                async for text in websocket.iter_text():
                    await websocket.send_text(text)

        self.client = TestClient(app)

    def opened(self) -> Any:
        token = self.auth.generate_jwt_token("u1", "", claims=SESSION)
        headers = {"Authorization": f"Bearer {token}"}
        return self.client.websocket_connect("/echo", headers=headers)


@pytest.mark.parametrize("way", ["expiry", "session", "everywhere", "outage"])
def test_it_is_closed(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object) -> bool:
        raise StoreUnavailableError("lost")

    world = World()
    with world.opened() as socket:
        socket.send_text("hello")
        assert socket.receive_text() == "hello"
        if way == "expiry":
            world.clock.advance(world.auth.lifetime)
        elif way == "session":
            asyncio.run(world.revocations.end_session("s1", world.clock() + 60))
        elif way == "everywhere":
            asyncio.run(world.revocations.end_sessions("u1"))
        else:
            monkeypatch.setattr(world.revocations, "has_ended", lost)
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
    assert closed.value.code == 1008


def test_it_stays_open_while_the_session_is_good() -> None:
    world = World()
    with world.opened() as socket:
        asyncio.run(world.revocations.end_session("another", world.clock() + 60))
        world.clock.advance(world.auth.lifetime - 1)
        for text in ("one", "two"):
            socket.send_text(text)
            assert socket.receive_text() == text
