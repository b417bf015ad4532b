"""Users in Better Auth's tables: SQLite's and PostgreSQL's, filled by hand or here."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI

from accounts_kit import (
    CHEAP,
    EMAIL,
    PASSWORD,
    answer,
    bearer,
    http,
    make_auth,
    me,
    post,
    refused,
    rows,
    sign_in,
    sign_up,
    token_of,
)
from asgi import running
from better_auth_tables import NOW, WEEK, BetterAuthTables, better_auth_tables, iso
from fastbearer import PasswordHash
from fastbearer.accounts import Accounts, BetterAuthUserStore, Message, User
from fastbearer.accounts.routes.schemas import TEXTS
from fastbearer.app import create_app
from fastbearer.better_auth.passwords import BetterAuthHash, better_auth_hash
from fastbearer.better_auth.sql import Tables
from fastbearer.errors import ConfigurationError
from fastbearer.fastapi import Auth, Settings
from project import SECRET
from servers import BOTH, own_postgres
from waiting import wait_until

Serve = Callable[[FastAPI], str]
Start = Callable[..., str]

NEWER = "another battery"
STORED = better_auth_hash(PASSWORD)
"""The hash of PASSWORD, as the server stores it."""

PLURAL = {"user": "users", "session": "sessions", "account": "accounts"}
UNAUTHORIZED = refused(401, "Invalid email or password")
TAKEN = refused(400, "Email already registered")


def snake(name: str) -> str:
    return re.sub("([A-Z])", r"_\1", name).lower()


LAYOUTS: dict[str, tuple[dict[str, Any], Tables | None]] = {
    "own": ({}, None),
    "serial": ({"ids": "integer", "has_admin": False}, None),
    "uuid": ({"ids": "uuid"}, None),
    "milliseconds": ({"dates": "milliseconds"}, None),
    "timestamp": ({"dates": "timestamp"}, None),
    "renamed": (
        {"tables": PLURAL, "naming": snake},
        Tables(use_plural=True, snake_case=True),
    ),
    "one by one": (
        {
            "tables": {"user": "The Users", "account": "ab"},
            "naming": lambda name: "mail" if name == "email" else name,
        },
        Tables(
            models={"user": "The Users", "account": "ab"},
            fields={"user": {"email": "mail"}},
        ),
    ),
}
ONLY = {"uuid": "postgresql", "timestamp": "postgresql", "milliseconds": "sqlite"}
"""Layouts that one kind of database has."""


def both(names: Iterable[str]) -> list[Any]:
    """Return the parameters (kind, name) of what each kind of database has."""
    return [
        pytest.param(kind, name, marks=marks)
        for kind, marks in (("sqlite", ()), ("postgresql", pytest.mark.postgres))
        for name in names
        if ONLY.get(name, kind) == kind
    ]


@pytest.fixture(params=BOTH)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def tables(kind: str, tmp_path: Path) -> Iterator[BetterAuthTables]:
    with better_auth_tables(kind, tmp_path) as made:
        yield made


@pytest.fixture
def start(tmp_path: Path, serve: Serve) -> Start:
    """Serve the routes of the accounts over a store; the value is the URL."""

    def start(
        store: Any, *, hasher: Any = None, send: Any = None, **settings: Any
    ) -> str:
        auth = make_auth(tmp_path / "own.db", **settings)
        app = FastAPI()
        accounts = Accounts(auth, store=store, hasher=hasher, send=send)
        app.include_router(accounts.router)
        return serve(app)

    return start


@pytest.fixture
def service(tables: BetterAuthTables, start: Start) -> str:
    return start(BetterAuthUserStore(tables.url))


def add_account(tables: BetterAuthTables, **row: Any) -> None:
    usual = {
        "userId": "u1",
        "accountId": row.get("userId", "u1"),
        "providerId": "credential",
        "password": STORED,
        "createdAt": NOW,
        "updatedAt": NOW,
    }
    row = {**usual, **row}
    name = f"{row['providerId']} {row['accountId']}"
    tables.insert("account", **{"id": name, **row})


def add_ada(
    tables: BetterAuthTables, password: str | None = STORED, **row: Any
) -> None:
    """Insert a user who has signed up at the server."""
    tables.add_user(**{"email": EMAIL, "emailVerified": False, **row})
    add_account(tables, password=password)


def stored_hash(tables: BetterAuthTables) -> str:
    (account,) = tables.rows("account")
    return str(account["password"])


def changed(base_url: str, token: str, current: str, newer: str) -> str:
    """Change the password, and return the new token."""
    body = {"current_password": current, "new_password": newer}
    return token_of(post(base_url, "change-password", token, **body))


# --- a day ----------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "layout"), both(LAYOUTS))
def test_a_day(kind: str, layout: str, tmp_path: Path, start: Start) -> None:
    options, names = LAYOUTS[layout]
    with better_auth_tables(kind, tmp_path, **options) as tables:
        store = BetterAuthUserStore(tables.url, tables=names)
        live_a_day(tables, start(store, refresh_tokens=True))


def live_a_day(tables: BetterAuthTables, service: str) -> None:
    before = datetime.now(UTC)
    data = sign_up(service, email=" Ada@Example.COM ", name="Ada").json()["data"]
    check_rows(tables, data["user"], before)

    assert answer(sign_up(service)) == TAKEN
    assert answer(sign_in(service, password=NEWER)) == UNAUTHORIZED
    signed_in = sign_in(service).json()["data"]
    assert signed_in["user"] == data["user"]
    assert len({stored_hash(tables), STORED}) == 2
    shown = {**data["user"], "email_verified": False}
    assert me(service, signed_in["token"]).json()["data"] == shown
    refreshed = post(service, "refresh", refresh_token=signed_in["refresh_token"])
    assert refreshed.json()["data"]["user"] == data["user"]

    token = changed(service, data["token"], PASSWORD, NEWER)
    assert answer(sign_in(service)) == UNAUTHORIZED
    assert sign_in(service, password=NEWER).status_code == 200
    wrong = post(service, "delete-account", token, password=PASSWORD)
    assert answer(wrong) == refused(403, "Current password is wrong")

    of_user = tables.rows("user")[0][tables.naming("id")]
    session = {"id": "s1"} if tables.ids == "text" else {}
    if tables.ids == "uuid":
        session = {"id": UUID(int=1)}
    tables.add_session(**{"userId": of_user, **session})
    assert post(service, "delete-account", token, password=NEWER).status_code == 200
    assert [tables.rows(model) for model in PLURAL] == [[], [], []]
    assert me(service, token).status_code == 401
    assert answer(sign_in(service, password=NEWER)) == UNAUTHORIZED


def check_rows(
    tables: BetterAuthTables, shown: dict[str, Any], since: datetime
) -> None:
    """Compare the rows with what Better Auth's own sign-up would have stored."""
    ((user), (account)) = (read(tables, "user"), read(tables, "account"))
    assert {"id": str(user["id"]), "email": EMAIL, "name": "Ada"} == shown
    assert [user["email"], user["name"]] == [EMAIL, "Ada"]
    assert not user["emailVerified"] and user["image"] is None
    assert [account["accountId"], account["userId"]] == [shown["id"], user["id"]]
    assert account["providerId"] == "credential"
    assert re.fullmatch("[0-9a-f]{32}:[0-9a-f]{128}", account["password"])
    for row in (user, account):
        for field in ("createdAt", "updatedAt"):
            check_date(tables, row[field], since)
        if tables.ids == "text":
            assert re.fullmatch("[A-Za-z0-9]{32}", row["id"])
        else:
            assert isinstance(row["id"], UUID if tables.ids == "uuid" else int)


