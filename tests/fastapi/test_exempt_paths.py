"""What BearerMiddleware leaves open: never more than it was told."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import httpx2
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette._utils import get_route_path
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocket

from fastbearer.errors import ConfigurationError
from fastbearer.fastapi import Auth, BearerMiddleware, Settings
from fastbearer.fastapi.paths import routed_path
from ports import free_port
from project import SECRET

AUTH = Auth(Settings(better_auth_secret=SECRET))


def guard(exempt: Any) -> Middleware:
    return Middleware(BearerMiddleware, auth=AUTH, exempt=exempt)


def route(path: str, name: str | None = None) -> Route:
    """A route that answers with its own whole path."""

    async def endpoint(request: Request) -> JSONResponse:
        return JSONResponse(name or path)

    return Route(path, endpoint)


def asked(app: Any, path: str, root_path: str = "") -> tuple[int, Any]:
    """Ask as a server does that has undone the percent-encoding."""
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.Event().wait()  # a client that waits for its response

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "root_path": root_path,
        "query_string": b"",
        "headers": [],
        "server": ("a.example", 80),
        "client": ("127.0.0.1", 1),
    }
    asyncio.run(app(scope, receive, send))
    body = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], body.decode()


# --- the path that is routed by


@given(
    st.lists(st.sampled_from(["/a", "/b", "a", "/", "/a/b", ""]), max_size=5),
    st.lists(st.sampled_from(["/a", "/b", "a", "/"]), max_size=3),
)
def test_it_is_the_path_that_starlette_takes(
    path: list[str], root_path: list[str]
) -> None:
    scope = {"path": "".join(path), "root_path": "".join(root_path)}
    assert routed_path(scope) == get_route_path(scope)


def protected(prefix: str = "", exempt: Any = ("/public/", "/healthz")) -> FastAPI:
    app = FastAPI()
    app.root_path = prefix  # as an argument it is deprecated
    app.add_middleware(BearerMiddleware, auth=AUTH, exempt=exempt)
    for path in ("/secret", "/public/page", "/healthz", "/public/{page}/x"):
        app.router.routes.append(route(path))
    return app


@pytest.mark.parametrize("prefix", ["", "/public", "/api", "/public/", "/healthz"])
def test_a_proxys_prefix_opens_nothing(prefix: str) -> None:
    app = protected()
    # Starlette knows no prefix that ends with a slash: then there is no such route.
    refused = 404 if prefix == "/public/" else 401
    assert asked(app, f"{prefix.rstrip('/')}/secret", prefix)[0] == refused
    if not prefix.endswith("/"):
        assert asked(app, f"{prefix}/healthz", prefix) == (200, '"/healthz"')
        assert asked(app, f"{prefix}/public/page", prefix) == (200, '"/public/page"')


@pytest.mark.parametrize("outside", [False, True])
def test_the_applications_own_prefix_opens_nothing(outside: bool) -> None:
    """Inside the application, and wrapped around it: FastAPI sets it later."""
    if outside:
        inner = FastAPI()
        inner.root_path = "/public"
        inner.router.routes += [route("/secret"), route("/public/page")]
        between = CORSMiddleware(inner, allow_origins=["*"])
        app: Any = BearerMiddleware(between, auth=AUTH, exempt=["/public/"])
    else:
        app = protected("/public")
    assert asked(app, "/public/secret")[0] == 401
    assert asked(app, "/secret")[0] == 401
    assert asked(app, "/public/public/page") == (200, '"/public/page"')


def test_mounts_around_are_no_part_of_the_path() -> None:
    inner = Starlette(
        routes=[route("/secret"), route("/public/x"), Mount("/in", protected())],
        middleware=[guard(["/public/"])],
    )
    outer = Starlette(
        routes=[Mount("/public", Starlette(routes=[Mount("/v1", inner)]))]
    )
    for root in ("", "/public", "/api"):
        prefix = f"{root}/public/v1"
        assert asked(outer, f"{prefix}/secret", root)[0] == 401
        assert asked(outer, f"{prefix}/public/x", root) == (200, '"/public/x"')
        assert asked(outer, f"{prefix}/in/public/page", root)[0] == 401


def test_a_header_of_a_proxy_is_not_believed() -> None:
    client = TestClient(protected())
    for name in ("X-Forwarded-Prefix", "X-Original-URL", "X-Rewrite-URL"):
        assert client.get("/secret", headers={name: "/public/"}).status_code == 401


# --- paths that mean one thing here and another there


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name in ("static", "static/sub", "staticx"):
        (tmp_path / name).mkdir()
    for name in ("secret.html", "static/open.html", "static/sub/a b.html"):
        (tmp_path / name).write_text(name)
    (tmp_path / "staticx/secret.html").write_text("staticx")
    return tmp_path


AROUND = [
    "/static/../secret.html",
    "/static/..%2fsecret.html",
    "/static/%2e%2e/secret.html",
    "/static/%2E%2e%2Fsecret.html",
    "/static/.%2e/secret.html",
    "/static%2f..%2fsecret.html",
    "/static/%252e%252e/secret.html",
    "/static/%252e%252e%252fsecret.html",
    "/static/sub/../../secret.html",
    "/static/./../secret.html",
    "/static//../secret.html",
    "/static/..;/secret.html",
    "/static/..\\secret.html",
    "/static/..%5csecret.html",
    "/static/..%255csecret.html",
    "//static/open.html",
    "/static//open.html",
    "/static%2fopen.html",
    "/static/%6f%2e/../open.html",
    "/static/open.html%00",
    "/static/%00",
    "/static/open.html%0a",
    "/static/.",
    "/static/..",
    "/static/%2e",
    "/./static/open.html",
    "/x/../static/open.html",
    "/staticx/secret.html",
    "/STATIC/open.html",
    "/static",
]


@pytest.mark.parametrize("path", AROUND)
def test_files_at_the_root_are_not_opened(files: Path, path: str) -> None:
    app = Starlette(
        routes=[Mount("/", StaticFiles(directory=files))],
        middleware=[guard(["/static/"])],
    )
    assert asked(app, path)[0] == 401
    assert asked(app, f"/api{path}", "/api")[0] == 401


@pytest.mark.parametrize(
    "path", ["/static/open.html", "/static/sub/a%20b.html", "/%73tatic/open.html"]
)
def test_what_is_open_is_open(files: Path, path: str) -> None:
    app = Starlette(
        routes=[Mount("/", StaticFiles(directory=files))],
        middleware=[guard(["/static/"])],
    )
    assert asked(app, path)[0] == 200
    assert asked(app, f"/api{path}", "/api")[0] == 200


def test_websockets_are_judged_alike() -> None:
    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("open")
        await socket.close()

    routes: list[BaseRoute] = [
        WebSocketRoute("/public/ws", echo),
        WebSocketRoute("/secret", echo),
    ]
    app = Starlette(routes=routes, middleware=[guard(["/public/"])])
    for prefix in ("", "/public", "/api"):
        client = TestClient(app, root_path=prefix)
        with client.websocket_connect(f"{prefix}/public/ws") as socket:
            assert socket.receive_text() == "open"
        for path in ("/secret", "/public/../secret", "/public/%2e%2e/secret"):
            with pytest.raises(WebSocketDenialResponse):  # noqa: SIM117
                with client.websocket_connect(f"{prefix}{path}"):
                    pass


# --- what may be exempt


@pytest.mark.parametrize(
    "exempt",
    [
        "/healthz",
        b"/healthz",
        *([path] for path in ("", "/", "//", "healthz", "static/", "*", "/*", "/**")),
        *([path] for path in ("/a/../b", "/..", "/./", "/a//b", "/a%2fb", "/a\\b")),
        *([path] for path in ("/a?b", "/a#b", "/{x}", "/a\0", "/a\n", "https://a/b")),
        [b"/healthz"],
        [None],
        ["/healthz", "/"],
    ],
)
def test_what_opens_everything_or_nothing_is_refused(exempt: Any) -> None:
    with pytest.raises(ConfigurationError, match="exempt"):
        BearerMiddleware(FastAPI(), auth=AUTH, exempt=exempt)


# --- the property


SEGMENTS = ["public", "api", "secret", "", ".", "..", "%2e%2e", "%2f", "..%2f", "%5c"]
SEGMENTS += ["%252e%252e", "public%2f", "a", ";", "..;"]
PREFIXES = ["", "/public", "/api", "/public/", "/api/public", "/"]
OPEN = ("/public/", "/api/secret", "/api/public/")


def is_meant(path: str) -> bool:
    return path in OPEN or path.startswith(("/public/", "/api/public/"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("site")
    for name in ("public", "api/public", "secret", "a", "api/a"):
        (folder / name).mkdir(parents=True)
        for file in ("secret", "a"):
            if not (folder / name / file).exists():
                (folder / name / file).write_text(f"/{name}/{file}")
    inner = [route("/secret", "/api/secret"), route("/public/secret", "/api/public/s")]
    routes = [
        route("/secret"),
        route("/public/secret"),
        Mount("/api", routes=[*inner, Mount("/a", routes=[route("/a", "/api/a/a")])]),
        Mount("/", StaticFiles(directory=folder)),
    ]
    return Starlette(routes=routes, middleware=[guard(OPEN)])


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    prefix=st.sampled_from(PREFIXES),
    is_kept=st.booleans(),
    segments=st.lists(st.sampled_from(SEGMENTS), max_size=6),
)
@example(prefix="/public", is_kept=True, segments=["secret"])
@example(prefix="", is_kept=False, segments=["public", "..", "secret", "a"])
def test_what_is_let_through_is_served_from_below_an_exempt_path(
    site: Any, prefix: str, is_kept: bool, segments: list[str]
) -> None:
    """Whatever answers says where it is; a redirect or a 404 shows nothing."""
    path = (prefix if is_kept else "") + "/" + "/".join(segments)
    status, body = asked(site, path, prefix)
    if status == 200:
        assert is_meant(body.strip('"')), (path, prefix, body)


# --- over real HTTP, with uvicorn --root-path


@pytest.mark.http
def test_uvicorn_with_a_root_path(files: Path) -> None:
    port = free_port()
    code = (
        "import uvicorn\n"
        "from pathlib import Path\n"
        "from starlette.applications import Starlette\n"
        "from starlette.routing import Mount\n"
        "from starlette.staticfiles import StaticFiles\n"
        "from starlette.middleware import Middleware\n"
        "from fastbearer.fastapi import Auth, BearerMiddleware, Settings\n"
        f"auth = Auth(Settings(better_auth_secret={SECRET!r}))\n"
        f"files = StaticFiles(directory={str(files)!r})\n"
        "app = Starlette(routes=[Mount('/', files)], middleware=[\n"
        "    Middleware(BearerMiddleware, auth=auth, exempt=['/static/'])])\n"
        f"uvicorn.run(app, port={port}, root_path='/static', log_level='error')\n"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as server:
        try:
            wait_for(server, port)
            assert raw_get(port, "/static/open.html") == 200
            for path in ("/secret.html", "/../secret.html", *AROUND):
                assert raw_get(port, path) == 401, path
        finally:
            server.terminate()


def wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    while server.poll() is None:
        try:
            raw_get(port, "/")
        except OSError:
            time.sleep(0.02)
        else:
            return


def raw_get(port: int, path: str) -> int:
    """Ask for a path as it is: clients tidy up dot segments."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.putrequest("GET", quote(path, safe="/%;\\."), skip_host=False)
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()


def test_every_example_is_tried_by_a_client(serve: Callable[[Any], str]) -> None:
    """The client's own normalisation changes nothing: it is open or it is not."""
    url = serve(protected())
    assert httpx2.get(f"{url}/healthz").status_code == 200
    assert httpx2.get(f"{url}/public/../secret").status_code == 401
