"""``verify_user_id`` on paths that name their user otherwise.

No ``from __future__ import annotations``: FastAPI has to see local names.
"""

from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount
from starlette.testclient import TestClient, WebSocketDenialResponse

from fastbearer.errors import ConfigurationError
from fastbearer.fastapi import Auth, Settings, TokenUser
from fastbearer.testing import bearer, override_user
from project import SECRET


def make_auth() -> Auth:
    return Auth(Settings(better_auth_secret=SECRET))


def app_with(auth: Auth, path: str, dependency: Any) -> FastAPI:
    app = FastAPI()

    @app.get(path)
    async def mine(user: Annotated[TokenUser, Depends(dependency)]) -> TokenUser:
        return user

    @app.websocket(f"/ws{path}")
    async def socket(
        websocket: WebSocket, user: Annotated[TokenUser, Depends(dependency)]
    ) -> None:
        await websocket.accept()
        await websocket.send_text(user["user_id"])
        await websocket.close()

    return app


@pytest.mark.parametrize("signed_in", [True, False])
def test_verify_user_id_on_a_path_with_another_parameter(signed_in: bool) -> None:
    auth = make_auth()
    app = app_with(auth, "/users/{uid}/rows/{row}", auth.verify_user_id)
    client = TestClient(app, headers=bearer("u1", auth=auth) if signed_in else {})
    told = "parameter 'user_id'.* only 'uid', 'row'.*verify_path_user"
    with pytest.raises(ConfigurationError, match=told):
        client.get("/users/u1/rows/1")
    with pytest.raises(ConfigurationError, match=told):  # noqa: SIM117
        with client.websocket_connect("/ws/users/u1/rows/1"):
            pass
    answer = TestClient(app, raise_server_exceptions=False).get("/users/u1/rows/1")
    assert answer.status_code == 500


def test_verify_user_id_on_a_path_without_any_parameter() -> None:
    auth = make_auth()
    client = TestClient(app_with(auth, "/me", auth.verify_user_id))
    with pytest.raises(ConfigurationError, match=r"'user_id', .* has none"):
        client.get("/me", headers=bearer("u1", auth=auth))


def test_a_path_parameter_of_another_name() -> None:
    auth = make_auth()
    client = TestClient(app_with(auth, "/users/{uid}", auth.verify_path_user("uid")))
    headers = bearer("u1", auth=auth)
    assert client.get("/users/u1", headers=headers).json()["user_id"] == "u1"
    assert client.get("/users/u2", headers=headers).status_code == 403
    assert client.get("/users/u1").status_code == 401
    with client.websocket_connect("/ws/users/u1", headers=headers) as connected:
        assert connected.receive_text() == "u1"
    with pytest.raises(WebSocketDenialResponse):  # noqa: SIM117
        with client.websocket_connect("/ws/users/u2", headers=headers):
            pass


def test_a_converted_path_parameter_is_compared_by_its_text() -> None:
    auth = make_auth()
    app = app_with(auth, "/users/{number:int}", auth.verify_path_user("number"))
    client = TestClient(app, headers=bearer("5", auth=auth))
    assert client.get("/users/5").status_code == 200
    assert client.get("/users/6").status_code == 403


def test_the_parameter_may_be_that_of_a_mount_or_of_a_router() -> None:
    auth = make_auth()
    inner = app_with(auth, "/rows", auth.verify_path_user("uid"))
    outer = FastAPI()
    outer.mount("/users/{uid}", inner)
    router = APIRouter(dependencies=[Depends(auth.verify_path_user("uid"))])
    router.add_api_route("/cells", lambda: "cells")
    outer.include_router(router, prefix="/people/{uid}")
    client = TestClient(outer, headers=bearer("u1", auth=auth))
    for path in ("/users/{}/rows", "/people/{}/cells"):
        assert client.get(path.format("u1")).status_code == 200
        assert client.get(path.format("u2")).status_code == 403