def read(tables: BetterAuthTables, model: str) -> dict[str, Any]:
    """Return the only row, field -> value."""
    (row,) = tables.rows(model)
    fields = ["id", "email", "name", "emailVerified", "image", "createdAt", "updatedAt"]
    if model == "account":
        fields = ["id", "accountId", "userId", "providerId", "password", *fields[-2:]]
    return {field: row[tables.naming(field)] for field in fields}


def check_date(tables: BetterAuthTables, found: Any, since: datetime) -> None:
    """Tell whether a date is of now, and stored as the dates of the table are."""
    assert type(found) is type(tables.stored(since))
    now = tables.stored(datetime.now(UTC))
    if isinstance(found, str):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found)
    slack = timedelta(seconds=1)  # for what rounding takes
    assert (
        tables.stored(since - slack) <= found <= max(now, tables.stored(since + slack))
    )


def test_tables_that_take_nothing_along(service: str, tables: BetterAuthTables) -> None:
    """Not every schema deletes what belongs to a user who is deleted."""
    for model in ("session", "account"):
        tables.run(f'DROP TABLE "{model}"')
    rest = (
        '"createdAt" date, "updatedAt" date, "userId" text NOT NULL REFERENCES "user"'
    )
    tables.run(
        'CREATE TABLE account (id text PRIMARY KEY, "accountId" text,'
        f' "providerId" text, password text, {rest})'
    )
    tables.run(f"CREATE TABLE session (id text PRIMARY KEY, {rest})")
    data = sign_up(service).json()["data"]
    session = {"id": "s1", "userId": data["user"]["id"]}
    tables.insert("session", **session)
    deleted = post(service, "delete-account", data["token"], password=PASSWORD)
    assert deleted.status_code == 200
    assert [tables.rows(model) for model in PLURAL] == [[], [], []]


