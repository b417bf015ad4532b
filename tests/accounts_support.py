"""What the tests of the accounts and of the service share."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI

from fastbearer import PasswordHash
from fastbearer.accounts import Accounts, UserStore
from fastbearer.app import create_app
from fastbearer.fastapi import Auth, Settings
from support import SECRET

CHEAP = PasswordHash("argon2id", time_cost=1, memory_cost=8, parallelism=1)
"""A hasher for the tests in which the cost of a hash is not the subject."""

EMAIL = "ada@example.com"
PASSWORD = "correct horse battery"

http = httpx2.Client(limits=httpx2.Limits(max_keepalive_connections=0))
"""One client for all servers; none of them outlives its test, so no keep-alive."""

BODY = "Request body must be a JSON object in UTF-8 (Content-Type: application/json)"


def make_auth(database: Path, *, secret: str = SECRET, **settings: Any) -> Auth:
    return Auth(
        Settings(
            better_auth_secret=secret,
            database_url=f"sqlite+aiosqlite:///{database}",
            **settings,
        )
    )


def make_service(
    database: Path,
    *,
    hasher: PasswordHash = CHEAP,
    store: UserStore | None = None,
    **settings: Any,
) -> FastAPI:
    auth = make_auth(database, **settings)
    return create_app(auth, accounts=Accounts(auth, hasher=hasher, store=store))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def sign_up(base_url: str, **fields: Any) -> httpx2.Response:
    body = {"email": EMAIL, "password": PASSWORD, **fields}
    return http.post(f"{base_url}/api/auth/signup", json=body)


def sign_in(base_url: str, **fields: Any) -> httpx2.Response:
    body = {"email": EMAIL, "password": PASSWORD, **fields}
    return http.post(f"{base_url}/api/auth/signin", json=body)


def answer(response: httpx2.Response) -> tuple[int, Any]:
    return response.status_code, response.json()


def refused(status: int, detail: str) -> tuple[int, Any]:
    return status, {"detail": detail}


def rows(database: Path, query: str, *values: str) -> list[tuple[Any, ...]]:
    """Ask the database behind the service's back; writing is fine too."""
    with closing(sqlite3.connect(database)) as connection, connection:
        return connection.execute(query, values).fetchall()