def test_each_name_has_one_dependency() -> None:
    auth = make_auth()
    assert auth.verify_path_user("uid") is auth.verify_path_user("uid")
    assert auth.verify_path_user("user_id") is auth.verify_user_id
    assert auth.verify_path_user("uid") is not auth.verify_path_user("owner")
    app = app_with(auth, "/users/{uid}", auth.verify_path_user("uid"))
    app.dependency_overrides[auth.verify_path_user("uid")] = lambda: {
        "user_id": "anybody",
        "email": "",
    }
    assert TestClient(app).get("/users/u1").json()["user_id"] == "anybody"


def test_the_kit_overrides_them_too() -> None:
    auth = make_auth()
    app = app_with(auth, "/users/{uid}", auth.verify_path_user("uid"))
    client = TestClient(app)
    with override_user(app, "u9", auth=auth):
        assert client.get("/users/u9").status_code == 200
        assert client.get("/users/u8").status_code == 403
    assert client.get("/users/u9").status_code == 401


# --- at the start, where the lifespan is that of auth


def started(app: FastAPI, auth: Auth) -> None:
    app.router.lifespan_context = auth.lifespan
    with TestClient(app):
        pass


def refused(app: FastAPI, auth: Auth, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        started(app, auth)


def test_a_path_with_another_parameter_stops_the_start() -> None:
    auth = make_auth()
    app = app_with(auth, "/users/{uid}", auth.verify_user_id)
    refused(app, auth, r"/users/\{uid\}: .* 'user_id'.* only 'uid'")


def test_a_websocket_with_another_parameter_stops_the_start() -> None:
    auth = make_auth()
    app = FastAPI()

    @app.websocket("/ws/{uid}")
    async def socket(
        websocket: WebSocket, user: Annotated[TokenUser, Depends(auth.verify_user_id)]
    ) -> None:
        await websocket.accept()

    refused(app, auth, r"/ws/\{uid\}: ")


@pytest.mark.parametrize("kind", ["router", "router in a router", "websocket", "mount"])
def test_routers_and_mounts_are_looked_through(kind: str) -> None:
    auth = make_auth()

    def app_of(prefix: str) -> FastAPI:
        app = FastAPI()
        router = APIRouter(dependencies=[Depends(auth.verify_user_id)])
        if kind == "websocket":
            router.add_api_websocket_route("/cells", lambda websocket: None)
        else:
            router.add_api_route("/cells", lambda: "cells")
        if kind == "router in a router":
            outer = APIRouter()
            outer.include_router(router, prefix="/v1")
            router = outer
        if kind == "mount":
            inner = FastAPI()
            inner.include_router(router)
            app.mount(prefix, inner)
        else:
            app.include_router(router, prefix=prefix)
        return app

    started(app_of("/people/{user_id}"), auth)
    refused(app_of("/people/{uid}"), auth, r"\{uid\}.*/cells: .* only 'uid'")


def test_a_dependency_of_a_dependency_is_looked_at() -> None:
    auth = make_auth()

    def mine(user: Annotated[TokenUser, Depends(auth.verify_user_id)]) -> TokenUser:
        return user

    refused(app_with(auth, "/me", mine), auth, "/me: .* none")
    refused(FastAPI(routes=app_with(auth, "/x", mine).routes), auth, "/x: ")


def test_what_is_overridden_or_right_starts() -> None:
    auth = make_auth()
    started(FastAPI(), auth)
    started(app_with(auth, "/users/{user_id}", auth.verify_user_id), auth)
    started(app_with(auth, "/users/{uid:path}", auth.verify_path_user("uid")), auth)
    app = app_with(auth, "/me", auth.verify_user_id)
    app.dependency_overrides[auth.verify_user_id] = lambda: {"user_id": "", "email": ""}
    started(app, auth)


def test_a_mount_with_middleware_around_it_is_looked_through() -> None:
    auth = make_auth()
    inner = app_with(auth, "/rows", auth.verify_user_id)
    app = FastAPI()
    around = [Middleware(GZipMiddleware)]
    app.router.routes.append(Mount("/people/{uid}", inner, middleware=around))
    refused(app, auth, r"/people/\{uid\}/rows: ")