def test_without_a_name(service: str, tables: BetterAuthTables) -> None:
    """The column takes no NULL."""
    assert sign_up(service).json()["data"]["user"]["name"] is None
    assert tables.rows("user")[0]["name"] == ""
    assert sign_in(service).json()["data"]["user"]["name"] is None


def test_more_fields(tables: BetterAuthTables, start: Start) -> None:
    class Store(BetterAuthUserStore):
        def new_row(self, user: User) -> dict[str, Any]:
            return {**super().new_row(user), "role": "user"}

    assert sign_up(start(Store(tables.url))).status_code == 201
    assert tables.rows("user")[0]["role"] == "user"


# --- signing up -----------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "ids"), both(["text", "integer"]))
def test_a_race(kind: str, ids: str, tmp_path: Path, start: Start) -> None:
    with better_auth_tables(kind, tmp_path, ids=ids) as tables:
        service = start(BetterAuthUserStore(tables.url))
        with ThreadPoolExecutor(12) as threads:
            answers = list(threads.map(lambda _: sign_up(service), range(12)))
        assert sorted(one.status_code for one in answers) == [201] + [400] * 11
        (winner,) = (one for one in answers if one.status_code == 201)
        assert me(service, token_of(winner)).status_code == 200
        (user,), (account,) = tables.rows("user"), tables.rows("account")
        assert account["userId"] == user["id"]


def test_a_user_is_made_wholly_or_not_at_all(
    service: str, tables: BetterAuthTables, caplog: pytest.LogCaptureFixture
) -> None:
    add_ada(tables, email="first@example.com")
    account = tables.table("account")
    tables.run(f'CREATE UNIQUE INDEX only_one ON {account} ("providerId")')
    assert answer(sign_up(service)) == refused(500, "Failed to create account")
    assert len(tables.rows("user")) == len(tables.rows("account")) == 1
    assert "override new_row" in caplog.text
    for shown in (EMAIL, "DETAIL", "INSERT"):
        assert shown not in caplog.text
    tables.run("DROP INDEX only_one")
    assert sign_up(service).status_code == 201


@pytest.mark.parametrize(
    "email",
    ["ada@localhost", "\u00e4da@example.com", "a.@example.com", "ada'@example.com"],
)
def test_an_email_that_the_server_would_not_take(
    service: str, tables: BetterAuthTables, email: str
) -> None:
    assert answer(sign_up(service, email=email)) == refused(400, TEXTS["email"])
    assert tables.rows("user") == []


@pytest.mark.parametrize(
    "email", ["o'hara+x@a-b.example.co", "a.b_c-d@1.example", "x@y.zz"]
)
def test_an_email_that_the_server_takes(service: str, email: str) -> None:
    assert sign_up(service, email=email).status_code == 201


def test_who_signed_up_with_another_provider_is_registered(
    service: str, tables: BetterAuthTables
) -> None:
    tables.add_user(email=EMAIL)
    add_account(tables, providerId="github", accountId="17", password=None)
    assert answer(sign_up(service)) == TAKEN


# --- signing in -----------------------------------------------------------------------


