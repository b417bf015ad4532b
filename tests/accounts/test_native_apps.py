"""Native apps beside a web frontend whose sessions are in cookies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from accounts_kit import EMAIL, PASSWORD, bearer, make_service
from fastbearer.errors import ConfigurationError
from fastbearer.fastapi import Settings
from fastbearer.fastapi.cross_site import TrustedOrigins, read_origin
from project import SECRET

CREDENTIALS = {"email": EMAIL, "password": PASSWORD}
NATIVE = {"Fastbearer-Tokens": "body"}
APP = "capacitor://localhost"
BROWSER = {"Sec-Fetch-Site": "same-origin"}
COOKIES = {"fastbearer", "fastbearer-refresh"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """A client that says nothing of itself; its cookies are kept by hand."""
    app = make_service(
        tmp_path / "a.db",
        refresh_tokens=True,
        auth_cookie=True,
        cookie_secure=False,
        trusted_origins=APP,
    )
    with TestClient(app) as found:
        yield found


def post(
    client: TestClient, route: str, headers: dict[str, str], **body: Any
) -> tuple[Any, dict[str, str]]:
    """Return an answer, and the cookies that it has set."""
    client.cookies.clear()
    answer = client.post(f"/api/auth/{route}", headers=headers, json=body)
    cookies = {name: value for name, value in answer.cookies.items() if value}
    client.cookies.clear()
    return answer, cookies


def data_of(answer: Any) -> dict[str, Any]:
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


def cookie_header(cookies: dict[str, str]) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}


# --- what goes well


def test_a_native_app_keeps_its_tokens_itself(client: TestClient) -> None:
    answer, cookies = post(client, "signup", NATIVE, **CREDENTIALS)
    assert cookies == {} and answer.headers["cache-control"] == "no-store"
    first = data_of(answer)
    assert {"token", "refresh_token", "user"} == first.keys()
    answer, cookies = post(client, "signin", NATIVE, **CREDENTIALS)
    second = data_of(answer)
    assert cookies == {}
    body = {"refresh_token": second["refresh_token"]}
    answer, cookies = post(client, "refresh", NATIVE, **body)
    third = data_of(answer)
    assert cookies == {} and third["refresh_token"] != second["refresh_token"]
    own = {**NATIVE, **bearer(third["token"])}
    assert client.get("/api/auth/me", headers=own).status_code == 200
    passwords = {"current_password": PASSWORD, "new_password": "another horse battery"}
    answer, cookies = post(client, "change-password", own, **passwords)
    fourth = data_of(answer)
    assert cookies == {} and {"token", "refresh_token"} < fourth.keys()
    own = {**NATIVE, **bearer(fourth["token"])}
    answer, cookies = post(client, "signout", own)
    assert answer.status_code == 200 and cookies == {}
    assert client.get("/api/auth/me", headers=own).status_code == 401
    body = {"refresh_token": fourth["refresh_token"]}
    assert post(client, "refresh", NATIVE, **body)[0].status_code == 401


def test_a_page_of_an_app_is_trusted_by_its_origin(client: TestClient) -> None:
    headers = {"Origin": APP, "Sec-Fetch-Site": "cross-site"}
    answer, cookies = post(client, "signup", headers | NATIVE, **CREDENTIALS)
    assert "token" in data_of(answer) and cookies == {}
    answer, cookies = post(client, "signin", headers, **CREDENTIALS)
    assert "token" not in data_of(answer) and cookies.keys() == COOKIES


def test_without_the_header_tokens_are_in_cookies(client: TestClient) -> None:
    for headers in (BROWSER, {}, {"Fastbearer-Tokens": "cookie"}):
        route = "signup" if headers is BROWSER else "signin"
        answer, cookies = post(client, route, headers, **CREDENTIALS)
        assert "token" not in data_of(answer)
        assert cookies.keys() == COOKIES


def test_without_cookies_the_header_changes_nothing(tmp_path: Path) -> None:
    with TestClient(make_service(tmp_path / "a.db")) as client:
        for headers in (NATIVE, BROWSER):
            route = "signup" if headers is NATIVE else "signin"
            assert "token" in data_of(post(client, route, headers, **CREDENTIALS)[0])


# --- attacks


def test_attack_a_script_asks_for_the_tokens_of_a_session_in_cookies(
    client: TestClient,
) -> None:
    """XSS on the web frontend: what is HttpOnly stays so."""
    _, cookies = post(client, "signup", BROWSER, **CREDENTIALS)
    stolen = {**BROWSER, **NATIVE}
    passwords = {"current_password": PASSWORD, "new_password": PASSWORD + "!"}
    for route, sent, body in (
        ("refresh", cookies, {}),
        ("refresh", {"fastbearer-refresh": cookies["fastbearer-refresh"]}, {}),
        ("signin", cookies, CREDENTIALS),
        ("change-password", {"fastbearer": cookies["fastbearer"]}, passwords),
    ):
        if route == "change-password":
            _, cookies = post(client, "signin", BROWSER, **CREDENTIALS)
            sent = {"fastbearer": cookies["fastbearer"]}
        answer, set_now = post(client, route, stolen | cookie_header(sent), **body)
        if answer.is_success:
            assert "token" not in answer.text
            assert set_now.keys() == COOKIES
            cookies = set_now
    # Without the cookies there is nothing to ask with.
    answer, _ = post(client, "refresh", stolen)
    assert answer.status_code == 401


def test_attack_a_form_of_another_site_signs_the_victim_in(client: TestClient) -> None:
    """Login CSRF: a browser says where such a request comes from, in either header."""
    post(client, "signup", BROWSER, **CREDENTIALS)
    evil = "https://evil.example"
    for headers in (
        {"Origin": evil},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": evil, "Sec-Fetch-Site": "cross-site", **NATIVE},
        {"Origin": "capacitor://localhost.evil.example"},
        {"Origin": "capacitor://LOCALHOST"},
        {"Origin": "ionic://localhost"},
    ):
        for route in ("signin", "signup", "refresh"):
            answer, cookies = post(client, route, headers, **CREDENTIALS)
            assert answer.status_code == 403, (headers, route)
            assert cookies == {}


def test_attack_a_form_is_no_json(client: TestClient) -> None:
    """What a page may send unasked has another type, and no such header."""
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = client.post(
            "/api/auth/signup",
            headers={"Content-Type": kind},
            content=json.dumps(CREDENTIALS),
        )
        assert answer.status_code == 400 and not answer.cookies


def test_attack_a_cookie_without_an_origin(client: TestClient) -> None:
    """No Origin, no Sec-Fetch-Site: good for who has no cookie, and nobody else."""
    _, cookies = post(client, "signup", {}, **CREDENTIALS)
    for route in ("refresh", "signout", "signout-everywhere", "signin"):
        answer, _ = post(client, route, cookie_header(cookies), **CREDENTIALS)
        assert answer.status_code == 403, route
    answer, _ = post(client, "refresh", NATIVE | cookie_header(cookies))
    assert answer.status_code == 403


# --- origins


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("capacitor://localhost", "capacitor://localhost"),
        ("ionic://localhost/", "ionic://localhost"),
        ("TAURI://localhost", "tauri://localhost"),
        ("app://com.example.App", "app://com.example.App"),
        ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"),
        ("exp+my.app://127.0.0.1:8081", "exp+my.app://127.0.0.1:8081"),
        ("app://.", "app://."),
        ("app://./", "app://."),
        ("myapp://", "myapp://"),
        ("com.example.app://", "com.example.app://"),
        ("ionic:///", "ionic://"),
        ("QRC://", "qrc://"),
        ("HTTPS://App.Example.com:443/", "https://app.example.com"),
    ],
)
def test_origins_that_may_be_trusted(text: str, origin: str) -> None:
    settings = Settings(better_auth_secret=SECRET, trusted_origins=text)
    assert settings.origins() == {origin}


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "null://",
        "null://null",
        "file://",
        "file://localhost",
        "FILE://x",
        "data://x",
        "blob://x",
        "javascript://x",
        "about://blank",
        "ftp://x",
        "ws://x",
        "https:/x",
        "app:localhost",
        "app:",
        "app:/",
        "app:///x",
        "app:////",
        "app://..",
        "app://./x",
        "app://:1",
        "https://",
        "http://",
        "data://",
        "about://",
        "app://localhost/path",
        "app://user@localhost",
        "app://local host",
        "app://*",
        "app://localhost:port",
        "1app://localhost",
        "app://" + "x" * 300,
        "x" * 100 + "://localhost",
    ],
)
def test_origins_that_nobody_has(text: str) -> None:
    with pytest.raises(ConfigurationError, match="TRUSTED_ORIGINS must be origins"):
        Settings(better_auth_secret=SECRET, trusted_origins=text)


@pytest.mark.parametrize("text", ["app://.", "myapp://"])
def test_an_origin_without_a_host_is_that_one_alone(text: str) -> None:
    trusted = TrustedOrigins([str(read_origin(text))])
    assert text.encode() in trusted
    scheme = text.partition(":")[0]
    for other in ("", ".", "..", "./", "localhost", "x"):
        written = f"{scheme}://{other}"
        assert (written.encode() in trusted) is (written == text)
    for other in ("null", scheme, f"{scheme}:", text.upper(), f"x{text}"):
        assert other.encode() not in trusted
