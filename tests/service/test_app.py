"""The reference service as a whole: starting it, its documentation."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from accounts_kit import (
    CHEAP,
    EMAIL,
    answer,
    bearer,
    http,
    make_auth,
    make_service,
    refused,
    sign_in,
    sign_up,
)
from asgi import running
from fastbearer import ConfigurationError
from fastbearer.accounts import Accounts
from fastbearer.app import app, create_app
from fastbearer.fastapi import Auth
from project import SECRET

Serve = Callable[[FastAPI], str]

NO_SECRET = "BETTER_AUTH_SECRET environment variable is required"
LISTENING = re.compile(r"http://127\.0\.0\.1:\d+")


def environment(**variables: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, **variables}


def uvicorn(folder: Path, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "fastbearer.app:app", "--port", "0"],
        cwd=folder,
        env=environment(**variables),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def started(folder: Path, **variables: str) -> Iterator[str]:
    """Run the service as a process of its own; the value is its base URL."""
    with uvicorn(folder, **variables) as process:
        try:
            assert process.stderr is not None
            announced = (LISTENING.search(line) for line in process.stderr)
            yield next(found.group() for found in announced if found)
        finally:
            process.terminate()


# --- starting it


@pytest.mark.http
def test_a_day_of_the_service_as_a_process(tmp_path: Path) -> None:
    with started(tmp_path, BETTER_AUTH_SECRET=SECRET) as url:
        data = sign_up(url, name="Ada").json()["data"]
        mine, headers = f"{url}/{data['user']['id']}/tasks", bearer(data["token"])
        made = http.post(mine, json={"title": "Buy milk"}, headers=headers)
        assert made.status_code == 201
        other = http.get(f"{url}/somebody/tasks", headers=headers)
        assert other.status_code == 403
    assert (tmp_path / "fastbearer.db").exists()

    with started(tmp_path, BETTER_AUTH_SECRET=SECRET) as url:
        assert sign_in(url).json()["data"]["user"] == data["user"]
        assert answer(sign_up(url)) == refused(400, "Email already registered")
        mine = f"{url}/{data['user']['id']}/tasks"
        listed = http.get(mine, headers=headers).json()
        assert listed == {"success": True, "data": [made.json()["data"]]}


def test_without_the_secret_the_process_stops(tmp_path: Path) -> None:
    process = uvicorn(tmp_path)
    _, errors = process.communicate()
    assert process.returncode == 3
    assert f"ConfigurationError: {NO_SECRET}" in errors
    assert not list(tmp_path.iterdir())


def test_without_the_secret_the_lifespan_stops(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BETTER_AUTH_SECRET", "AUTH_SECRET"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigurationError) as caught:
        serve(create_app(Auth()))
    assert str(caught.value) == NO_SECRET


def test_an_unreachable_database_stops_the_start(serve: Serve, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL cannot be opened"):
        serve(make_service(tmp_path / "missing" / "folder.db"))


@pytest.mark.http
def test_a_restart_keeps_users_and_tasks(tmp_path: Path) -> None:
    auth = make_auth(tmp_path / "service.db")
    service = create_app(auth, accounts=Accounts(auth, hasher=CHEAP))
    with running(service) as url:
        data = sign_up(url).json()["data"]
        path, headers = f"/{data['user']['id']}/tasks", bearer(data["token"])
        task = http.post(url + path, json={"title": "t"}, headers=headers).json()[
            "data"
        ]
    with running(service) as url:
        assert sign_in(url).json()["data"]["user"]["email"] == EMAIL
        assert http.get(url + path, headers=headers).json()["data"] == [task]


# --- its documentation

REFUSALS = {
    ("post", "/api/auth/signup"): (201, {400, 403, 413, 429, 500, 503}),
    ("post", "/api/auth/signin"): (200, {400, 401, 403, 413, 429, 503}),
    ("post", "/api/auth/refresh"): (200, {400, 401, 403, 404, 413, 429, 503}),
    ("post", "/api/auth/signout"): (200, {400, 401, 403, 413, 503}),
    ("post", "/api/auth/signout-everywhere"): (200, {400, 401, 403, 404, 503}),
    ("get", "/api/auth/me"): (200, {400, 401, 503}),
    ("patch", "/api/auth/me"): (200, {400, 401, 403, 404, 413, 429, 503}),
    ("post", "/api/auth/change-email"): (202, {400, 401, 403, 404, 413, 429, 503}),
    ("post", "/api/auth/confirm-email"): (200, {400, 401, 403, 404, 413, 429, 503}),
    ("post", "/api/auth/resend-verification"): (202, {400, 413, 429, 503}),
    ("post", "/api/auth/change-password"): (200, {400, 401, 403, 413, 429, 503}),
    ("post", "/api/auth/delete-account"): (200, {400, 401, 403, 409, 413, 429, 503}),
    ("post", "/api/auth/request-verification"): (202, {400, 401, 403, 429, 503}),
    ("post", "/api/auth/verify-email"): (200, {400, 413, 429, 503}),
    ("post", "/api/auth/forgot-password"): (202, {400, 413, 429, 503}),
    ("post", "/api/auth/reset-password"): (200, {400, 413, 429, 503}),
    ("get", "/{user_id}/tasks"): (200, {400, 401, 403, 503}),
    ("post", "/{user_id}/tasks"): (201, {400, 401, 403, 413, 503}),
    ("get", "/{user_id}/tasks/{task_id}"): (200, {400, 401, 403, 404, 503}),
    ("put", "/{user_id}/tasks/{task_id}"): (200, {400, 401, 403, 404, 413, 503}),
    ("patch", "/{user_id}/tasks/{task_id}"): (200, {400, 401, 403, 404, 413, 503}),
    ("delete", "/{user_id}/tasks/{task_id}"): (200, {400, 401, 403, 404, 503}),
    ("patch", "/{user_id}/tasks/{task_id}/complete"): (
        200,
        {400, 401, 403, 404, 503},
    ),
}
"""Every route of the service -> the status of success, those of refusal."""

UNSEEN = {("post", "/api/auth/signup"): 202}
"""Routes that have another success, where an e-mail must be verified first."""

HEALTH = {("get", "/healthz"), ("get", "/readyz")}
OPEN = {
    ("post", f"/api/auth/{name}")
    for name in (
        *("signup", "signin", "refresh"),
        *("verify-email", "forgot-password", "reset-password", "resend-verification"),
    )
}


def operations(schema: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method, path): operation
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    }


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return app.openapi()


def test_openapi_has_these_routes_and_no_others(schema: dict[str, Any]) -> None:
    assert set(operations(schema)) == set(REFUSALS) | HEALTH


@pytest.mark.parametrize("route", REFUSALS)
def test_openapi_lists_every_answer(
    schema: dict[str, Any], route: tuple[str, str]
) -> None:
    success, refusals = REFUSALS[route]
    responses = dict(operations(schema)[route]["responses"])
    if route in UNSEEN:
        shown = responses.pop(str(UNSEEN[route]))["content"]["application/json"]
        assert shown["schema"]["$ref"].endswith("/CodeSent")
    assert set(responses) == {str(success), *map(str, refusals), "default"}
    for status, response in responses.items():
        content = response["content"]["application/json"]["schema"]["$ref"]
        assert content.endswith("/Refusal") == (status != str(success))


def test_openapi_knows_no_422(schema: dict[str, Any]) -> None:
    assert not [name for name in schema["components"]["schemas"] if "HTTP" in name]
    assert "422" not in str(schema)


def test_openapi_asks_for_a_bearer_token(schema: dict[str, Any]) -> None:
    schemes = schema["components"]["securitySchemes"]
    assert schemes == {
        "Bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    for route, operation in operations(schema).items():
        is_open = route in OPEN | HEALTH
        expected: object = None if is_open else [{"Bearer": []}]
        assert operation.get("security") == expected, route


def test_openapi_says_what_a_task_is(schema: dict[str, Any]) -> None:
    models = schema["components"]["schemas"]
    names = {"id", "title", "description", "completed", "created_at", "updated_at"}
    assert set(models["PublicTask"]["properties"]) == names
    assert models["NewTask"]["required"] == ["title"]
    assert "required" not in models["TaskChanges"]
    assert models["SignUp"]["required"] == ["email", "password"]
    assert models["SignUp"]["properties"]["password"]["format"] == "password"


def test_docs_over_http(serve: Serve, tmp_path: Path) -> None:
    url = serve(make_service(tmp_path / "service.db"))
    docs = http.get(f"{url}/docs")
    assert docs.status_code == 200 and "swagger-ui" in docs.text
    assert http.get(f"{url}/openapi.json").json() == app.openapi()


def test_what_the_service_does_not_have(serve: Serve, tmp_path: Path) -> None:
    url = serve(make_service(tmp_path / "service.db"))
    assert answer(http.get(f"{url}/nothing")) == refused(404, "Not Found")
    wrong_method = http.get(f"{url}/api/auth/signin")
    assert answer(wrong_method) == refused(405, "Method Not Allowed")
