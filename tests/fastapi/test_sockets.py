"""WebSockets that are closed when their token expires or their session ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
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

    def __init__(self, **more: Any) -> None:
        self.clock = FrozenClock()
        self.revocations = MemoryRevocations(self.clock)
        settings = Settings(better_auth_secret=SECRET, **more)
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


def failing(error: Exception) -> Callable[..., bool]:
    def has_ended(*_: object) -> bool:
        raise error

    return has_ended


@pytest.mark.parametrize("way", ["expiry", "session", "everywhere", "outage"])
def test_it_is_closed(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
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
            lost = failing(StoreUnavailableError("lost"))
            monkeypatch.setattr(world.revocations, "has_ended", lost)
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
    assert closed.value.code == 1008


async def codes_of(world: World) -> list[int]:
    """Return with which codes a WebSocket is closed, until nobody watches it."""
    codes = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        if message["type"] == "websocket.close":
            codes.append(message["code"])

    socket = WebSocket({"type": "websocket", "headers": []}, receive, send)
    await socket.accept()
    claims = {"sub": "u1", "exp": world.clock() + 60}
    async with closed_with_session(socket, claims, auth=world.auth, token="x.y.z"):
        await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})
    return codes


@pytest.mark.parametrize("failure", ["closed", "open"])
def test_it_is_closed_when_nobody_can_watch_it_any_more(
    failure: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A store of somebody else may raise what it likes."""
    world = World(revocation_failure=failure)
    lost = failing(ConnectionResetError("the store has hung up"))
    monkeypatch.setattr(world.revocations, "has_ended", lost)
    assert asyncio.run(codes_of(world)) == [1011]
    (told,) = [one for one in caplog.records if one.name == "fastbearer"]
    assert "a WebSocket is closed" in told.getMessage()
    assert "the store has hung up" in caplog.text


def test_it_stays_open_while_the_session_is_good() -> None:
    world = World()
    with world.opened() as socket:
        asyncio.run(world.revocations.end_session("another", world.clock() + 60))
        world.clock.advance(world.auth.lifetime - 1)
        for text in ("one", "two"):
            socket.send_text(text)
            assert socket.receive_text() == text
