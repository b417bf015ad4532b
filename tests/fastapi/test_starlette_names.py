"""Starlette's own names for users, scopes and preflights, under the middleware.

No ``from __future__ import annotations``: FastAPI has to see local names.
"""

import copy
import json
import pickle
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.authentication import (
    AuthCredentials,
    BaseUser,
    has_required_scope,
    requires,
)
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from fastbearer.fastapi import Auth, AuthenticatedUser, BearerMiddleware, Settings
from fastbearer.testing import token_for
from project import SECRET

PAGE = "https://app.example"
auth = Auth(Settings(better_auth_secret=SECRET))


def headers_of(*scopes: str, **claims: Any) -> dict[str, str]:
    token = token_for("u1", "a@b.example", auth=auth, scopes=scopes, claims=claims)
    return {"Authorization": f"Bearer {token}"}


@requires("authenticated")
async def signed_in(request: Request) -> JSONResponse:
    return JSONResponse(request.user)


@requires(["authenticated", "tasks:write"])
def write(request: Request) -> JSONResponse:
    return JSONResponse("written")


@requires("tasks:write", status_code=404)
async def hidden(request: Request) -> JSONResponse:
    return JSONResponse("seen")


@requires("authenticated", redirect="public")
async def redirected(request: Request) -> JSONResponse:
    return JSONResponse("here")


async def public(request: Request) -> JSONResponse:
    user = request.user
    names = [user.is_authenticated, user.display_name, user.identity, bool(user)]
    return JSONResponse([user, request.auth, request.auth.scopes, names])


@requires("tasks:write")
async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_json([websocket.user, websocket.auth.scopes])
    await websocket.close()


def client_of(**options: Any) -> TestClient:
    app = Starlette(
        routes=[
            Route("/signed-in", signed_in),
            Route("/write", write),
            Route("/hidden", hidden),
            Route("/redirected", redirected),
            Route("/public", public, name="public"),
            WebSocketRoute("/ws", socket),
        ],
        middleware=[Middleware(BearerMiddleware, auth=auth, **options)],
    )
    return TestClient(app, follow_redirects=False)


def test_starlettes_requires_works_under_the_middleware() -> None:
    client = client_of(optional=True)
    user = {"user_id": "u1", "email": "a@b.example"}
    assert client.get("/signed-in", headers=headers_of()).json() == user
    assert client.get("/signed-in").status_code == 403
    assert client.get("/write", headers=headers_of("tasks:write")).json() == "written"
    assert client.get("/write", headers=headers_of("tasks:read")).status_code == 403
    assert client.get("/hidden", headers=headers_of()).status_code == 404
    assert (
        client.get("/redirected").headers["location"].startswith("http://testserver/p")
    )
    assert client.get("/redirected", headers=headers_of()).json() == "here"


def test_starlettes_requires_on_a_websocket() -> None:
    client = client_of()
    with client.websocket_connect(
        "/ws", headers=headers_of("tasks:write")
    ) as connected:
        assert connected.receive_json()[1] == ["authenticated", "tasks:write"]
    with pytest.raises(WebSocketDisconnect):  # noqa: SIM117
        with client.websocket_connect("/ws", headers=headers_of()):
            pass


def test_the_user_has_starlettes_names_and_is_still_the_dict() -> None:
    client = client_of()
    user, claims, scopes, names = client.get(
        "/public", headers=headers_of("a", "b")
    ).json()
    assert user == {"user_id": "u1", "email": "a@b.example"}
    assert claims["sub"] == "u1" and claims["scope"] == "a b"
    assert sorted(scopes) == ["a", "authenticated", "b"]
    assert names == [True, "a@b.example", "u1", True]


def test_nobody_is_an_unauthenticated_user() -> None:
    answer = client_of(optional=True).get("/public").json()
    assert answer == [{}, {}, [], [False, "", "", False]]


