"""The FastAPI layer as a client meets it: every answer, over real HTTP."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx2
import jwt
import pytest
from fastapi import APIRouter, Depends, FastAPI

from fastbearer.fastapi import (
    Auth,
    CurrentUser,
    OptionalUser,
    Settings,
    TokenClaims,
    TokenUser,
    generate_jwt_token,
    verify_jwt_token,
    verify_user_id,
)
from fastbearer.fastapi import auth as default_auth
from project import SECRET

REALM = 'Bearer realm="fastbearer"'
EXPIRED = "Token has expired. Please sign in again."
MISMATCH = "User ID mismatch: You can only access your own data"
MISSING = "Invalid token: missing user_id"
NEEDS_USER = Depends(verify_jwt_token)
ROUTES = ["/me", "/maybe", "/claims", "/u1/tasks", "/u1/notes"]


def invalid_token(detail: str) -> str:
    return f'{REALM}, error="invalid_token", error_description="{detail}"'


def sign(key: str = SECRET, **claims: Any) -> str:
    payload = {"sub": "u1", "exp": int(time.time()) + 3600, **claims}
    present = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(present, key, "HS256")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def refusal(response: httpx2.Response) -> tuple[int, object, str]:
    return response.status_code, response.json(), response.headers["www-authenticate"]


def make_app() -> FastAPI:
    app = FastAPI(lifespan=default_auth.lifespan)

    @app.get("/me")
    async def me(user: CurrentUser) -> TokenUser:
        return user

    @app.get("/maybe")
    async def maybe(user: OptionalUser) -> TokenUser | None:
        return user

    @app.get("/claims")
    async def claims(payload: TokenClaims) -> dict[str, Any]:
        return payload

    @app.get("/{user_id}/tasks")
    async def tasks(
        user_id: str, current_user: Annotated[TokenUser, Depends(verify_user_id)]
    ) -> dict[str, object]:
        return {"path": user_id, **current_user}

    @app.get("/{user_id}/notes")
    def notes(
        user_id: str, current_user: dict[str, str] = NEEDS_USER
    ) -> dict[str, str]:
        return {"path": user_id, **current_user}

    return app


@pytest.fixture
def base_url(
    serve: Callable[[Any], str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The default ``auth`` over HTTP, with a secret from the environment."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("BETTER_AUTH_SECRET", SECRET)
    forget_the_environment()
    yield serve(make_app())
    forget_the_environment()


def forget_the_environment() -> None:
    for name in ("settings", "verifier", "_signer"):
        default_auth.__dict__.pop(name, None)


@pytest.fixture
def client(base_url: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=base_url) as made:
        yield made


def test_good_tokens(client: httpx2.Client) -> None:
    headers = bearer(generate_jwt_token("u1", "a@example.com"))
    user = {"user_id": "u1", "email": "a@example.com"}
    assert client.get("/me", headers=headers).json() == user
    assert client.get("/maybe", headers=headers).json() == user
    own = {"path": "u1", **user}
    assert client.get("/u1/tasks", headers=headers).json() == own
    assert client.get("/u1/notes", headers=headers).json() == own
    payload = client.get("/claims", headers=headers).json()
    assert payload["exp"] - payload["iat"] == 7 * 86400
    assert {**user, "sub": "u1"}.items() <= payload.items()


def test_foreign_tokens_of_the_same_secret(client: httpx2.Client) -> None:
    def me(**claims: Any) -> object:
        return client.get("/me", headers=bearer(sign(**claims))).json()

    assert me() == {"user_id": "u1", "email": ""}
    assert me(sub=None, user_id="u2") == {"user_id": "u2", "email": ""}
    assert me(sub="", user_id="u2") == {"user_id": "u2", "email": ""}
    assert me(email=5) == {"user_id": "u1", "email": ""}
    assert me(email="é@x") == {"user_id": "u1", "email": "é@x"}


def test_no_credentials(client: httpx2.Client) -> None:
    expected = (401, {"detail": "Not authenticated"}, REALM)
    for value in (None, "Basic dTpw", "Bearer", "bearer", "Token abc", "abc", ""):
        headers = {} if value is None else {"Authorization": value}
        for path in ROUTES:
            response = client.get(path, headers=headers)
            if path == "/maybe":
                assert (response.status_code, response.json()) == (200, None)
            else:
                assert refusal(response) == expected


def test_bad_tokens(client: httpx2.Client) -> None:
    for token, detail in (
        (sign(exp=int(time.time()) - 1), EXPIRED),
        (sign(exp=None), "Invalid token"),
        (sign(exp="tomorrow"), "Invalid token"),
        (sign(nbf=int(time.time()) + 3600), "Invalid token"),
        (sign(aud="elsewhere"), "Invalid token"),
        (sign(key="another secret of thirty-two byt"), "Invalid token"),
        (sign() + "x", "Invalid token"),
        ("abc", "Invalid token"),
        ("a.b.c", "Invalid token"),
        ("..", "Invalid token"),
        (f"{sign()} {sign()}", "Invalid token"),
    ):
        expected = (401, {"detail": detail}, invalid_token(detail))
        for path in ROUTES:
            assert refusal(client.get(path, headers=bearer(token))) == expected


def test_a_token_without_a_user(client: httpx2.Client) -> None:
    expected = (401, {"detail": MISSING}, invalid_token(MISSING))
    for claims in ({"sub": None}, {"sub": ""}, {"sub": None, "user_id": ""}):
        headers = bearer(sign(**claims))
        for path in ("/me", "/maybe", "/u1/tasks", "/u1/notes"):
            assert refusal(client.get(path, headers=headers)) == expected
        assert client.get("/claims", headers=headers).status_code == 200


def test_a_user_that_is_a_number_is_refused_in_true_words(
    client: httpx2.Client,
) -> None:
    words = "Invalid token: user_id is not a string"
    for claims in ({"sub": 4}, {"sub": None, "user_id": 7}, {"sub": ["u1"]}):
        headers = bearer(sign(**claims))
        for path in ("/me", "/maybe", "/u1/tasks", "/u1/notes"):
            response = client.get(path, headers=headers)
            assert refusal(response) == (401, {"detail": words}, invalid_token(words))


def test_another_users_path(client: httpx2.Client) -> None:
    challenge = f'{REALM}, error="insufficient_scope", error_description="{MISMATCH}"'
    for path in ("/u2/tasks", "/U1/tasks", "/u1%20/tasks", "/%00/tasks", "/é/tasks"):
        response = client.get(path, headers=bearer(sign()))
        assert refusal(response) == (403, {"detail": MISMATCH}, challenge)
    assert client.get("/%751/tasks", headers=bearer(sign())).status_code == 200
    assert client.get("/u2/notes", headers=bearer(sign())).status_code == 200


def test_the_scheme_is_read_case_insensitively(client: httpx2.Client) -> None:
    for scheme in ("bearer", "BEARER", "bEARER", "Bearer  ", "bearer     "):
        headers = {"Authorization": f"{scheme} {sign()}"}
        assert client.get("/me", headers=headers).status_code == 200


def test_two_headers(client: httpx2.Client) -> None:
    detail = "More than one Authorization header"
    challenge = f'{REALM}, error="invalid_request", error_description="{detail}"'
    good = f"Bearer {sign()}"
    for headers in (
        [("Authorization", good), ("Authorization", good)],
        [("Authorization", good), ("authorization", "Bearer x")],
        [("AUTHORIZATION", "Basic dTpw"), ("authorization", good)],
    ):
        for path in ROUTES:
            response = client.get(path, headers=headers)
            assert refusal(response) == (400, {"detail": detail}, challenge)


def raw_status(base_url: str, value: bytes) -> int | None:
    """Send one header, byte by byte as given; None if the server hung up."""
    url = urlsplit(base_url)
    request = b"GET /me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n\r\n"
    try:
        with socket.create_connection((url.hostname, url.port)) as connection:
            connection.sendall(request % value)
            answer = connection.makefile("rb").readline()
    except ConnectionError:
        return None
    return int(answer.split()[1]) if answer else None


def test_odd_headers(base_url: str) -> None:
    for value in (
        b"Authorization: Bearer\tabc",
        b"Authorization: Bearer \tabc",
        b"Authorization:\tBearer abc",
        b"Authorization: Bearer \xff\xfe\x80",
        b"Authorization: Bearer caf\xc3\xa9",
        b"Authorization: Bearer   ",
        b"Authorization: \xff",
        b"Authorization:",
        b"Authorization: Bearer " + b"." * 200,
        b"Authorization: Bearer " + b"x" * 20_000,
    ):
        assert raw_status(base_url, value) == 401, value[:40]
    for cut_by_the_server in (
        b"Authorization: Bearer \x00abc",
        b"Authorization: Bearer a\x01b\x7f",
        b"Authorization: Bearer abc\r\n def",
        b"Authorization: Bearer " + b"x" * 1_000_000,
    ):
        assert raw_status(base_url, cut_by_the_server) in {400, 401, 431, None}


def test_another_header(serve: Callable[[Any], str]) -> None:
    auth = Auth(Settings(better_auth_secret=SECRET), header="X-Authorization")
    app = FastAPI()

    @app.get("/me")
    async def me(
        user: Annotated[TokenUser, Depends(auth.verify_jwt_token)],
    ) -> TokenUser:
        return user

    url = serve(app) + "/me"
    headers = {"x-authorization": f"Bearer {sign()}", "Authorization": "Basic dTpw"}
    assert httpx2.get(url, headers=headers).json()["user_id"] == "u1"
    assert refusal(httpx2.get(url, headers=bearer(sign())))[0] == 401
    bare = httpx2.get(url, headers={"X-Authorization": sign()})
    assert refusal(bare) == (401, {"detail": "Not authenticated"}, REALM)
    twice = [("X-Authorization", f"Bearer {sign()}")] * 2
    detail = {"detail": "More than one X-Authorization header"}
    assert refusal(httpx2.get(url, headers=twice))[:2] == (400, detail)


class ThreadNoting:
    thread: int | None = None

    def verify(self, token: str) -> dict[str, Any]:
        self.thread = threading.get_ident()
        return {"sub": token}


def test_a_custom_verifier_runs_on_the_event_loop(
    serve: Callable[[Any], str],
) -> None:
    verifier = ThreadNoting()
    auth = Auth(verifier=verifier)
    app = FastAPI(lifespan=auth.lifespan)

    @app.get("/me")
    async def me(user: Annotated[TokenUser, Depends(auth.verify_jwt_token)]) -> object:
        return {**user, "thread": threading.get_ident()}

    answer = httpx2.get(serve(app) + "/me", headers=bearer("u7")).json()
    assert answer == {"user_id": "u7", "email": "", "thread": verifier.thread}


def test_several_configurations_in_one_app(serve: Callable[[Any], str]) -> None:
    one = Auth(Settings(better_auth_secret="1" * 32))
    two = Auth(Settings(better_auth_secret="2" * 32))
    app = FastAPI()
    for name, auth in (("one", one), ("two", two)):
        router = APIRouter(
            prefix=f"/{name}", dependencies=[Depends(auth.verify_jwt_token)]
        )
        router.add_api_route("/", lambda name=name: name)
        app.include_router(router)

    with httpx2.Client(base_url=serve(app)) as client:
        token = one.generate_jwt_token("u1", "")
        assert client.get("/one/", headers=bearer(token)).json() == "one"
        assert client.get("/two/", headers=bearer(token)).status_code == 401
        token = two.generate_jwt_token("u1", "")
        assert client.get("/two/", headers=bearer(token)).json() == "two"
        assert client.get("/one/", headers=bearer(token)).status_code == 401


def test_overrides_over_http(serve: Callable[[Any], str]) -> None:
    app = make_app()
    app.dependency_overrides[verify_jwt_token] = lambda: {"user_id": "t", "email": "e"}
    app.router.lifespan_context = Auth(verifier=ThreadNoting()).lifespan
    assert httpx2.get(serve(app) + "/me").json() == {"user_id": "t", "email": "e"}


def test_the_authorize_button(client: httpx2.Client) -> None:
    schema = client.get("/openapi.json").json()
    assert schema["components"]["securitySchemes"] == {
        "Bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    for path in ("/me", "/maybe", "/claims", "/{user_id}/tasks", "/{user_id}/notes"):
        operation = schema["paths"][path]["get"]
        assert operation["security"] == [{"Bearer": []}]
        names = [parameter["name"] for parameter in operation.get("parameters", [])]
        assert names == (["user_id"] if "user_id" in path else [])
    assert client.get("/docs").status_code == 200


def test_the_authorize_button_of_another_header() -> None:
    auth = Auth(Settings(better_auth_secret=SECRET), header="X-Authorization")
    app = FastAPI()
    app.add_api_route("/", lambda: 1, dependencies=[Depends(auth.verify_jwt_token)])
    assert app.openapi()["components"]["securitySchemes"] == {
        "X-Authorization": {
            "type": "apiKey",
            "in": "header",
            "name": "X-Authorization",
            "description": "Bearer <token>",
        }
    }


APP = """
from fastapi import FastAPI
from fastbearer.fastapi import auth
app = FastAPI(lifespan=auth.lifespan)
"""


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        (None, "BETTER_AUTH_SECRET environment variable is required"),
        ("a-short-secret", "must be at least 32 bytes long"),
    ],
)
def test_a_bad_environment_stops_the_server(
    tmp_path: Path, secret: str | None, told: str
) -> None:
    (tmp_path / "main.py").write_text(APP)
    names = {"AUTH_SECRET", *(name.upper() for name in Settings.model_fields)}
    environment = {k: v for k, v in os.environ.items() if k not in names}
    if secret is not None:
        environment["BETTER_AUTH_SECRET"] = secret
    server = subprocess.run(
        [sys.executable, "-m", "uvicorn", "main:app", "--port", "0"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert server.returncode != 0
    assert "ConfigurationError: " in server.stderr
    assert told in server.stderr
    assert "a-short-secret" not in server.stderr