def test_who_signed_up_there_signs_in_here(
    service: str, tables: BetterAuthTables
) -> None:
    add_ada(tables)
    add_account(tables, providerId="github", accountId="17", password=None)
    signed_in = sign_in(service, email=" ADA@example.com")
    assert signed_in.json()["data"]["user"] == {
        "id": "u1",
        "email": EMAIL,
        "name": "Ada \u20ac",
    }
    assert answer(sign_in(service, password=NEWER)) == UNAUTHORIZED
    verified = me(service, token_of(signed_in)).json()["data"]["email_verified"]
    assert verified is False
    tables.update("user", emailVerified=True)
    verified = me(service, token_of(signed_in)).json()["data"]["email_verified"]
    assert verified is True


@pytest.mark.parametrize(
    "row",
    [
        {"password": None},
        {"password": ""},
        {"providerId": "github", "password": STORED},
        {"accountId": "u2"},
        {"accountId": "U1"},
    ],
)
def test_accounts_that_are_no_credentials(
    service: str, tables: BetterAuthTables, row: dict[str, Any]
) -> None:
    tables.add_user(email=EMAIL)
    add_account(tables, **row)
    assert answer(sign_in(service)) == UNAUTHORIZED
    assert answer(sign_in(service, password="")) == UNAUTHORIZED


def test_any_account_id(tables: BetterAuthTables, start: Start) -> None:
    """As for better-auth 1.6."""
    tables.add_user(email=EMAIL)
    add_account(tables, accountId="imported-17")
    service = start(BetterAuthUserStore(tables.url, any_account_id=True))
    token = token_of(sign_in(service))
    changed(service, token, PASSWORD, NEWER)
    assert sign_in(service, password=NEWER).status_code == 200


def test_another_users_account_is_not_ones_own(
    service: str, tables: BetterAuthTables
) -> None:
    tables.add_user(email=EMAIL)
    tables.add_user(id="u2", email="bob@example.com")
    add_account(tables, userId="u2", accountId="u1")
    assert answer(sign_in(service)) == UNAUTHORIZED
    assert answer(sign_in(service, email="bob@example.com")) == UNAUTHORIZED


def test_of_two_passwords_neither_counts(
    service: str, tables: BetterAuthTables, caplog: pytest.LogCaptureFixture
) -> None:
    add_ada(tables)
    add_account(tables, id="another", password=better_auth_hash(NEWER))
    for password in (PASSWORD, NEWER):
        assert answer(sign_in(service, password=password)) == UNAUTHORIZED
    assert "the user u1 has several passwords" in caplog.text


def test_bans(service: str, tables: BetterAuthTables) -> None:
    """Those of the plugin ``admin()``; an older one may be without an end."""
    add_ada(tables)
    token = token_of(sign_in(service))
    now = datetime.now(UTC)
    for banned, until, status in [
        (True, None, 401),
        (True, now + WEEK, 401),
        (True, now - WEEK, 200),
        (False, now + WEEK, 200),
        (None, None, 200),
    ]:
        tables.update("user", banned=banned, banExpires=until)
        assert sign_in(service).status_code == status, (banned, until)
        assert me(service, token).status_code == status
    tables.update("user", banned=True)
    assert answer(sign_in(service)) == UNAUTHORIZED
    assert answer(sign_up(service)) == TAKEN


def test_a_second_factor(tables: BetterAuthTables, start: Start) -> None:
    """That of the plugin ``twoFactor()``; nothing here gets around it."""
    flag = "integer" if tables.is_sqlite else "boolean"
    tables.run(f'ALTER TABLE "user" ADD COLUMN "twoFactorEnabled" {flag}')
    outbox: list[Message] = []
    service = start(BetterAuthUserStore(tables.url), send=outbox.append)
    add_ada(tables)
    tables.update("user", twoFactorEnabled=False)
    token = token_of(sign_in(service))
    tables.update("user", twoFactorEnabled=True)
    assert answer(sign_in(service)) == UNAUTHORIZED
    assert me(service, token).status_code == 200
    body = {"current_password": PASSWORD, "new_password": NEWER}
    assert post(service, "change-password", token, **body).status_code == 403
    assert post(service, "delete-account", token, password=PASSWORD).status_code == 403
    post(service, "forgot-password", email=EMAIL)
    reset = {"code": wait_for(outbox, 1).code, "password": NEWER}
    assert post(service, "reset-password", **reset).status_code == 400
    assert stored_hash(tables) == STORED


