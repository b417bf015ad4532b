"""Tokens of WebSockets: subprotocols, messages, and what closes an accepted one.

No ``from __future__ import annotations``: FastAPI has to see local names.
"""

import asyncio
import base64
import logging
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, HTTPException, Security, WebSocket
from fastapi.responses import HTMLResponse
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from browser import chromium, open_page
from fastbearer.fastapi import (
    Auth,
    BearerMiddleware,
    Settings,
    TokenUser,
    closed_with_session,
)
from fastbearer.fastapi.subprotocols import echoing, offered_token
from fastbearer.revocation import MemoryRevocations
from fastbearer.testing import FrozenClock, token_for
from project import SECRET

Serve = Callable[[Any], str]
auth = Auth(Settings(better_auth_secret=SECRET))
KUBERNETES = "base64url.bearer.authorization.k8s.io."


def encoded(token: str) -> str:
    return base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")


def make_app(auth: Auth = auth, subprotocol: str | None = None) -> FastAPI:
    app = FastAPI()
    user = Depends(auth.verify_jwt_token)
    optional = Depends(auth.optional_user)
    reader = Security(auth.requires, scopes=["read"])
    owner = Depends(auth.verify_path_user("user_id"))

    @app.websocket("/ws")
    async def socket(websocket: WebSocket, user: Annotated[TokenUser, user]) -> None:
        await websocket.accept(subprotocol=subprotocol)
        await websocket.send_text(user["user_id"])
        await websocket.close()

    @app.websocket("/maybe")
    async def maybe(
        websocket: WebSocket, user: Annotated[TokenUser | None, optional]
    ) -> None:
        await websocket.accept()
        await websocket.send_text("nobody" if user is None else user["user_id"])
        await websocket.close()

    @app.websocket("/scoped")
    async def scoped(websocket: WebSocket, user: Annotated[TokenUser, reader]) -> None:
        await websocket.accept()
        await websocket.send_text(user["user_id"])
        await websocket.close()

    @app.websocket("/users/{user_id}")
    async def theirs(websocket: WebSocket, user: Annotated[TokenUser, owner]) -> None:
        await websocket.accept()
        await websocket.send_text(user["user_id"])
        await websocket.close()

    @app.websocket("/by-hand")
    async def by_hand(websocket: WebSocket) -> None:
        user = await auth.authenticate(websocket)
        await websocket.accept()
        await websocket.send_text(user["user_id"])
        await websocket.close()

    @app.websocket("/first-message")
    async def first_message(websocket: WebSocket) -> None:
        await websocket.accept()
        message = await websocket.receive_json()
        user = await auth.authenticate_token(message["token"], websocket)
        await websocket.send_text(user["user_id"])
        await websocket.close()

    return app


def met(app: Any, offered: list[str], path: str = "/ws") -> tuple[str, str | None]:
    """Return the user, and the subprotocol of the answer."""
    client = TestClient(app)
    with client.websocket_connect(path, subprotocols=offered) as connected:
        return connected.receive_text(), connected.accepted_subprotocol


def denied(app: Any, offered: list[str], path: str = "/ws") -> int:
    with pytest.raises(WebSocketDenialResponse) as refusal:
        met(app, offered, path)
    return refusal.value.status_code


# --- the subprotocol


@pytest.mark.parametrize("mark", ["bearer", "Bearer"])
def test_a_browser_sends_the_token_as_a_subprotocol(mark: str) -> None:
    token = token_for("u1", auth=auth, scopes=("read",))
    for path in ("/ws", "/maybe", "/scoped", "/users/u1", "/by-hand"):
        assert met(make_app(), [mark, token], path) == ("u1", mark)


def test_the_application_has_a_subprotocol_of_its_own() -> None:
    token = token_for("u1", auth=auth)
    for offered in (["chat", "bearer", token], ["bearer", token, "chat"]):
        assert met(make_app(subprotocol="chat"), offered) == ("u1", "chat")
        assert met(make_app(), offered) == ("u1", "bearer")


