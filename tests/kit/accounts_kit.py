"""What the tests of the accounts and of the service share."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI

from fastbearer import PasswordHash
from fastbearer.accounts import Accounts, Database, UserStore
from fastbearer.accounts.messages import Sender
from fastbearer.accounts.stores.protocol import ListingUserStore
from fastbearer.app import create_app
from fastbearer.app.migrations import TASKS
from fastbearer.fastapi import Auth, Settings
from mariadb_kit import own_mariadb
from pgbouncer_kit import through_pgbouncer
from project import SECRET
from servers import ask, own_database
from waiting import HANG

CHEAP = PasswordHash("argon2id", time_cost=1, memory_cost=8, parallelism=1)
"""A hasher for the tests in which the cost of a hash is not the subject."""


class CountingHash(PasswordHash):
    """A hasher like ``CHEAP`` that notes its work: hashes made, and verified."""

    __slots__ = ("made", "verified")

    def __init__(self, **options: Any) -> None:
        super().__init__(
            "argon2id", time_cost=1, memory_cost=8, parallelism=1, **options
        )
        self.made = 0
        self.verified: list[str] = []

    def _hash(self, password: str | bytes, threads: int) -> str:
        self.made += 1
        return super()._hash(password, threads)

    def _verify(self, password: str | bytes, hash: str | bytes, threads: int) -> bool:
        self.verified.append(str(hash))
        return super()._verify(password, hash, threads)


EMAIL = "ada@example.com"
PASSWORD = "correct horse battery"

http = httpx2.Client(limits=httpx2.Limits(max_keepalive_connections=0), timeout=HANG)
"""One client for all servers; none of them outlives its test, so no keep-alive."""

BODY = "Request body must be a JSON object in UTF-8 (Content-Type: application/json)"


Store = Path | str
"""The file of an SQLite database, or the URL of another one."""


@contextmanager
def store_of(kind: str, folder: Path) -> Iterator[Store]:
    """Give an empty store: SQLite's file, or a database with its tables."""
    if kind == "sqlite":
        yield folder / "store.db"
    elif kind == "mariadb":
        with own_mariadb(prepare=migrate) as url:
            yield url
    else:
        with own_database(prepare=migrate) as url:
            yield through_pgbouncer(url) if kind == "pgbouncer" else url


def migrate(url: str) -> None:
    database = Database(lambda: url)
    database.add(TASKS)
    asyncio.run(database.migrate())


def url_of(store: Store) -> str:
    return store if isinstance(store, str) else f"sqlite+aiosqlite:///{store}"


def make_auth(database: Store, *, secret: str = SECRET, **settings: Any) -> Auth:
    return Auth(
        Settings(
            better_auth_secret=secret,
            database_url=url_of(database),
            **{"throttle": False, **settings},  # most tests are in a hurry
        )
    )


def make_service(
    database: Store,
    *,
    hasher: PasswordHash = CHEAP,
    store: UserStore | None = None,
    send: Sender | None = None,
    **settings: Any,
) -> FastAPI:
    auth = make_auth(database, **settings)
    accounts = Accounts(auth, hasher=hasher, store=store, send=send)
    return create_app(auth, accounts=accounts)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def sign_up(base_url: str, **fields: Any) -> httpx2.Response:
    body = {"email": EMAIL, "password": PASSWORD, **fields}
    return http.post(f"{base_url}/api/auth/signup", json=body)


def sign_in(base_url: str, **fields: Any) -> httpx2.Response:
    body = {"email": EMAIL, "password": PASSWORD, **fields}
    return http.post(f"{base_url}/api/auth/signin", json=body)


def post(
    base_url: str, route: str, token: str | None = None, **body: Any
) -> httpx2.Response:
    """Post to a route of the accounts, as the user of a token."""
    headers = {} if token is None else bearer(token)
    return http.post(f"{base_url}/api/auth/{route}", json=body, headers=headers)


def me(base_url: str, token: str) -> httpx2.Response:
    return http.get(f"{base_url}/api/auth/me", headers=bearer(token))


def token_of(response: httpx2.Response) -> str:
    assert response.is_success, response.text
    return str(response.json()["data"]["token"])


def answer(response: httpx2.Response) -> tuple[int, Any]:
    return response.status_code, response.json()


def refused(status: int, detail: str) -> tuple[int, Any]:
    return status, {"detail": detail}


async def ids_in_pages(store: ListingUserStore, limit: int) -> list[str]:
    """Return the ids of all users, read in pages of so many."""
    ids: list[str] = []
    while page := await store.list_users(ids[-1] if ids else None, limit):
        ids += [user.id for user in page]
    return ids


def rows(database: Store, query: str, *values: str) -> list[tuple[Any, ...]]:
    """Ask the database behind the service's back; writing is fine too."""
    if isinstance(database, str):
        return ask(database, query, *values)
    with closing(sqlite3.connect(database)) as connection, connection:
        return connection.execute(query, values).fetchall()


def forbid(database: Store, operation: str) -> None:
    """Let every INSERT or UPDATE of a user fail."""
    if isinstance(database, str) and database.startswith("mysql:"):
        rows(
            database,
            f"CREATE TRIGGER stop BEFORE {operation} ON fastbearer_user"
            " FOR EACH ROW SIGNAL SQLSTATE '45000'",
        )
    elif isinstance(database, str):
        rows(
            database,
            "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RAISE EXCEPTION USING ERRCODE = '23514'; END $$",
        )
        rows(
            database,
            f"CREATE TRIGGER stop BEFORE {operation} ON fastbearer_user"
            " FOR EACH ROW EXECUTE FUNCTION no()",
        )
    else:
        rows(
            database,
            f"CREATE TRIGGER stop BEFORE {operation} ON fastbearer_user"
            " BEGIN SELECT RAISE(ABORT, 'no'); END",
        )
