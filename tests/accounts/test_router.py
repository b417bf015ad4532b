"""``app.include_router(accounts.router)`` in a project of one's own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fastapi import Depends, FastAPI
from pydantic import BaseModel

from accounts_kit import CHEAP, PASSWORD, bearer, http, make_auth, sign_in, sign_up
from fastbearer import ConfigurationError
from fastbearer import accounts as accounts_package
from fastbearer.accounts import Accounts, User, UserStore, accounts
from fastbearer.fastapi import Auth, auth

Serve = Callable[[FastAPI], str]


class Note(BaseModel):
    text: str


def make_project(auth: Auth, accounts: Accounts) -> FastAPI:
    """Return an application that has a lifespan and a route of its own."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.running = True
        yield
        app.state.running = False

    app = FastAPI(lifespan=lifespan)
    app.include_router(accounts.router)

    @app.post("/notes", dependencies=[Depends(auth.verify_jwt_token)])
    async def make_note(note: Note) -> Note:
        return note

    return app


@pytest.fixture
def project(serve: Serve, tmp_path: Path) -> tuple[FastAPI, str]:
    auth = make_auth(tmp_path / "a.db")
    app = make_project(auth, Accounts(auth, hasher=CHEAP))
    return app, serve(app)


def test_the_routers_lifespan_runs_beside_the_projects(
    project: tuple[FastAPI, str],
) -> None:
    app, url = project
    assert app.state.running
    assert sign_up(url).status_code == 201
    assert sign_in(url).status_code == 200


def test_the_token_opens_the_projects_routes(project: tuple[FastAPI, str]) -> None:
    _, url = project
    token = sign_up(url).json()["data"]["token"]
    note = {"text": "hello"}
    made = http.post(f"{url}/notes", json=note, headers=bearer(token))
    assert (made.status_code, made.json()) == (200, note)
    assert http.post(f"{url}/notes", json=note).status_code == 401


def test_the_projects_own_routes_stay_as_they_are(
    project: tuple[FastAPI, str],
) -> None:
    _, url = project
    token = sign_up(url).json()["data"]["token"]
    made = http.post(f"{url}/notes", json={}, headers=bearer(token))
    assert made.status_code == 422
    paths = http.get(f"{url}/openapi.json").json()["paths"]
    assert "422" in paths["/notes"]["post"]["responses"]
    assert "422" not in paths["/api/auth/signup"]["post"]["responses"]


def test_a_prefix_of_the_projects(serve: Serve, tmp_path: Path) -> None:
    auth = make_auth(tmp_path / "a.db")
    app = FastAPI()
    app.include_router(Accounts(auth, hasher=CHEAP).router, prefix="/v1")
    assert sign_up(serve(app) + "/v1").status_code == 201


def test_the_lifespan_may_be_entered_by_the_application_too(
    serve: Serve, tmp_path: Path
) -> None:
    auth = make_auth(tmp_path / "a.db")
    accounts = Accounts(auth, hasher=CHEAP)
    app = FastAPI(lifespan=accounts.lifespan)
    app.include_router(accounts.router)
    assert sign_up(serve(app)).status_code == 201


def test_without_a_lifespan_the_answer_is_the_documented_one(
    serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = FastAPI()
    app.mount("/sub", make_project(auth, Accounts(make_auth(tmp_path / "a.db"))))
    response = sign_up(serve(app) + "/sub")
    assert response.status_code == 500
    assert response.json() == {"detail": "Failed to create account"}
    assert "the database is not open" in caplog.text


class Memory:
    """A store of the project's own."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}

    async def add(self, user: User) -> None:
        self.users[user.email] = user

    async def find_by_email(self, email: str) -> User | None:
        return self.users.get(email)

    async def find(self, user_id: str) -> User | None:
        users = self.users.values()
        return next((user for user in users if user.id == user_id), None)

    async def replace_password_hash(self, user: User, password_hash: str) -> bool:
        user.password_hash = password_hash
        return True

    async def verify_email(self, user: User) -> None:
        user.email_verified = True

    async def remove(self, user: User) -> None:
        del self.users[user.email]


def test_a_store_of_the_projects(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "never.db"
    store: UserStore = Memory()
    app = FastAPI()
    auth = make_auth(path, revocation="memory")
    app.include_router(Accounts(auth, store=store, hasher=CHEAP).router)
    url = serve(app)
    user = sign_up(url, email="Ada@example.com").json()["data"]["user"]
    assert sign_in(url).json()["data"]["user"] == user
    assert sign_in(url, password=f"{PASSWORD}!").status_code == 401
    assert not path.exists()


def test_the_default_accounts() -> None:
    assert accounts_package.router is accounts.router
    assert accounts_package.lifespan == accounts.lifespan
    paths = {route.path for route in accounts.router.routes}  # type: ignore[attr-defined]
    assert {"/api/auth/signup", "/api/auth/signin", "/api/auth/signout"} < paths
    assert all(path.startswith("/api/auth/") for path in paths)


def test_importing_needs_no_environment() -> None:
    program = "import fastbearer.accounts, fastbearer.app; print('imported')"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "imported\n"


def test_a_missing_secret_stops_the_start(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BETTER_AUTH_SECRET", "AUTH_SECRET"):
        monkeypatch.delenv(name, raising=False)
    app = FastAPI()
    app.include_router(Accounts(Auth()).router)
    with pytest.raises(ConfigurationError) as caught:
        serve(app)
    assert str(caught.value) == "BETTER_AUTH_SECRET environment variable is required"