def test_the_token_in_one_text_with_the_scheme() -> None:
    token = token_for("u1", auth=auth)
    for one in (f"bearer.{token}", KUBERNETES + encoded(token)):
        assert met(make_app(subprotocol="chat"), ["chat", one]) == ("u1", "chat")
        assert met(make_app(), [one]) == ("u1", None)


@pytest.mark.parametrize("place", range(3))
def test_the_token_is_never_sent_back(place: int) -> None:
    token = token_for("u1", auth=auth)
    for offered in (
        ["chat", "bearer", token],
        ["chat", f"bearer.{token}", "x"],
        ["chat", KUBERNETES + encoded(token), "x"],
    ):
        user, answer = met(make_app(subprotocol=offered[place]), offered)
        assert user == "u1"
        assert answer is None or token not in answer
        assert answer in {"chat", "bearer", "x", None}


def test_a_header_goes_before_a_subprotocol() -> None:
    client = TestClient(make_app())
    offered = ["bearer", token_for("subprotocol", auth=auth)]
    headers = {"Authorization": f"Bearer {token_for('header', auth=auth)}"}
    with client.websocket_connect("/ws", offered, headers=headers) as connected:
        assert connected.receive_text() == "header"
        assert connected.accepted_subprotocol == "bearer"
    headers = {"Authorization": "Bearer bad"}
    with pytest.raises(WebSocketDenialResponse):  # noqa: SIM117
        with client.websocket_connect("/ws", offered, headers=headers):
            pass


def test_a_subprotocol_goes_before_a_cookie_and_needs_no_origin() -> None:
    both = Auth(Settings(better_auth_secret=SECRET), cookies=["access_token"])
    client = TestClient(make_app(both))
    headers = {
        "Cookie": f"access_token={token_for('cookie', auth=auth)}",
        "Origin": "https://evil.example",
    }
    offered = ["bearer", token_for("subprotocol", auth=auth)]
    with client.websocket_connect("/ws", offered, headers=headers) as connected:
        assert connected.receive_text() == "subprotocol"


@pytest.mark.parametrize(
    ("offered", "status"),
    [
        (["bearer"], 401),
        (["bearer", ""], 401),
        (["bearer", "rubbish"], 401),
        (["bearer."], 401),
        (["bearer.rubbish"], 401),
        ([f"{KUBERNETES}"], 401),
        ([f"{KUBERNETES}*"], 401),
        ([f"{KUBERNETES}_w"], 401),
        (["chat"], 401),
        (["bearers", "{token}"], 401),
        (["{token}"], 401),
        (["{token}", "bearer"], 401),
        (["bearer", "{token}", "bearer", "{token}"], 400),
        (["bearer", "{token}", "bearer.{token}"], 400),
    ],
)
def test_what_is_no_token_among_the_subprotocols(
    offered: list[str], status: int
) -> None:
    token = token_for("u1", auth=auth)
    offered = [one.format(token=token) for one in offered]
    for path in ("/ws", "/by-hand"):
        assert denied(make_app(), offered, path) == status


def test_without_a_token_other_subprotocols_are_left_alone() -> None:
    assert met(make_app(), ["chat"], "/maybe") == ("nobody", None)


def test_a_request_has_no_subprotocols() -> None:
    token = token_for("u1", auth=auth)
    app = FastAPI()

    @app.get("/me")
    async def me(user: Annotated[TokenUser, Depends(auth.verify_jwt_token)]) -> Any:
        return user

    headers = {"Sec-WebSocket-Protocol": f"bearer, {token}"}
    assert TestClient(app).get("/me", headers=headers).status_code == 401


def test_only_a_websocket_has_subprotocols() -> None:
    scope = {"type": "http", "subprotocols": ["bearer", "a.b.c"]}
    assert offered_token(scope) is None
    assert offered_token({"type": "websocket"}) is None


MARKS = st.sampled_from(["bearer", "Bearer", "bearer.", KUBERNETES, "chat", ""])