@pytest.mark.parametrize("scheme", ["argon2id", "bcrypt", "scrypt"])
def test_hashes_of_the_servers_own_making(
    service: str, tables: BetterAuthTables, scheme: str
) -> None:
    """Its option ``emailAndPassword.password`` makes them; they stay as they are."""
    stored = {
        "argon2id": CHEAP,
        "bcrypt": PasswordHash("bcrypt", rounds=4),
        "scrypt": PasswordHash("scrypt", n=4),
    }[scheme].hash(PASSWORD)
    add_ada(tables, stored)
    assert answer(sign_in(service, password=NEWER)) == UNAUTHORIZED
    assert sign_in(service).status_code == 200
    assert stored_hash(tables) == stored


NO_HASHES = [
    "x",
    ":",
    " ",
    STORED[:-1],
    STORED + ":",
    STORED.upper(),
    STORED.replace(":", "$"),
    "$argon2id$v=19$m=8,t=1,p=1$",
    "$2b$04$" + "x" * 20,
    PASSWORD,
    "\u20ac" * 161,
    "a" * 100_000,
]


def test_what_is_no_hash(
    service: str, tables: BetterAuthTables, caplog: pytest.LogCaptureFixture
) -> None:
    add_ada(tables)
    for stored in NO_HASHES:
        caplog.clear()
        tables.update("account", password=stored)
        assert answer(sign_in(service)) == UNAUTHORIZED, stored
        assert stored_hash(tables) == stored
        assert caplog.messages == ["password hash of user u1: invalid_hash"]


class Counting(BetterAuthHash):
    """Notes its work."""

    def __init__(self) -> None:
        super().__init__()
        self.verified: list[str] = []

    def _verify(self, password: str | bytes, hash: str | bytes, threads: int) -> bool:
        self.verified.append(str(hash))
        return super()._verify(password, hash, threads)


def test_who_is_unknown_costs_the_same(tables: BetterAuthTables, start: Start) -> None:
    hasher = Counting()
    service = start(BetterAuthUserStore(tables.url), hasher=hasher)
    add_ada(tables)
    tables.add_user(id="u2", email="social@example.com")
    tables.add_user(id="u3", email="banned@example.com", banned=True)
    add_account(tables, userId="u3")
    assert answer(sign_in(service, password=NEWER)) == UNAUTHORIZED
    assert hasher.verified == [STORED]
    for nth, email in enumerate(["nobody", "social", "banned"], 2):
        found = sign_in(service, email=f"{email}@example.com")
        assert answer(found) == UNAUTHORIZED
        assert len(hasher.verified) == nth
        assert [len(one) for one in hasher.verified] == [len(STORED)] * nth


@pytest.mark.parametrize(("kind", "ids"), both(["text", "integer", "uuid"]))
def test_odd_ids(kind: str, ids: str, tmp_path: Path, serve: Serve) -> None:
    with better_auth_tables(kind, tmp_path, ids=ids) as tables:
        auth = make_auth(tmp_path / "own.db")
        app = FastAPI()
        accounts = Accounts(auth, store=BetterAuthUserStore(tables.url))
        app.include_router(accounts.router)
        service = serve(app)
        sign_up(service)
        numbers = [str(2**31), str(2**40), str(2**63), "-1", "9" * 30, "1.0"]
        for odd in ("x", "\u00e9", "\0", "' OR 1=1 --", *numbers):
            token = auth.generate_jwt_token(odd, EMAIL)
            assert me(service, token).status_code == 401, odd


# --- hashes are as told ---------------------------------------------------------------


def test_hashes_stay_by_default(service: str, tables: BetterAuthTables) -> None:
    add_ada(tables)
    token_of(sign_in(service))
    assert stored_hash(tables) == STORED
    token = changed(service, token_of(sign_in(service)), PASSWORD, NEWER)
    newer = stored_hash(tables)
    assert newer != STORED and re.fullmatch("[0-9a-f]{32}:[0-9a-f]{128}", newer)
    assert me(service, token).status_code == 200


def test_hashes_are_upgraded_if_told(tables: BetterAuthTables, start: Start) -> None:
    store = BetterAuthUserStore(tables.url, upgrade_hashes=True)
    service = start(store, hasher=CHEAP)
    add_ada(tables)
    assert sign_in(service, password=NEWER).status_code == 401
    assert stored_hash(tables) == STORED
    token_of(sign_in(service))
    upgraded = stored_hash(tables)
    assert upgraded.startswith("$argon2id$v=19$m=8,")
    token = token_of(sign_in(service))
    assert stored_hash(tables) == upgraded
    changed(service, token, PASSWORD, NEWER)
    assert stored_hash(tables).startswith("$argon2id$v=19$m=8,")
    sign_up(service, email="bob@example.com")
    assert all(
        row["password"].startswith("$argon2id$") for row in tables.rows("account")
    )