def test_nobody_has_names_on_an_exempt_path() -> None:
    client = client_of(exempt=["/public", "/signed-in", "/ws"])
    for headers in ({}, headers_of("tasks:write")):
        answer = client.get("/public", headers=headers).json()
        assert answer == [{}, {}, [], [False, "", "", False]]
        assert client.get("/signed-in", headers=headers).status_code == 403
        with pytest.raises(WebSocketDisconnect):  # noqa: SIM117
            with client.websocket_connect("/ws", headers=headers):
                pass


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": "Ada"}, "Ada"),
        ({"name": ""}, "a@b.example"),
        ({"name": 7}, "a@b.example"),
        ({"email": None}, "u1"),
    ],
)
def test_what_a_user_is_called(claims: dict[str, Any], name: str) -> None:
    answer = client_of().get("/public", headers=headers_of(**claims)).json()
    assert answer[3][1] == name


def test_users_and_credentials_are_what_starlette_says() -> None:
    seen: list[Any] = []

    async def look(request: Request) -> JSONResponse:
        seen.extend((request.user, request.auth, has_required_scope(request, ["a"])))
        return JSONResponse(None)

    app = Starlette(
        routes=[Route("/", look)],
        middleware=[Middleware(BearerMiddleware, auth=auth)],
    )
    TestClient(app).get("/", headers=headers_of("a"))
    user, credentials, has_scope = seen
    assert isinstance(user, BaseUser) and isinstance(user, dict)
    assert isinstance(credentials, AuthCredentials) and isinstance(credentials, dict)
    assert has_scope
    for one in (copy.copy(user), copy.deepcopy(user), pickle.loads(pickle.dumps(user))):
        assert isinstance(one, AuthenticatedUser)
        assert one == user and one.claims == user.claims and one.is_authenticated
    assert json.loads(json.dumps(user)) == user
    assert "scope" not in repr(user)


def test_a_token_cannot_make_nobody_of_its_user() -> None:
    """What Starlette asks for are attributes, which no claim can set."""
    forged = {"is_authenticated": False, "scopes": ["admin"], "display_name": "root"}
    answer = client_of().get("/public", headers=headers_of(**forged)).json()
    assert answer[2:] == [["authenticated"], [True, "a@b.example", "u1", True]]


# --- preflights


ASKS = {"Origin": PAGE, "Access-Control-Request-Method": "GET"}


def under_both(order: str, **options: Any) -> TestClient:
    """Return a client of an application with both middlewares, in either order."""
    app = FastAPI()
    app.add_api_route("/me", lambda: "me", methods=["GET", "OPTIONS"])
    cors: Any = (CORSMiddleware, {"allow_origins": [PAGE], "allow_headers": ["*"]})
    bearer: Any = (BearerMiddleware, {"auth": auth, **options})
    for one, arguments in [cors, bearer] if order == "cors first" else [bearer, cors]:
        app.add_middleware(one, **arguments)
    return TestClient(app)


@pytest.mark.parametrize("order", ["cors first", "cors last"])
def test_a_preflight_goes_through_whatever_the_order_is(
    order: str, caplog: pytest.LogCaptureFixture
) -> None:
    response = under_both(order).options("/me", headers=ASKS)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == PAGE
    assert not [one for one in caplog.records if one.name == "fastbearer"]


def test_what_is_no_preflight_needs_a_token() -> None:
    client = under_both("cors first")
    for headers in (
        {},
        {"Origin": PAGE},
        {"Access-Control-Request-Method": "GET"},
        {**ASKS, "Authorization": "Bearer x"},
    ):
        assert client.options("/me", headers=headers).status_code == 401, headers
    for method in ("GET", "POST", "HEAD"):
        assert client.request(method, "/me", headers=ASKS).status_code == 401


def test_a_preflight_is_nobody() -> None:
    seen: list[Any] = []

    async def look(request: Request) -> JSONResponse:
        seen.append(request.user)
        return JSONResponse(None)

    app = Starlette(
        routes=[Route("/", look, methods=["OPTIONS"])],
        middleware=[Middleware(BearerMiddleware, auth=auth)],
    )
    assert TestClient(app).options("/", headers=ASKS).status_code == 200
    assert seen == [{}] and not seen[0].is_authenticated
