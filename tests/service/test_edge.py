"""The edge of the service: documents, slashes, caches, and who is asked first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from accounts_kit import bearer, http, make_service, sign_up, token_of
from fastbearer.fastapi import Settings
from project import ROOT, SECRET

Serve = Callable[[FastAPI], str]
DOCS = ["/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect"]


def test_the_documents_can_be_turned_off(serve: Serve, tmp_path: Path) -> None:
    shown = serve(make_service(tmp_path / "a.db"))
    hidden = serve(make_service(tmp_path / "b.db", api_docs=False))
    for path in DOCS:
        assert http.get(f"{shown}{path}").status_code == 200
        assert http.get(f"{hidden}{path}").status_code == 404
    assert http.get(f"{hidden}/healthz").status_code == 200
    token_of(sign_up(hidden))


@pytest.mark.parametrize(
    "path", ["/healthz/", "/api/auth/me/", "/u1/tasks/", "/docs/", "/api/auth/signin/"]
)
def test_nobody_is_sent_to_the_host_that_they_name(
    serve: Serve, tmp_path: Path, path: str
) -> None:
    base = serve(make_service(tmp_path / "a.db"))
    for method in ("GET", "POST"):
        headers = {"Host": "evil.example"}
        response = http.request(method, f"{base}{path}", headers=headers)
        assert response.status_code in (404, 405)
        assert "location" not in response.headers


@pytest.mark.parametrize("cookie", [False, True])
def test_no_cache_keeps_what_is_a_users_own(
    serve: Serve, tmp_path: Path, cookie: bool
) -> None:
    settings = {"auth_cookie": cookie, "cookie_secure": False}
    base = serve(make_service(tmp_path / "a.db", **settings))
    headers = {"Sec-Fetch-Site": "same-origin"}
    body = {"email": "a@b.example", "password": "correct horse battery"}
    answer = http.post(f"{base}/api/auth/signup", json=body, headers=headers)
    assert answer.status_code == 201
    data = answer.json()["data"]
    if cookie:
        headers["Cookie"] = answer.headers["set-cookie"].partition(";")[0]
    else:
        headers |= bearer(data["token"])
    tasks = f"/{data['user']['id']}/tasks"
    made = http.post(f"{base}{tasks}", json={"title": "x"}, headers=headers)
    for response in (
        made,
        http.get(f"{base}/api/auth/me", headers=headers),
        http.get(f"{base}{tasks}", headers=headers),
        http.get(f"{base}{tasks}/{made.json()['data']['id']}", headers=headers),
    ):
        assert response.is_success
        assert response.headers["cache-control"] == "no-store"


BODIES = [
    ("POST", "/u1/tasks"),
    ("PUT", "/u1/tasks/t1"),
    ("PATCH", "/u1/tasks/t1"),
    ("POST", "/api/auth/change-password"),
    ("POST", "/api/auth/delete-account"),
]


@pytest.mark.parametrize(("method", "path"), BODIES)
@pytest.mark.parametrize("kind", ["nobody", "bad", "other"])
def test_no_body_is_read_of_who_is_not_signed_in(
    tmp_path: Path, method: str, path: str, kind: str
) -> None:
    app = make_service(tmp_path / "a.db")
    read = 0
    sent: list[Any] = []

    async def receive() -> Any:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"{" * 1000, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    token = {"nobody": "", "bad": "x.y.z", "other": "x.y"}[kind]
    headers = [(b"content-type", b"application/json")]
    if token:
        headers.append((b"authorization", f"Bearer {token}".encode()))
    scope = {
        "type": "http",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    asyncio.run(app(scope, receive, send))
    assert sent[0]["status"] == 401
    assert read == 0


def test_another_users_path_is_refused_before_its_body(
    serve: Serve, tmp_path: Path
) -> None:
    base = serve(make_service(tmp_path / "a.db"))
    token = token_of(sign_up(base))
    answer = http.post(f"{base}/u2/tasks", content=b"no json", headers=bearer(token))
    assert answer.status_code == 403


def test_codes_are_good_for_ten_minutes() -> None:
    assert Settings(better_auth_secret=SECRET).code_minutes == 10


def test_the_containers_may_do_little() -> None:
    text = (ROOT / "compose.yaml").read_text()
    assert "read_only: true" in text and "cap_drop: [ALL]" in text
    assert text.count("no-new-privileges:true") == 3
    assert "internal: true" in text
    # No password that everybody knows.
    assert ":-" not in text