def test_a_hasher_that_the_server_does_not_know(
    tables: BetterAuthTables, start: Start
) -> None:
    with pytest.raises(ConfigurationError, match="upgrade_hashes=True"):
        start(BetterAuthUserStore(tables.url), hasher=CHEAP)
    store, ada = BetterAuthUserStore(tables.url), User(email=EMAIL, password_hash="")
    ada.password_hash = CHEAP.hash(PASSWORD)
    for call in (store.add(ada), store.replace_password_hash(ada, ada.password_hash)):
        with pytest.raises(ConfigurationError, match="upgrade_hashes=True"):
            asyncio.run(call)
    assert tables.rows("user") == []


def test_a_password_that_changed_meanwhile(tables: BetterAuthTables) -> None:
    """Whoever is second finds that their change came too late."""
    add_ada(tables)

    async def replace() -> list[bool]:
        store = BetterAuthUserStore(tables.url)
        first, second = await store.find("u1"), await store.find_by_email(EMAIL)
        assert first is not None and second is not None
        newer = better_auth_hash(NEWER)
        done = [
            await store.replace_password_hash(first, newer),
            await store.replace_password_hash(second, STORED),
        ]
        await store.aclose()
        return done

    assert asyncio.run(replace()) == [True, False]
    assert BetterAuthHash().verify(NEWER, stored_hash(tables))


# --- codes ----------------------------------------------------------------------------


def wait_for(outbox: list[Message], count: int) -> Message:
    wait_until(lambda: len(outbox) >= count)
    return outbox[-1]


@pytest.mark.parametrize("has_empty", [False, True])
def test_a_first_password(
    tables: BetterAuthTables, start: Start, has_empty: bool
) -> None:
    """Who signed up with GitHub gets one by the code that a forgotten one needs."""
    outbox: list[Message] = []
    service = start(BetterAuthUserStore(tables.url), send=outbox.append)
    tables.add_user(email=EMAIL)
    add_account(tables, providerId="github", accountId="17", password=None)
    if has_empty:
        add_account(tables, password=None)
    post(service, "forgot-password", email=EMAIL)
    code = wait_for(outbox, 1).code
    reset = {"code": code, "password": NEWER}
    assert post(service, "reset-password", **reset).status_code == 200
    token = token_of(sign_in(service, password=NEWER))
    assert post(service, "reset-password", **reset).status_code == 400
    kept = [row for row in tables.rows("account") if row["providerId"] == "credential"]
    assert [(row["userId"], row["accountId"]) for row in kept] == [("u1", "u1")]
    changed(service, token, NEWER, PASSWORD)


def test_of_two_first_passwords_one_is_kept(tables: BetterAuthTables) -> None:
    tables.add_user(email=EMAIL)

    async def replace() -> list[bool]:
        store = BetterAuthUserStore(tables.url)
        ada = await store.find("u1")
        assert ada is not None and ada.password_hash == ""
        calls = [store.replace_password_hash(ada, STORED) for _ in range(8)]
        done = await asyncio.gather(*calls)
        await store.aclose()
        return done

    assert sorted(asyncio.run(replace())) == [False] * 7 + [True]
    assert stored_hash(tables) == STORED


def test_an_email_is_verified(tables: BetterAuthTables, start: Start) -> None:
    """Also that of a user without a password."""
    outbox: list[Message] = []
    auth = make_auth("unused")
    service = start(BetterAuthUserStore(tables.url), send=outbox.append)
    tables.add_user(email=EMAIL, emailVerified=False)
    token = auth.generate_jwt_token("u1", EMAIL)
    assert post(service, "request-verification", token).status_code == 202
    code = wait_for(outbox, 1).code
    assert post(service, "verify-email", code=code).status_code == 200
    (user,) = tables.rows("user")
    assert user["emailVerified"] in (True, 1)
    assert user["updatedAt"] != tables.stored(NOW)