@given(st.lists(MARKS | st.text() | MARKS.flatmap(lambda m: st.text().map(m.__add__))))
def test_any_subprotocols_are_read_and_no_token_is_sent_back(
    offered: list[str],
) -> None:
    try:
        offer = offered_token({"type": "websocket", "subprotocols": offered})
    except ValueError:
        return
    if offer is None:
        return
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message["subprotocol"])

    async def accept() -> None:
        for chosen in (None, *offered):
            message = {"type": "websocket.accept", "subprotocol": chosen}
            await echoing(send, offer)(message)

    asyncio.run(accept())
    allowed = {one for one in offered if one not in (offer.secret, offer.token)}
    assert set(sent) <= {*allowed, offer.mark, None}


def test_the_token_of_a_subprotocol_is_in_no_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        token = token_for("u1", auth=auth)
        met(make_app(), ["bearer", token])
        denied(make_app(), ["bearer", f"{token}."])
        denied(make_app(), [f"bearer.{token}", token, "bearer", token])
    assert not any(token[:12] in message for message in caplog.messages)
    ours = [one.message for one in caplog.records if one.name == "fastbearer"]
    assert [line.partition(";")[0] for line in ours] == [
        "token refused: malformed_token: token_not_compact",
        "token refused: invalid_request: two_subprotocols",
    ]


def test_the_middleware_takes_the_same_subprotocols() -> None:
    token = token_for("u1", auth=auth)
    inner = FastAPI()

    @inner.websocket("/ws")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(websocket.user["user_id"])
        await websocket.close()

    app = BearerMiddleware(inner, auth=auth)
    assert met(app, ["chat", "bearer", token]) == ("u1", "bearer")
    assert denied(app, ["bearer", "x"]) == 401


# --- coroutines that do what the dependencies do


def test_a_token_in_the_first_message() -> None:
    client = TestClient(make_app())
    with client.websocket_connect("/first-message") as connected:
        connected.send_json({"token": token_for("u1", auth=auth)})
        assert connected.receive_text() == "u1"


@pytest.mark.parametrize("token", ["rubbish", "", None, 7, ["a"]])
def test_a_bad_first_message_closes_the_websocket(token: object) -> None:
    client = TestClient(make_app())
    with client.websocket_connect("/first-message") as connected:
        connected.send_json({"token": token})
        with pytest.raises(WebSocketDisconnect) as closed:
            connected.receive_text()
    assert closed.value.code == 1008
    assert closed.value.reason in {"Invalid token", "Not authenticated"}


def test_a_request_outside_of_dependencies() -> None:
    app = FastAPI()

    @app.get("/me")
    async def me(request: Request) -> Any:
        user = await auth.authenticate(request)
        return [user, user.claims["sub"], user.is_authenticated, user.display_name]

    client = TestClient(app)
    headers = {"Authorization": f"Bearer {token_for('u1', 'a@b.example', auth=auth)}"}
    user = {"user_id": "u1", "email": "a@b.example"}
    assert client.get("/me", headers=headers).json() == [
        user,
        "u1",
        True,
        user["email"],
    ]
    assert client.get("/me").status_code == 401
    assert client.get("/me", headers={"Authorization": "Bearer x"}).status_code == 401


def test_a_token_without_any_connection() -> None:
    user = asyncio.run(auth.authenticate_token(token_for("u1", "", auth=auth)))
    assert user == {"user_id": "u1", "email": ""}
    for bad in ("", "rubbish", token_for("u1", auth=auth, claims={"exp": 1})):
        with pytest.raises(HTTPException) as refusal:
            asyncio.run(auth.authenticate_token(bad))
        assert refusal.value.status_code == 401


