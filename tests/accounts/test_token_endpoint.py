"""The token endpoint: forms, Swagger UI's Authorize, and a generated client."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import Depends, FastAPI
from playwright.sync_api import Browser, expect

from accounts_kit import (
    CHEAP,
    EMAIL,
    PASSWORD,
    CountingHash,
    http,
    make_auth,
    me,
    sign_up,
    token_of,
)
from asgi import ASGIApp
from browser import chromium, open_page, screenshot
from fastbearer.accounts import Accounts
from fastbearer.fastapi import Auth
from swagger import execute, open_docs, sign_in

Serve = Callable[[ASGIApp], str]
SCHEME = "OAuth2PasswordBearer"


def application(auth: Auth, **shape: Any) -> FastAPI:
    app = FastAPI(title="shop")
    shape = {"hasher": CHEAP, "password_form": True, **shape}
    app.include_router(Accounts(auth, **shape).router)

    signed_in = Depends(auth.verify_jwt_token)

    @app.get("/whoami")
    async def whoami(user: Any = signed_in) -> dict[str, str]:
        return {"email": user["email"]}

    return app


@pytest.fixture
def base_url(serve: Serve, tmp_path: Path) -> str:
    return serve(application(make_auth(tmp_path / "a.db", refresh_tokens=True)))


def ask(base_url: str, **form: str) -> httpx2.Response:
    return http.post(f"{base_url}/api/auth/token", data=form)


def refusal(response: httpx2.Response) -> tuple[int, str]:
    body = response.json()
    assert body["detail"] == body["error_description"]
    assert response.headers["Cache-Control"] == "no-store"
    return response.status_code, body["error"]


def test_a_form_gets_a_token(base_url: str) -> None:
    sign_up(base_url)
    answered = ask(base_url, username=EMAIL, password=PASSWORD)
    body = answered.json()
    assert set(body) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (body["token_type"], body["expires_in"]) == ("bearer", 7 * 86_400)
    assert answered.headers["Cache-Control"] == "no-store"
    assert answered.headers["Pragma"] == "no-cache"
    assert me(base_url, body["access_token"]).json()["data"]["email"] == EMAIL


def test_without_refresh_tokens_there_is_none(serve: Serve, tmp_path: Path) -> None:
    base_url = serve(application(make_auth(tmp_path / "a.db")))
    sign_up(base_url)
    body = ask(base_url, username=EMAIL, password=PASSWORD).json()
    assert set(body) == {"access_token", "token_type", "expires_in"}
    again = ask(base_url, grant_type="refresh_token", refresh_token="x")
    assert refusal(again) == (400, "unsupported_grant_type")


def test_a_form_of_several_parts_gets_one_too(base_url: str) -> None:
    sign_up(base_url)
    parts = {"username": (None, EMAIL), "password": (None, PASSWORD)}
    answered = http.post(f"{base_url}/api/auth/token", files=parts)
    assert answered.status_code == 200


def test_a_file_is_no_user_name(base_url: str) -> None:
    parts = {"username": ("a.txt", EMAIL), "password": (None, PASSWORD)}
    refused = http.post(f"{base_url}/api/auth/token", files=parts)
    assert refusal(refused) == (400, "invalid_request")


def test_too_many_fields_are_refused(base_url: str) -> None:
    form = "&".join(f"a{number}=" for number in range(2000))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    refused = http.post(f"{base_url}/api/auth/token", content=form, headers=headers)
    assert refusal(refused) == (400, "invalid_request")


def test_a_refresh_token_is_good_once_and_goes_on(base_url: str) -> None:
    sign_up(base_url)
    first = ask(base_url, username=EMAIL, password=PASSWORD).json()
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = ask(base_url, **form).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert me(base_url, second["access_token"]).is_success
    third = ask(base_url, **{**form, "refresh_token": second["refresh_token"]})
    assert third.is_success
    assert refusal(ask(base_url, **form)) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"username": EMAIL}, "invalid_request"),
        ({"password": PASSWORD}, "invalid_request"),
        ({"username": "", "password": ""}, "invalid_request"),
        ({"username": "\0", "password": "x"}, "invalid_request"),
        ({"username": "a" * 256, "password": "x"}, "invalid_request"),
        ({"username": EMAIL, "password": "wrong"}, "invalid_grant"),
        ({"username": "bob@example.com", "password": "wrong"}, "invalid_grant"),
        ({"username": "ada", "password": PASSWORD}, "invalid_grant"),
        ({"username": "+41441234567", "password": PASSWORD}, "invalid_grant"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": "PASSWORD", "username": EMAIL}, "unsupported_grant_type"),
    ],
)
def test_a_refusal_is_that_of_the_standard(
    base_url: str, form: dict[str, str], error: str
) -> None:
    sign_up(base_url)
    refused = ask(base_url, **form)
    assert refusal(refused) == (400, error)
    assert "wrong" not in refused.text and PASSWORD not in refused.text


def test_json_is_not_a_form(base_url: str) -> None:
    body = {"username": EMAIL, "password": PASSWORD}
    refused = http.post(f"{base_url}/api/auth/token", json=body)
    assert refusal(refused) == (400, "invalid_request")


def test_the_form_is_as_much_work_for_nobody_as_for_somebody(
    serve: Serve, tmp_path: Path
) -> None:
    hasher = CountingHash()
    base_url = serve(application(make_auth(tmp_path / "a.db"), hasher=hasher))
    sign_up(base_url)
    work = []
    for username in (EMAIL, "nobody@example.com"):
        hasher.verified = []
        refused = ask(base_url, username=username, password="wrong")
        work.append((len(hasher.verified), refused.status_code, refused.content))
    assert work[0] == work[1]


def test_guesses_by_form_and_by_json_are_counted_together(
    serve: Serve, tmp_path: Path
) -> None:
    auth = make_auth(tmp_path / "a.db", throttle=True, throttle_failures="4/hour")
    base_url = serve(application(auth))
    sign_up(base_url)
    for _ in range(2):
        assert ask(base_url, username=EMAIL, password="x").status_code == 400
        body = {"email": EMAIL, "password": "x"}
        assert http.post(f"{base_url}/api/auth/signin", json=body).status_code == 401
    limited = ask(base_url, username=EMAIL, password=PASSWORD)
    assert limited.status_code == 429 and limited.headers["Retry-After"]


def test_the_form_neither_reads_nor_sets_cookies(serve: Serve, tmp_path: Path) -> None:
    auth = make_auth(
        tmp_path / "a.db", auth_cookie=True, cookie_secure=False, refresh_tokens=True
    )
    base_url = serve(application(auth))
    http.cookies.clear()
    cookies = sign_up(base_url).cookies
    jar = "; ".join(f"{name}={value}" for name, value in cookies.items())
    evil = {"Cookie": jar, "Origin": "https://evil.example"}
    form = {"grant_type": "refresh_token"}
    url = f"{base_url}/api/auth/token"
    refused = http.post(url, data=form, headers=evil)
    assert refusal(refused) == (400, "invalid_request")
    form = {"username": EMAIL, "password": PASSWORD}
    answered = http.post(url, data=form, headers=evil)
    http.cookies.clear()
    assert answered.is_success and "set-cookie" not in answered.headers


def test_without_the_option_there_is_no_form(serve: Serve, tmp_path: Path) -> None:
    auth = make_auth(tmp_path / "a.db")
    base_url = serve(application(auth, password_form=False))
    assert ask(base_url, username=EMAIL, password=PASSWORD).status_code == 404
    document = http.get(f"{base_url}/openapi.json").json()
    assert set(document["components"]["securitySchemes"]) == {"Bearer"}


def test_openapi_names_the_form_whatever_was_declared_first(tmp_path: Path) -> None:
    auth = make_auth(tmp_path / "a.db")
    app = FastAPI()

    @app.get("/before/{uid}", dependencies=[Depends(auth.verify_path_user("uid"))])
    async def before(uid: str) -> str:
        return uid

    accounts = Accounts(auth, password_form="/v1/api/auth/token")
    app.include_router(accounts.router, prefix="/v1")

    @app.get("/after/{no}", dependencies=[Depends(auth.verify_path_user("no"))])
    async def after(no: str) -> str:
        return no

    document = app.openapi()
    flow = document["components"]["securitySchemes"][SCHEME]["flows"]["password"]
    assert flow["tokenUrl"] == "/v1/api/auth/token"
    assert set(document["components"]["securitySchemes"]) == {SCHEME}
    assert flow["tokenUrl"] in document["paths"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.mark.chromium
@pytest.mark.node
def test_swagger_ui_signs_in_with_the_form(browser: Browser, base_url: str) -> None:
    sign_up(base_url)
    docs = open_docs(open_page(browser), base_url)
    assert execute(docs, "get", "/whoami")[0] == 401
    form = sign_in(docs, SCHEME, EMAIL, PASSWORD)
    expect(form).to_contain_text("Authorized")
    screenshot(docs, "swagger password form")
    docs.locator(".dialog-ux .btn-done").first.click()
    assert execute(docs, "get", "/whoami") == (200, {"email": EMAIL})
    docs.context.close()


@pytest.mark.chromium
@pytest.mark.node
def test_swagger_ui_shows_why_it_does_not(browser: Browser, base_url: str) -> None:
    sign_up(base_url)
    docs = open_docs(open_page(browser), base_url)
    form = sign_in(docs, SCHEME, EMAIL, "wrong")
    expect(form).to_contain_text("Incorrect username or password")
    docs.context.close()


def test_a_generated_client_signs_in(
    base_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token_of(sign_up(base_url))
    document = tmp_path / "openapi.json"
    document.write_text(http.get(f"{base_url}/openapi.json").text)
    generate(document, tmp_path / "shop_client")
    monkeypatch.syspath_prepend(str(tmp_path / "shop_client"))
    package = importlib.import_module("shop_client")
    models = importlib.import_module("shop_client.models")
    endpoint = importlib.import_module(
        "shop_client.api.accounts.token_api_auth_token_post"
    )
    whoami = importlib.import_module("shop_client.api.default.whoami_whoami_get")
    form = models.TokenForm(username=EMAIL, password=PASSWORD)
    with package.Client(base_url=base_url) as client:
        token = endpoint.sync(client=client, body=form)
        form.password = "wrong"
        refused = endpoint.sync(client=client, body=form)
    assert refused.error == "invalid_grant"
    signed_in = package.AuthenticatedClient(base_url=base_url, token=token.access_token)
    with signed_in as client:
        assert whoami.sync(client=client).to_dict() == {"email": EMAIL}


def generate(document: Path, folder: Path) -> None:
    """Generate a client from an OpenAPI document, as its users do."""
    config = document.with_name("config.json")
    config.write_text(json.dumps({"post_hooks": []}))
    command = [Path(sys.executable).with_name("openapi-python-client"), "generate"]
    options = ["--path", document, "--output-path", folder, "--config", config]
    done = subprocess.run(
        [*command, *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