def test_who_has_no_password_cannot_confirm_with_one(
    service: str, tables: BetterAuthTables
) -> None:
    tables.add_user(email=EMAIL)
    token = make_auth("unused").generate_jwt_token("u1", EMAIL)
    assert me(service, token).status_code == 200
    for password in ("", PASSWORD):
        deleted = post(service, "delete-account", token, password=password)
        assert answer(deleted) == refused(403, "Current password is wrong")
    assert len(tables.rows("user")) == 1


# --- the start, and outages -----------------------------------------------------------


def refuses_to_start(store: Any, start: Start) -> str:
    with pytest.raises(ConfigurationError) as caught:
        start(store)
    return str(caught.value)


def test_a_table_that_is_missing(tables: BetterAuthTables, start: Start) -> None:
    def told(names: Tables | None = None) -> str:
        return refuses_to_start(BetterAuthUserStore(tables.url, tables=names), start)

    assert told(Tables(use_plural=True)) == "there is no table 'users'"
    assert told(Tables(models={"account": "x"})) == "there is no table 'x'"
    missing = Tables(fields={"user": {"emailVerified": "verified"}})
    assert told(missing) == "the table 'user' has no column 'verified'"
    missing = Tables(fields={"account": {"password": "hash"}})
    assert told(missing) == "the table 'account' has no column 'hash'"
    # Sessions may be in Redis.
    tables.run(f"DROP TABLE {tables.table('session')}")
    token = token_of(sign_up(start(BetterAuthUserStore(tables.url))))
    tables.run(f"DROP TABLE {tables.table('account')}")
    assert told() == "there is no table 'account'"
    assert token


def test_an_email_that_is_not_unique(tables: BetterAuthTables, start: Start) -> None:
    names = Tables(fields={"user": {"email": "name", "name": "email"}, "account": {}})
    store = BetterAuthUserStore(tables.url, tables=names)
    for other in (
        'UNIQUE INDEX other ON "user" (name, image)',
        'UNIQUE INDEX other ON "user" ("updatedAt")',
        'UNIQUE INDEX other ON "user" (name) WHERE "createdAt" IS NOT NULL',
        'INDEX other ON "user" (name)',
    ):
        tables.run(f"CREATE {other}")
        told = refuses_to_start(store, start)
        assert "'name' of the table 'user' needs a unique" in told
        tables.run("DROP INDEX other")
    tables.run('CREATE UNIQUE INDEX by_name ON "user" (name)')
    start(store)


@pytest.mark.postgres
def test_an_email_that_is_unique_in_lower_case(tmp_path: Path, start: Start) -> None:
    """SQLAlchemy does not see such an index in SQLite."""
    names = Tables(fields={"user": {"email": "name", "name": "email"}})
    with better_auth_tables("postgresql", tmp_path) as tables:
        store = BetterAuthUserStore(tables.url, tables=names)
        for number, other in enumerate(
            ("lower(image)", "(name || image)", "substr(name, 3)", "md5(name)")
        ):
            tables.run(f'CREATE UNIQUE INDEX other{number} ON "user" (({other}))')
        refuses_to_start(store, start)
        tables.run('CREATE UNIQUE INDEX by_name ON "user" (lower(name))')
        start(store)


@pytest.mark.postgres
def test_a_long_email_that_is_unique_in_lower_case(
    tmp_path: Path, start: Start
) -> None:
    """PostgreSQL writes the expression with a cast."""
    with better_auth_tables("postgresql", tmp_path) as tables:
        tables.run('ALTER TABLE "user" ADD "eMail" varchar(255) NOT NULL DEFAULT 1')
        tables.run('CREATE UNIQUE INDEX by_mail ON "user" (lower("eMail"))')
        tables.run('ALTER TABLE "user" ALTER email DROP NOT NULL')
        names = Tables(fields={"user": {"email": "eMail"}})
        start(BetterAuthUserStore(tables.url, tables=names))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ada:hunter2@127.0.0.1:1/none",
        "postgresql+psycopg9://ada:hunter2@127.0.0.1:1/none",
        "sqlite+aiosqlite:////nowhere/hunter2.db",
        "hunter2",
    ],
)
def test_a_database_that_is_not_there(url: str, tmp_path: Path) -> None:
    auth = Auth(
        Settings(
            better_auth_secret=SECRET,
            database_url=f"sqlite+aiosqlite:///{tmp_path}/own.db",
            better_auth_database_url=url,
        )
    )
    app = create_app(auth, accounts=Accounts(auth))
    with pytest.raises(ConfigurationError) as caught, running(app):
        pass
    assert "Better Auth's database" in str(caught.value)
    assert "hunter2" not in str(caught.value) + repr(auth.settings)


