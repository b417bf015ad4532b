"""More cookies of one name than anybody judges, on every route that there is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import count, product
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from accounts_kit import CHEAP, PASSWORD, bearer, make_auth
from fastbearer.accounts import Accounts, Message
from fastbearer.app import create_app
from fastbearer.fastapi.cookie import MOST_VALUES, TWO_COOKIES

NAMES = ("fastbearer", "fastbearer-refresh", "fastapiusersauth", "access_token")
SETTINGS = {
    "auth_cookie": True,
    "cookie_secure": False,
    "refresh_tokens": True,
    "revocation": "database",
    "token_cookies": "access_token",
    "require_verified_email": False,
}
FRONTEND = {"Sec-Fetch-Site": "same-origin"}
NATIVE = {"Fastbearer-Tokens": "body"}
WAYS = tuple(product(NAMES, ({}, NATIVE), (False, True)))
"""The name of the cookies, where tokens are wanted, and whether there is a header."""

MANY = 17
NEW = "another horse battery"


@dataclass
class Person:
    """Somebody who has an account.

    Attributes:
        email: Nobody else has it.
        access: Their access token.
        refresh: Their refresh token; empty where there are none.
        id: Theirs.
    """

    email: str
    access: str
    refresh: str
    id: str


Given = Callable[["Service", Person], dict[str, Any]]
"""Makes what a request is told: the keyword arguments of a client."""


class Service:
    """Accounts, a client, and what was sent by them.

    Args:
        app: Serves them.
        sent: What they send.
        file: Of their database.
        known: How somebody gets an account.
    """

    def __init__(
        self,
        app: FastAPI,
        sent: list[Message],
        file: Path,
        known: Callable[[TestClient, str], Person],
    ) -> None:
        self.app = app
        self.client = TestClient(app, raise_server_exceptions=False)
        self._sent = sent
        self._file = file
        self._known = known
        self._numbers = count()

    def somebody(self) -> Person:
        found = self._known(self.client, self.unknown())
        self.client.cookies.clear()
        return found

    def unknown(self) -> str:
        return f"ada{next(self._numbers)}@example.com"

    def code(self, who: Person, path: str, **body: Any) -> str:
        """Ask for a code, and return it."""
        answer = self.client.post(path, json=body, headers=bearer(who.access))
        assert answer.status_code == 202, answer.text
        return next(one.code for one in reversed(self._sent) if one.code)

    def stored(self) -> list[str]:
        """Return everything that the database has."""
        with closing(sqlite3.connect(self._file)) as database:
            return list(database.iterdump())


def _json(**body: Any) -> Given:
    return lambda service, who: {"json": body}


def _nothing(service: Service, who: Person) -> dict[str, Any]:
    return {}


def _login(service: Service, who: Person) -> dict[str, Any]:
    return {"json": {"email": who.email, "password": PASSWORD}}


def _form(service: Service, who: Person) -> dict[str, Any]:
    return {"data": {"username": who.email, "password": PASSWORD}}


def _stranger(service: Service, who: Person) -> dict[str, Any]:
    return {"json": {"email": service.unknown(), "password": PASSWORD}}


def _email(service: Service, who: Person) -> dict[str, Any]:
    return {"json": {"email": who.email}}


def _refresh(service: Service, who: Person) -> dict[str, Any]:
    return {"json": {"refresh_token": who.refresh}}


def _new_email(service: Service, who: Person) -> dict[str, Any]:
    return {"json": {"new_email": service.unknown(), "password": PASSWORD}}


def _confirmed(service: Service, who: Person) -> dict[str, Any]:
    asked = _new_email(service, who)["json"]
    code = service.code(who, "/api/auth/change-email", **asked)
    return {"json": {"code": code}}


def _verified(service: Service, who: Person) -> dict[str, Any]:
    return {"json": {"code": service.code(who, "/api/auth/request-verification")}}


def _reset(service: Service, who: Person) -> dict[str, Any]:
    code = service.code(who, "/api/auth/forgot-password", email=who.email)
    return {"json": {"code": code, "new_password": NEW}}


def _reset_there(service: Service, who: Person) -> dict[str, Any]:
    code = service.code(who, "/auth/forgot-password", email=who.email)
    return {"json": {"token": code, "password": NEW}}


def _verified_there(service: Service, who: Person) -> dict[str, Any]:
    code = service.code(who, "/auth/request-verify-token", email=who.email)
    return {"json": {"token": code}}


PASSWORDS = _json(current_password=PASSWORD, new_password=NEW)
TASK = _json(title="Feed the cat")
TASK_PATH = "/{user_id}/tasks/{task_id}"
OURS: Mapping[tuple[str, str], Given] = {
    ("post", "/api/auth/token"): _form,
    ("post", "/api/auth/signup"): _stranger,
    ("post", "/api/auth/signin"): _login,
    ("post", "/api/auth/refresh"): _refresh,
    ("post", "/api/auth/signout"): _json(),
    ("post", "/api/auth/signout-everywhere"): _json(),
    ("get", "/api/auth/me"): _nothing,
    ("patch", "/api/auth/me"): _json(name="Ada"),
    ("post", "/api/auth/change-password"): PASSWORDS,
    ("post", "/api/auth/delete-account"): _json(password=PASSWORD),
    ("post", "/api/auth/request-verification"): _json(),
    ("post", "/api/auth/resend-verification"): _email,
    ("post", "/api/auth/verify-email"): _verified,
    ("post", "/api/auth/forgot-password"): _email,
    ("post", "/api/auth/reset-password"): _reset,
    ("post", "/api/auth/change-email"): _new_email,
    ("post", "/api/auth/confirm-email"): _confirmed,
    ("get", "/{user_id}/tasks"): _nothing,
    ("post", "/{user_id}/tasks"): TASK,
    ("get", TASK_PATH): _nothing,
    ("put", TASK_PATH): TASK,
    ("patch", TASK_PATH): TASK,
    ("delete", TASK_PATH): _nothing,
    ("patch", f"{TASK_PATH}/complete"): _json(completed=True),
    ("get", "/healthz"): _nothing,
    ("get", "/readyz"): _nothing,
}
THEIRS: Mapping[tuple[str, str], Given] = {
    ("post", "/auth/jwt/login"): _form,
    ("post", "/auth/jwt/logout"): _json(),
    ("post", "/auth/register"): _stranger,
    ("post", "/auth/forgot-password"): _email,
    ("post", "/auth/reset-password"): _reset_there,
    ("post", "/auth/request-verify-token"): _email,
    ("post", "/auth/verify"): _verified_there,
    ("get", "/users/me"): _nothing,
    ("patch", "/users/me"): _json(password=NEW),
    ("get", "/users/{id}"): _nothing,
    ("patch", "/users/{id}"): _json(password=NEW),
    ("delete", "/users/{id}"): _nothing,
}


def known_to_ours(client: TestClient, email: str) -> Person:
    body = {"email": email, "password": PASSWORD}
    data = client.post("/api/auth/signup", json=body, headers=NATIVE).json()["data"]
    return Person(email, data["token"], data["refresh_token"], data["user"]["id"])


def known_to_theirs(client: TestClient, email: str) -> Person:
    body = {"email": email, "password": PASSWORD}
    user_id = client.post("/auth/register", json=body).json()["id"]
    form = {"username": email, "password": PASSWORD}
    answer = client.post("/auth/jwt/login", data=form)
    return Person(email, answer.cookies["fastbearer"], "", user_id)


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Service]:
    file, sent = tmp_path / "ours.db", list[Message]()
    auth = make_auth(file, **SETTINGS)
    own: dict[str, Any] = {"hasher": CHEAP, "send": sent.append}
    accounts = Accounts(auth, password_form=True, **own)
    service = Service(create_app(auth, accounts=accounts), sent, file, known_to_ours)
    with service.client:
        yield service


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[Service]:
    file, sent = tmp_path / "theirs.db", list[Message]()
    auth = make_auth(file, **{**SETTINGS, "refresh_tokens": False})
    own: dict[str, Any] = {"hasher": CHEAP, "send": sent.append}
    accounts = Accounts(auth, layout="fastapi-users", **own)
    app = FastAPI()
    app.include_router(accounts.router)
    service = Service(app, sent, file, known_to_theirs)
    with service.client:
        yield service


def several(name: str, number: int = MANY) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}=v{one}" for one in range(number))}


def walk(service: Service, routes: Mapping[tuple[str, str], Given]) -> None:
    """Ask every route with too many cookies of every name, in every way."""
    who = service.somebody()
    for (method, path), given in routes.items():
        for name, wanted, is_signed_in in WAYS:
            own = bearer(who.access) if is_signed_in else {}
            headers = {**FRONTEND, **own, **wanted, **several(name)}
            more = given(service, who)
            before = service.stored()
            url = path.format(user_id=who.id, id=who.id, task_id=1)
            answer = service.client.request(method, url, headers=headers, **more)
            service.client.cookies.clear()
            told = (method, path, headers, answer.text)
            assert answer.status_code < 500, told
            if not answer.is_success:
                assert service.stored() == before, told
            elif method != "get":
                who = service.somebody()  # that one may have been changed


def routes_of(app: FastAPI) -> set[tuple[str, str]]:
    paths = app.openapi()["paths"]
    return {(method, path) for path, methods in paths.items() for method in methods}


def test_every_route_with_too_many_cookies(ours: Service) -> None:
    assert routes_of(ours.app) == set(OURS)
    walk(ours, OURS)


def test_every_route_of_fastapi_users_with_too_many_cookies(theirs: Service) -> None:
    assert routes_of(theirs.app) == set(THEIRS)
    walk(theirs, THEIRS)


@pytest.mark.parametrize("number", [MOST_VALUES + 1, MANY])
@pytest.mark.parametrize("name", ["fastbearer", "fastbearer-refresh"])
@pytest.mark.parametrize("wanted", [{}, NATIVE], ids=["cookies", "body"])
@pytest.mark.parametrize("route", ["signin", "signup"])
def test_too_many_to_judge_are_refused_before_the_work(
    ours: Service, number: int, name: str, wanted: dict[str, str], route: str
) -> None:
    """Whoever reads their values says the same of them, however many there are."""
    who = ours.somebody()
    given = _login if route == "signin" else _stranger
    before = ours.stored()
    headers = {**FRONTEND, **wanted, **several(name, number)}
    answer = ours.client.post(f"/api/auth/{route}", headers=headers, **given(ours, who))
    assert (answer.status_code, answer.json()) == (400, {"detail": TWO_COOKIES})
    assert not answer.cookies
    assert ours.stored() == before


@pytest.mark.parametrize("number", [MOST_VALUES + 1, MANY])
def test_too_many_at_a_login_of_fastapi_users(theirs: Service, number: int) -> None:
    headers = {**FRONTEND, **several("fastbearer", number)}
    form = _form(theirs, theirs.somebody())
    answer = theirs.client.post("/auth/jwt/login", headers=headers, **form)
    assert (answer.status_code, answer.json()) == (400, {"detail": TWO_COOKIES})


@pytest.mark.parametrize("number", [MOST_VALUES, MOST_VALUES + 1, MANY])
@pytest.mark.parametrize("name", ["fastbearer", "access_token"])
def test_a_script_gets_no_tokens_beside_however_many_cookies(
    ours: Service, name: str, number: int
) -> None:
    """The header goes before them; still they are there, and tokens go there."""
    who = ours.somebody()
    headers = {**FRONTEND, **NATIVE, **bearer(who.access), **several(name, number)}
    body = PASSWORDS(ours, who)
    answer = ours.client.post("/api/auth/change-password", headers=headers, **body)
    assert answer.status_code == 200
    assert "token" not in answer.json()["data"]
    assert answer.cookies.keys() == {"fastbearer", "fastbearer-refresh"}


@pytest.mark.parametrize("number", [MOST_VALUES + 1, MANY])
def test_another_site_is_refused_for_being_one(ours: Service, number: int) -> None:
    """However many cookies it sends along, the answer is the same."""
    headers = {"Sec-Fetch-Site": "cross-site", **several("fastbearer", number)}
    answer = ours.client.post("/api/auth/signout-everywhere", headers=headers)
    assert answer.status_code == 403
