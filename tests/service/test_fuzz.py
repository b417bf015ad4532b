"""Whatever is sent to the service, it answers with its own words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from accounts_kit import PASSWORD, bearer, http, make_service, sign_up
from asgi import running
from fastbearer.accounts.routes import schemas as account_schemas
from fastbearer.app import schemas as task_schemas
from fastbearer.fastapi import strict_routes

pytestmark = pytest.mark.http

MARK = "Xq7-sent-by-the-client"
LENGTH_RULES = {
    "Password must be 8 to 128 characters long",
    "Password must be at most 128 characters long",
}
OURS = {
    *(strict_routes.BODY, strict_routes.UNNAMED),
    *("Invalid email or password", "Email already registered"),
    *LENGTH_RULES,
    *account_schemas.TEXTS.values(),
    *task_schemas.TEXTS.values(),
}

TEXTS = st.text(st.characters(), max_size=300) | st.just(MARK)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=5
)
FIELDS = ["email", "password", "name", "title", "description", "completed", MARK]
BODIES = st.dictionaries(st.sampled_from(FIELDS), VALUES) | VALUES


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, list[tuple[str, str]], dict[str, str]]]:
    """A base URL, the routes that read a body, and the headers for them."""
    database = tmp_path_factory.mktemp("fuzz") / "fuzz.db"
    with running(make_service(database)) as url:
        data = sign_up(url).json()["data"]
        headers = {**bearer(data["token"]), "Content-Type": "application/json"}
        tasks = f"/{data['user']['id']}/tasks"
        made = http.post(url + tasks, content='{"title": "t"}', headers=headers)
        one = f"{tasks}/{made.json()['data']['id']}"
        routes = [
            *(("POST", "/api/auth/signup"), ("POST", "/api/auth/signin")),
            *(("POST", tasks), ("PUT", one), ("PATCH", one)),
        ]
        yield url, routes, headers


def check(service: Any, body: bytes) -> None:
    url, routes, headers = service
    for method, path in routes:
        response = http.request(method, url + path, content=body, headers=headers)
        if response.is_success:
            assert response.json()["success"] is True
        else:
            assert response.status_code in (400, 401), (method, path)
            assert response.json()["detail"] in OURS
            assert MARK not in response.text and PASSWORD not in response.text


@settings(max_examples=60, deadline=None)
@given(body=BODIES)
@example(body={"email": {"\0": None}})  # which the routes of tasks do not know
def test_any_json(service: Any, body: Any) -> None:
    check(service, json.dumps(body).encode())


@settings(max_examples=30, deadline=None)
@given(body=st.binary(max_size=100))
def test_any_bytes(service: Any, body: bytes) -> None:
    check(service, body)