@pytest.mark.postgres
def test_a_role_that_may_not_read(start: Start, tmp_path: Path) -> None:
    with better_auth_tables("postgresql", tmp_path) as tables:
        role = f"reader_of_{tables.url.rpartition('_')[2]}"
        tables.run(f"CREATE ROLE {role} LOGIN")
        host = tables.url.partition("@")[2]
        store = BetterAuthUserStore(f"postgresql://{role}@{host}")
        try:
            assert "cannot be read" in refuses_to_start(store, start)
        finally:
            tables.run(f"DROP ROLE {role}")


@pytest.mark.postgres
def test_an_outage(tmp_path: Path, start: Start) -> None:
    with own_postgres() as server:
        tables = BetterAuthTables(server.url)
        tables.create()
        service = start(BetterAuthUserStore(server.url))
        token = token_of(sign_up(service))
        server.kill()
        for found in (
            sign_in(service),
            sign_up(service, email="bob@example.com"),
            me(service, token),
            post(service, "delete-account", token, password=PASSWORD),
        ):
            assert found.status_code == 503 and found.headers["retry-after"]
        server.start()
        assert sign_in(service).status_code == 200
        assert me(service, token).status_code == 200


@pytest.mark.postgres
def test_the_service_is_not_ready_without_it(tmp_path: Path, serve: Serve) -> None:
    with own_postgres() as server:
        BetterAuthTables(server.url).create()
        service = serve_configured(serve, tmp_path, better_auth_database_url=server.url)
        assert http.get(f"{service}/readyz").json()["database"] == "ok"
        server.kill()
        found = http.get(f"{service}/readyz")
        assert (found.status_code, found.json()["database"]) == (503, "down")
        assert http.get(f"{service}/healthz").status_code == 200


# --- the service ----------------------------------------------------------------------


def serve_configured(serve: Serve, tmp_path: Path, **settings: Any) -> str:
    auth = make_auth(tmp_path / "own.db", **settings)
    return serve(create_app(auth, accounts=Accounts(auth)))


def test_the_service_shares_the_tables(
    tables: BetterAuthTables, serve: Serve, tmp_path: Path
) -> None:
    add_ada(tables)
    service = serve_configured(serve, tmp_path, better_auth_database_url=tables.url)
    token = token_of(sign_in(service))
    assert stored_hash(tables) == STORED
    headers = bearer(token)
    task = http.post(f"{service}/u1/tasks", json={"title": "Tea"}, headers=headers)
    assert task.status_code == 201
    assert answer(sign_up(service)) == TAKEN
    bob = sign_up(service, email="bob@example.com").json()["data"]
    assert {row["id"] for row in tables.rows("user")} == {"u1", bob["user"]["id"]}
    assert post(service, "forgot-password", email="nobody@x.com").status_code == 202
    assert post(service, "delete-account", token, password=PASSWORD).status_code == 200
    assert http.get(f"{service}/u1/tasks", headers=headers).status_code == 401
    assert rows(tmp_path / "own.db", "SELECT id FROM fastbearer_task") == []
    assert [row["id"] for row in tables.rows("user")] == [bob["user"]["id"]]


def test_the_service_upgrades_hashes_if_told(
    tables: BetterAuthTables, serve: Serve, tmp_path: Path
) -> None:
    add_ada(tables)
    service = serve_configured(
        serve,
        tmp_path,
        better_auth_database_url=tables.url,
        better_auth_upgrade_hashes=True,
        password_scheme="bcrypt",
    )
    assert sign_in(service).status_code == 200
    assert stored_hash(tables).startswith("$2b$12$")


def test_a_service_without_the_setting_has_users_of_its_own(
    tables: BetterAuthTables, serve: Serve, tmp_path: Path
) -> None:
    service = serve_configured(serve, tmp_path)
    assert sign_up(service).status_code == 201
    assert tables.rows("user") == []


def test_dates_are_written_as_the_server_does() -> None:
    """What `check_date` compares with is what Better Auth's own rows have."""
    assert iso(NOW) == "2026-11-22T06:46:51.909Z"