class World:
    """A WebSocket with a token in its first message, and what ends it."""

    def __init__(self) -> None:
        self.clock = FrozenClock()
        self.revocations = MemoryRevocations(self.clock)
        settings = Settings(better_auth_secret=SECRET)
        self.auth = Auth(settings, revocations=self.revocations, clock=self.clock)
        app = FastAPI()

        @app.websocket("/echo")
        async def echo(websocket: WebSocket) -> None:
            await websocket.accept()
            token = await websocket.receive_text()
            user = await self.auth.authenticate_token(token, websocket)
            async with closed_with_session(
                websocket, user.claims, auth=self.auth, every=0.01, token=token
            ):
                async for text in websocket.iter_text():
                    await websocket.send_text(text)

        @app.websocket("/subprotocol")
        async def subprotocol(websocket: WebSocket) -> None:
            user = await self.auth.authenticate(websocket)
            await websocket.accept()
            async with closed_with_session(
                websocket, user.claims, auth=self.auth, every=0.01
            ):
                async for text in websocket.iter_text():
                    await websocket.send_text(text)

        self.client = TestClient(app)


@pytest.mark.parametrize("place", ["message", "subprotocol"])
@pytest.mark.parametrize("way", ["expiry", "token", "session"])
def test_such_a_websocket_is_closed_with_its_session(way: str, place: str) -> None:
    world = World()
    token = world.auth.generate_jwt_token("u1", "", claims={"sid": "s1", "gen": 0})
    claims = world.auth.verifier.verify(token)
    if place == "message":
        connection = world.client.websocket_connect("/echo")
    else:
        connection = world.client.websocket_connect("/subprotocol", ["bearer", token])
    with connection as connected:
        if place == "message":
            connected.send_text(token)
        connected.send_text("hello")
        assert connected.receive_text() == "hello"
        if way == "expiry":
            world.clock.advance(world.auth.lifetime)
        elif way == "session":
            asyncio.run(world.revocations.end_session("s1", world.clock() + 60))
        else:
            ended = world.revocations.revoke(claims["jti"], world.clock() + 60)
            asyncio.run(ended)
        with pytest.raises(WebSocketDisconnect) as closed:
            connected.receive_text()
    assert closed.value.code == 1008


# --- real clients


def test_the_client_of_websockets_negotiates_it(serve: Serve) -> None:
    url = serve(make_app()).replace("http", "ws", 1)
    token = token_for("u1", auth=auth)
    with connect(f"{url}/ws", subprotocols=["bearer", token]) as connected:  # type: ignore[list-item]
        assert connected.subprotocol == "bearer"
        assert connected.recv() == "u1"
    with pytest.raises(InvalidStatus) as refusal:
        connect(f"{url}/ws", subprotocols=["bearer", "rubbish"])  # type: ignore[list-item]
    assert refusal.value.response.status_code == 401


PAGE = """<!doctype html><title>page</title><script>
function met(path, offered) {
  return new Promise(resolve => {
    const socket = new WebSocket(location.origin.replace("http", "ws") + path, offered);
    let text = null;
    socket.onmessage = event => { text = event.data; };
    socket.onclose = event => resolve([text, socket.protocol, event.code]);
  });
}
</script>"""


@pytest.fixture
def page_of(serve: Serve) -> Iterator[Callable[[FastAPI], Any]]:
    with chromium() as browser:

        def opened(app: FastAPI) -> Any:
            app.add_api_route("/", lambda: HTMLResponse(PAGE))
            page = open_page(browser)
            page.goto(serve(app))
            return page

        yield opened


@pytest.mark.chromium
def test_a_websocket_with_a_subprotocol_in_a_real_browser(page_of: Any) -> None:
    token = token_for("u1", auth=auth)
    page = page_of(make_app())
    met = "([path, offered]) => met(path, offered)"
    for path in ("/ws", "/by-hand"):
        assert page.evaluate(met, [path, ["bearer", token]]) == ["u1", "bearer", 1000]
    both = ["chat", "bearer", token]
    assert page.evaluate(met, ["/ws", both]) == ["u1", "bearer", 1000]
    bad = page.evaluate(met, ["/ws", ["bearer", "rubbish"]])
    assert bad == [None, "", 1006]

    page = page_of(make_app(subprotocol="chat"))
    for offered in (both, ["chat", f"bearer.{token}"]):
        assert page.evaluate(met, ["/ws", offered]) == ["u1", "chat", 1000]
    kubernetes = ["chat", KUBERNETES + encoded(token)]
    assert page.evaluate(met, ["/ws", kubernetes]) == ["u1", "chat", 1000]
